"""What is refused before any column is looked for: nothing asked, writing, secrets, orders to the machine, opinions, other languages."""

from __future__ import annotations

import re

from synth.request import Refusal
from synth.understand.columns import Lexicon
from synth.understand.words import any_of, fold

POLITE = (
    r"^(?:(?:please|can|could|would|will|you|i|want|need|now|then|and|just|go|ahead|kindly|let|us|first|also|to)\s+)*"
)
WRITE = re.compile(
    POLITE
    + r"""(?:(?:delete|remove|drop|truncate|insert|alter|erase|wipe|purge|overwrite|destroy|modify|upload|grant|revoke)\b
    (?!\s+(?:all\s+|the\s+|any\s+)?(?:duplicate|double|null|empty|blank))
    |(?:update|edit|rename|replace|change|mark|cancel|refund|archive|merge|move|copy|import|increase|decrease|raise|lower|reset|double|clear|disable|enable|promote|
    fire|hire|pay|book|post|publish|save|store|fix|correct|write|append|send|email|set|add|cut|ship|reorder|block|ban|approve|reject|close|give)\s+
    (?:the|all|a|an|every|each|everyone|everybody|this|these|those|my|our|it|them|him|her|any|another|new|one|\d+|\#|order\s+\#?\d+|\w+\s+(?:=|from|of|for)\s+\w+\s+to\b)
    |(?:update|set|change|increase|decrease|raise|lower|rename|reset|mark)\s+(?:\w+\s+){1,4}(?:to|by|as|=)\s
    |create\s+(?:a|an|new)?\s*(?:new\s+)?(?:table|index|view|user|database|column|row|record|trigger|account|order|customer))\b""",
    re.VERBOSE,
)
GIVING = re.compile(POLITE + r"give\s+(?!(?:everyone|everybody|every\s+\w+|all\s+\w+|each\s+\w+)\s+(?:a|an|\d))")
WRITE_ANYWHERE = re.compile(
    r"""\b(?:(?:and|then|or|to|also|,|;)\s+(?:then\s+)?(?:delete|drop|truncate|erase|wipe|purge|overwrite|destroy|update|insert|remove)\s+(?!(?:all\s+|the\s+|any\s+)?(?:duplicate|double|null))(?:the|them|all|it|every|those|these|this|any|from|into|rows?|table|records?|\w+s)\b
    |drop\s+(?:table|database|schema|index|view)|delete\s+from|insert\s+into|update\s+\w+\s+set|truncate\s+table|alter\s+table|create\s+(?:table|database|user)|grant\s+\w+\s+on)\b
    |;\s*--|--\s*$|;\s*(?:drop|delete|update|insert)\b|\bunion\s+select\b|\bxp_cmdshell\b""",
    re.VERBOSE,
)
SECRET = re.compile(
    r"""\b(?:passwords?|passwd|pwd|credentials?|secrets?|api[\s_-]?keys?|access[\s_-]?tokens?|auth[\s_-]?tokens?|private[\s_-]?keys?|ssh[\s_-]?keys?|connection[\s_-]?strings?|
    environment[\s_-]?variables?|env[\s_-]?vars?|password[\s_-]?hash(?:es)?|cvv|bearer)\b|/etc/|\.env\b|~/\.|\$[A-Z_]{4,}|\.ssh\b""",
    re.VERBOSE,
)
# How a request says how to sign in at an API; the names are read elsewhere and mean nothing here.
NAMED = (
    r"(?:\$[A-Z][A-Z0-9_]+|\$?[A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|AUTH|BEARER)|X-[\w-]+|Authorization|"
    r"(?:api|access|auth)_(?:key|token))\b"
)
SIGNING_IN = re.compile(
    rf"""[,;.(]?\s*
    (?i:(?:and\s+)?(?:please\s+)?(?:using|use|with|via|authenticat\w+\s+(?:with|by|using|via)|(?:sign|log)(?:ing)?\s+in\s+(?:with|using)|send(?:ing)?|pass(?:ing)?)\s+)?
    (?i:(?:the|a|my|an|our)\s+)?
    (?i:bearer\s+token|api[\s_-]?key|access\s+token|token|key|basic\s+auth(?:entication)?|auth(?:entication|orization)?\s+(?:header|token))
    (?i:\s+(?:is|goes|from|in|into|stored|taken|lives|comes|found|the|environment|env|variable|held|header|query|parameter|as|for|named|called|param|and|value|under))*
    \s+{NAMED}
    (?:(?i:\s*,?\s*(?:and\s+)?(?:(?:the\s+)?(?:value|key|token)\s+)?(?:it\s+)?(?:is\s+)?(?:goes\s+)?(?:sent\s+)?(?:in|from|into|as|under)\s+(?:the\s+|a\s+)?
    (?:header\s+|environment\s+variable\s+|query\s+(?:parameter\s+)?|parameter\s+)?(?:named\s+|called\s+)?){NAMED})*
    (?i:\s+(?:request\s+)?(?:header|environment\s+variable|variable|query\s+parameter|parameter))?(?i:\s+and(?=\s))?\)?""",
    re.VERBOSE,
)
MACHINE = re.compile(
    r"""\b(?:run|execute|eval|exec|launch|spawn|invoke|call)\s+(?:the\s+|a\s+|this\s+|some\s+|following\s+|an?\s+)*(?:shell|command|script|code|program|os|bash|powershell|python|sql|system|binary|cmd|curl|wget|rm|ls|cat|subprocess)
    |\brm\s+-rf|\bsudo\b|\bcurl\s|\bwget\s|\bos\.system|\b__import__|\bsubprocess|\beval\(|\bexec\(|<script|\$\(|`[^`]*\b(?:rm|curl|cat|sh)\b[^`]*`|\bopen\s+a\s+(?:socket|shell|connection)
    |\b(?:read|open|print|show|cat|list|dump)\s+(?:me\s+)?(?:the\s+)?(?:local\s+)?(?:files?|contents?)\s+(?:of\s+|in\s+|on\s+|at\s+)?(?:/|~|the\s+(?:disk|server|file\s*system|machine|home))
    |\b(?:connect|post|send|upload|exfiltrate|forward|transmit|leak)\s+(?:\w+\s+){0,4}(?:to|at)\s+(?:https?:|an?\s+(?:external|remote|other)|\S+@\S+|my\s+(?:server|email)|\d+\.\d+)""",
    re.VERBOSE,
)
INJECTION = re.compile(
    r"""\b(?:ignore|disregard|forget|override|bypass|skip|disable|turn\s+off|circumvent)\s+(?:all\s+|any\s+|the\s+|your\s+|my\s+|previous\s+|prior\s+|above\s+|these\s+|every\s+|of\s+|safety\s+|earlier\s+)*
    (?:instructions?|rules?|prompts?|guidelines?|restrictions?|policy|policies|safety|checks?|gates?|guards?|guardrails?|limits?|sandbox|constraints?|permissions?|what\s+(?:you|i))
    |\byou\s+are\s+(?:now|a|an)\b|\bact\s+as\b|\bpretend\b|\bsystem\s+prompt\b|\bjailbreak|\bdeveloper\s+mode|\bas\s+an?\s+(?:admin|administrator|root|superuser)\b|\bescape\s+the\s+sandbox|\bwithout\s+(?:any\s+)?(?:checks|sandbox|restrictions)\b""",
    re.VERBOSE,
)
OPINION = re.compile(
    r"""^\s*(?:so\s+|and\s+|but\s+)?why\b|\bwhy\s+(?:is|are|did|do|does|was|were|has|have|do|our|the|we)\b|\bhow\s+come\b|\breasons?\s+(?:for|why|behind)\b|\bwhat\s+(?:causes?|caused|explains?|drives?|drove|led\s+to|makes)\b|\bbecause\s+of\s+what\b|\broot\s+cause
    |\b(?:predict|forecast|prediction|project(?:ed|ion)\s+(?:for|of)|extrapolate|estimate|anticipate|expected\s+(?:next|to)|likely\s+to|probability\s+(?:of|that)|chance\s+(?:of|that))\b
    |\bwill\s+(?:we|the|our|it|they|he|she|be|happen|sales|revenue|customers)\b|\b(?:next|coming|upcoming)\s+(?:month|year|quarter|week)(?:'s)?\s+(?:sales|revenue|demand|orders|figures|numbers)\b
    |\bshould\s+(?:we|i|they|he|she|our|the)\b|\brecommend|\bsuggest(?:ion)?s?\b|\badvise|\badvice\b|\bwhat\s+do\s+you\s+think|\byour\s+opinion|\bdo\s+you\s+(?:like|think|prefer)\b|\bis\s+it\s+(?:good|bad|fair|worth|wise)\b|\b(?:trustworthy|suspicious|fraudulent|happiest|nicest|prettiest|beautiful|smartest|laziest|friendliest|unhappy)\b
    |\bwhat\s+would\s+happen\b|\bwhat\s+if\b|\bhow\s+(?:can|could|do|should)\s+(?:we|i|you|they)\s+(?:improve|increase|reduce|make|fix|grow|get|stop|avoid)|\bhow\s+to\b|\bcorrelat|\btrain\s+a|\bcluster(?:s|ing)?\b|\bregression\b|\banomal(?:y|ies|ous)\b|\boutliers?\b|\bsentiment\b|\bsummari[sz]e\b|\btranslate\b
    |\b(?:write|compose|tell)\s+(?:me\s+)?an?\s+(?:poem|joke|story|email|letter|song|essay|haiku)|\bmeaning\s+of\s+life\b|\bplot\b|\bdraw\b|\bpie\s+chart|\bbar\s+chart|\bgraph\s+of\b""",
    re.VERBOSE,
)
OUTSIDE = re.compile(
    r"\b(?:who\s+are\s+you|weather\s+(?:tomorrow|today|forecast|in)|capital\s+of|president\s+of|stock\s+price\s+of|exchange\s+rate|latest\s+news|time\s+is\s+it|in\s+the\s+world|on\s+the\s+internet|wikipedia|google)\b"
)

