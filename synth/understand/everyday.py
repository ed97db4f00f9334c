"""How people write in a hurry, and what they say without meaning anything: short forms of general words, and idioms."""

from __future__ import annotations

import re
from functools import cache

from synth.understand.chatter import PURPOSES

# What stands for a general word where no column, table or value is called so.
SHORT = {
    "w": "with",
    "wth": "with",
    "n": "and",
    "r": "are",
    "u": "you",
    "ur": "your",
    "yr": "year",
    "yrs": "years",
    "mnth": "month",
    "mnths": "months",
    "mth": "month",
    "mths": "months",
    "mo": "month",
    "wk": "week",
    "wks": "weeks",
    "hr": "hour",
    "hrs": "hours",
    "mins": "minutes",
    "qtr": "quarter",
    "nr": "number",
    "nrs": "numbers",
    "num": "number",
    "nbr": "number",
    "cnt": "count",
    "pct": "percentage",
    "perc": "percentage",
    "tot": "total",
    "ttl": "total",
    "avrg": "average",
    "ave": "average",
    "med": "median",
    "btwn": "between",
    "betw": "between",
    "excl": "excluding",
    "exc": "excluding",
    "incl": "including",
    "ea": "each",
    "ppl": "people",
    "pers": "people",
    "whos": "who is",
    "whats": "what is",
    "wheres": "where is",
    "hows": "how is",
    "thru": "through",
    "til": "until",
    "till": "until",
    "gimme": "give me",
    "lemme": "let me",
    "wanna": "want to",
    "gonna": "going to",
    "wich": "which",
    "havent": "have not",
    "hasnt": "has not",
    "hadnt": "had not",
    "didnt": "did not",
    "dont": "do not",
    "doesnt": "does not",
    "isnt": "is not",
    "arent": "are not",
    "wasnt": "was not",
    "werent": "were not",
    "thats": "that is",
    "theres": "there is",
    "therere": "there are",
    "im": "i am",
    "weve": "we have",
    "ive": "i have",
    "tho": "",
    "etc": "",
    "kinda": "",
    "alot": "a lot",
    "jan": "january",
    "mon": "month",
    "tues": "tuesday",
    "yday": "yesterday",
    "tmrw": "tomorrow",
    "desc": "descending",
    "asc": "ascending",
    "grp": "group",
    "diff": "different",
    "dups": "duplicates",
    "vs": "versus",
    "approx": "",
    "addr": "address",
    "info": "",
    "pieces": "",
    "pcs": "",
}