FOREIGN = {
    "German": any_of(
        "der die das und mit fur aller alle zeige zeig wie viele welche ist sind kunden bestellungen umsatz "
        "pro nach nicht wo gib mir bitte aus einen liste summe ueber durchschnitt anzahl den dem von im "
        "letzten"
    ),
    "French": any_of(
        "le la les des du et avec pour par combien montre montrez quels quelles quelle est sont clients "
        "commandes chiffre moi une dans tous toutes nombre moyenne qui depuis dernier plus"
    ),
    "Spanish": any_of(
        "el los las del por cuantos cuantas muestra mostrar cuales que clientes pedidos ventas dame una con "
        "todos todas para cada promedio numero de en la lista mas ultimo"
    ),
    "Italian": any_of(
        "il lo gli della dei delle mostra mostrami quanti quante quali che clienti ordini per ogni tutti "
        "tutte con media numero elenco sono di"
    ),
    "Dutch": any_of(
        "het een van voor alle toon hoeveel welke zijn klanten bestellingen omzet per met niet geef mij "
        "gemiddelde aantal de"
    ),
    "Portuguese": any_of(
        "os das dos quantos quantas mostre mostrar quais clientes pedidos vendas por com todos todas media "
        "numero em cada"
    ),
    "Polish": any_of("pokaz wszystkie ile klientow zamowien jest sa z w dla kazdego"),
}
ENGLISH = any_of(
    "the of and show list how many what which all with for by in is are that to from where give find "
    "get each per total average number have who than over more not last between order top first "
    "highest most count sum on at"
)


def without_signing_in(text: str) -> str:
    """The request less what it says on authentication, which is for the connector."""
    return SIGNING_IN.sub(" ", text)


def refusal_of(text: str, lexicon: Lexicon) -> Refusal | None:
    """An honest no to what no column could answer; None when the request may be read on."""
    low = fold(text)
    if not re.search(r"\w", text):
        return Refusal("empty-request", "the request is empty; say what you want from the data")
    for pattern, rule, reason in (
        (INJECTION, "unsafe", "this asks to set rules aside; only questions about the data are answered"),
        (MACHINE, "unsafe", "this asks to run or reach something; only questions about the data are answered"),
        (WRITE, "unsafe", "this asks to change data or to act; sources are only read"),
        (WRITE_ANYWHERE, "unsafe", "this asks to change data; sources are only read"),
        (SECRET, "unsafe", "passwords, keys and other secrets are not given out"),
    ):
        found = pattern.search(low) or (pattern.search(text) if pattern is SECRET else None)
        if found and not (pattern is WRITE and GIVING.search(low)):
            return Refusal(rule, f"{reason} (at {found.group().strip()[:40]!r})")
    foreign = _language(low, text)
    if foreign:
        return Refusal("not-understood", f"the request seems to be in {foreign}; please ask in English")
    names = {w for known in lexicon.known.values() for w in known.words}
    for pattern, reason in (
        (
            OPINION,
            "this asks for a cause, a forecast, an opinion or a drawing; only what the data holds can be answered",
        ),
        (OUTSIDE, "this asks for something outside the data"),
    ):
        known = set() if pattern is OPINION else names
        found = next(
            (
                f
                for f in pattern.finditer(low)
                if f.group().strip() not in names
                and not known & set(f.group().split())
                and not _expected(f.group(), names)
            ),
            None,
        )
        if found:
            return Refusal("cannot-answer", f"{reason} (at {found.group().strip()[:40]!r})")
    return None


def _expected(said: str, names: set[str]) -> bool:
    """Whether "expected to" speaks of a column that holds what is expected."""
    return said.strip().startswith("expected") and "expected" in names


def _language(low: str, text: str) -> str:
    words = re.findall(r"[^\W\d_]+", low)
    letters = [c for c in text if c.isalpha()]
    if letters and sum(ord(c) > 0x2FF for c in letters) > len(letters) / 3:
        return "another script"
    english = sum(w in ENGLISH for w in words)
    for language, telling in FOREIGN.items():
        seen = sum(w in telling for w in words)
        if seen >= 2 and seen > english and seen >= len(words) / 4:
            return language
    return ""