# Idioms with no meaning for the data; each takes the place of nothing, or of the plain words beside it.
_FIGURE = r"(?:add up|sum up|sum|total|average|count)"
IDIOMS = (
    (
        r"^([\w ]+?) ((?:per|by|for each) [\w ]+?) \(([^()]*(?: x | \* | times |\u00d7)[^()]*)\)",
        r"total \3 \2",
    ),
    (
        r"^[^?.]*? ((?:per|by|for each) [\w ]+?)[?.!]+ (?:by that )?(?:i mean|meaning|that is|i\.e\.) ([^?.!]* times [^?.!]*)[?.!]*$",
        r"total \2 \1",
    ),
    (
        rf"\b({_FIGURE}),? ((?:for each|for every|per) [\w ]+?), (?:all )?(?:the )?([^,]+?)(?= in | for | where |,|[.?!]?$)",
        r"\1 \3 \2",
    ),
    (r"\b(\d+) (?:times|x) or (?:more|over|above)\b", r"at least \1 times"),
    (r"\b(\d+) (?:times|x) or (?:less|fewer)\b", r"at most \1 times"),
    (r"\b(?:of |have |has |had )?(\d+) (?:or more|or over|and more|plus)(?= [a-z])", r"at least \1"),
    (r"\b(?:of |have |has |had )?(\d+) (?:or less|or fewer)(?= [a-z])", r"at most \1"),
    (r"\b(less|more|fewer) (on hand|in stock|[a-z]+(?: [a-z]+)?) than (?:their|its|the|his|her) ", r"\2 \1 than "),
    (
        r"\b(?:from|between) (.?\d\S*(?: ?[\u20ac$\u00a3%])?) (?:until|till|up to|bis|through|-) (?=.?\d)",
        r"between \1 and ",
    ),
    (r"(?<=\d)\.(?=\d{3}(?:\D|$))(?![^?]*\d\.\d{1,2}\b)", ""),
    (r"\b(?:registered |entered |held )?(?:to|in|under|against) (?:their|his|her|its) (?:names?|credit|account)\b", ""),
    (r"\b(?:as (?:of|at) (?:now|today|this moment)|at present|to date|so far|up to now|until now)\b", ""),
    (
        r"\b(?:a|the) (?:quick |short |brief |full )?(?:rundown|overview|breakdown|summary|list|listing|picture) of\b",
        "",
    ),
    (r"\b(?:i|we) (?:only |just |really )*care (?:only |just )?(?:about|for)\b", "only"),
    (r"\b(?:i|we) (?:do not|don'?t) care about\b", "excluding"),
    (r"\b(?:do not|does not|don'?t|doesn'?t|should not|shouldn'?t) count(?: of course)?\b", "excluded"),
    (
        r"\b(?:of course|by the way|btw|fyi|in other words|that is to say|i guess|i think|i suppose|roughly speaking)\b",
        "",
    ),
    (r"\bexcepted\b|\bbeing ignored\b|\bdisregarded\b|\bleft aside\b", "excluded"),
    (r"\b(?:that|which|who) (?:show|shows|showed|turn|turns|turned|come|comes|came|crop|crops) up\b", "that occur"),
    (r"\b(?:that|which|who) (?:appear|appears|appeared)\b", "that occur"),
    (
        r"\b(?:appear|appears|appearing|found|seen|listed) (?:among|in|within|across) (?:the |these |those |our )",
        "of the ",
    ),
    (
        r"\beach (?:of them )?(?:only|just) once\b|\bno (?:doubles|duplicates|repeats)\b|\bwithout (?:doubles|repeats)\b",
        "distinct",
    ),
    (r"\b(?:biggest|largest|highest|best|top|most [a-z]+)(?: [a-z]+){0,2} (?:on|at) (?:the )?top\b", "highest first"),
    (r"\b(?:biggest|largest|highest) (?:number|value|amount|figure|one)s? (?:at )?first\b", "highest first"),
    (r"\b(?:smallest|lowest) (?:number|value|amount|figure|one)s? (?:at )?first\b", "lowest first"),
    (r"\b(?:write|put|note|add|print|give) (?:down )?(?:the )?names? of the (\w+)\b", r""),
    (r"\bfrom the most (\w+) down\b", r"most \1 first"),
    (r"\bin sum\b", "in total"),
    (r"\bcount ?\( ?\*? ?\)", "number of rows"),
    (
        r"\b(?:skip|skipping|ignore|ignoring|exclude|excluding|drop|dropping|omit|leave out|leaving out) (?:the |all |any )?"
        r"(?:rows|records|entries|lines|ones|those)? ?(?:without|with no|with missing|with empty|lacking|missing)"
        r" (?:a |an |the |any )?([\w ]+?)(?=[.,;!?]|$)",
        r"where \1 is not empty",
    ),
    (
        rf"^(?:for|regarding|re|concerning) (?:my|our|the|a|an|this|next|tomorrow'?s) (?:\w+ ){{0,2}}?(?:{PURPOSES})\s*:\s*",
        "",
    ),
    (r"\b(?:which|what) (?:part|share|proportion|fraction) in (?:percent|%|percentage)(?: of)?\b", "what percentage"),
    (r"\bw/(?!o\b)(?=\w)", "with "),
    (r"\bmin\.? (?=\d)", "at least "),
    (r"\bmax\.? (?=\d)", "at most "),
    (r"\bgroup by\b", "grouped by"),
    (r"\b(?:did|do|have|had|does|has) (\w+(?: \w+)?) (?:put in|clock(?:ed)? up|rack(?:ed)? up)\b", r"did \1 have"),
    (r"\b(?:put in|clock(?:ed)? up|rack(?:ed)? up)\b", ""),
    (r"\bup ?to ?date\b", ""),
)

# Verbs of handling: who handles what says nothing that the column and the value beside it do not.
HANDLING = frozenset(
    "organise organised organize organized arrange arranged host hosted schedule scheduled hiring hit hits "
    "write wrote written put log logged logging appear appears appeared use uses using enter entered file filed claim claimed "
    "submit submitted handle handled handling hold holds own owns carry carries make makes made book booked do does did get got "
    "associate associated correspond corresponds corresponding relate relates related pertaining display displayed feature features "
    "featured garner garnered totaling totalling mention mentioned describe described note noted reach reached achieve achieved "
    "obtain obtained receive received represent represents happen happens "
    "run runs ran keep keeps offer offers offered test tested issue issued list lists".split()
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(p, re.IGNORECASE), plain) for p, plain in IDIOMS)


def without_idioms(text: str) -> str:
    """The request with its idioms in plain words."""
    for pattern, plain in _patterns():
        text = pattern.sub(plain, text)
    return text
