"""Words: a request cut into tokens, names cut into words, and the forms under which two words count as the same."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

CONTRACTIONS = (
    (r"\bcan(?:no|['’])t\b", "can not"),
    (r"\bwon['’]t\b", "will not"),
    (r"\b(\w+)n['’]t\b", r"\1 not"),
    (r"\b(what|who|where|when|how|that|there|it|here|let)['’]s\b", r"\1 is"),
    (r"\b(i|we|you|they)['’](?:d|ll|ve|re|m)\b", r"\1"),
    (r"(\w)['’]s\b", r"\1"),
    (r"(\w)s['’](?=\s|$)", r"\1s"),
    (r"\b(what|who|where)s\b(?= )", r"\1 is"),
    (r"\b(?:that )?(?:nobody|no[ -]?one) (?:has |have |had |was )?(?:ever )?(?=\w+(?:ed|en|ght)\b)", "never "),
    (r"\b(?:at the moment|right now)\b", "currently"),
    (r"\be-mail", "email"),
    (r"\bhead ?count(?: of (?:employees|staff))?\b", "number of employees"),
    (r"\bvs\.?(?=\s)|\bversus\b", "versus"),
    (r"\bsign(?:ed)?[- ]up\b", "signup"),
    (r"\bcheck(?:ed)?[- ]out\b", "checkout"),
    (r"\bn/a\b", "missing"),
    (r"\bw/o\b", "without"),
    (r"\bno\.\s+of\b", "number of"),
    (r"(?<=\w) ?\(e?s\)", ""),
    (r"#\s?of\b", "number of"),
    (r"\b(first|last)(?: names?)? and (last|first) names?\b", r"\1 name and \2 name"),
    (r"\b([1-5]\d\d)s\b", r"\1 errors"),
    (r"\b([1-5])xx\b", r"between \g<1>00 and \g<1>99"),
    (r"\b(at least|more than|less than|fewer than|at most|exactly) once\b", r"\1 1 times"),
    (r"\b(at least|more than|less than|fewer than|at most|exactly) twice\b", r"\1 2 times"),
    (r"\b(less|more|fewer|higher|lower|older|longer) then\b", r"\1 than"),
    (r"\bwich\b", "which"),
    (r"\bsep[ae]r[ae]tely\b", "separately"),
    (r"\bpl[sz]\b", "please"),
    (r"\bw/(?=\s)", "with"),
    (r"\b(home|away) and (away|home) (teams?|goals?)\b", r"\1 \3 and \2 \3"),
)

TOKEN = re.compile(
    r"""
    (?P<quote>"[^"]+"|“[^”]+”|„[^“”]+[“”]|‘[^’]+’|«[^»]+»|`[^`]+`|(?<!\w)'[^']+'(?!\w))
  | (?P<literal>[\w.+-]+@[\w-]+\.[\w.-]*\w|https?://\S*[\w/]|(?<![\w])/[\w./%-]+\w/?|\d{1,3}(?:\.\d{1,3}){3}(?!\d))
  | (?P<date>\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[T\ ]\d{1,2}:\d{2}(?::\d{2})?Z?)?(?![\d])|\d{4}-\d{2}(?![\d-])|\d{1,2}[./]\d{1,2}[./]\d{4})
  | (?P<time>\d{1,2}:\d{2}(?::\d{2})?(?![\d:]))
  | (?P<number>(?:(?<![\w.)])-)?(?:\d{1,3}(?:[,\u00a0\u202f']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d]))
  | (?P<word>[^\W\d_]+(?:\d+(?![\d.,]*\s*%))?)
  | (?P<comma>[,;:\u2013\u2014()]|\s-\s)
  | (?P<symbol>>=|<=|!=|<>|==|=>|[<>=≥≤≠%€$£¥°\#*×/+&])
    """,
    re.VERBOSE,
)

MARKS = {ord(mark): " " for mark in "-_/.,'’&()"}
CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

IRREGULAR = {
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "feet": "foot",
    "statuses": "status",
    "series": "series",
    "species": "species",
    "data": "data",
    "indices": "index",
    "analyses": "analysis",
    "diagnoses": "diagnosis",
    "addresses": "address",
    "bus": "bus",
    "gas": "gas",
    "movies": "movie",
    "lives": "live",
    "news": "news",
    "sales": "sale",
    "aliases": "alias",
    "aged": "age",
    "totalling": "total",
    "totaling": "total",
    "paid": "pay",
    "sold": "sell",
    "bought": "buy",
    "spent": "spend",
    "made": "make",
    "born": "birth",
    "sent": "send",
    "left": "leave",
    "took": "take",
    "gave": "give",
    "drove": "drive",
    "taken": "take",
    "written": "write",
    "wrote": "write",
}


# Forms of verbs, which have no singular.
VERBS_GONE_BY = frozenset("paid sold bought spent made born sent left took taken gave drove written wrote".split())


@dataclass(frozen=True)
class Token:
    """One word, number, date, quoted text or mark of the request. `low` is folded; `lemma` its singular; `start` and `end` are
    places in the text, so that spelled-out values can be compared as written."""

    text: str
    kind: Literal["quote", "literal", "date", "time", "number", "word", "comma", "symbol"]
    low: str
    lemma: str
    start: int
    end: int


@lru_cache(maxsize=2000)
def any_of(line: str) -> frozenset[str]:
    """The words of a line, to look one up in."""
    return frozenset(line.split())


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@lru_cache(maxsize=20_000)
def lemma(word: str) -> str:
    """The singular of a folded noun; other words stay as they are."""
    if word in IRREGULAR and word not in VERBS_GONE_BY:
        return IRREGULAR[word]
    if word in ("ids", "ips", "pcs", "kgs", "hrs"):
        return word[:-1]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "ous")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A rough root that brings the forms of a verb together: ordered, ordering, orders → order; hired → hir; hire → hir."""
    if word in ("used", "using", "uses"):
        return "use"
    base = IRREGULAR.get(word, lemma(word))
    for ending in ("ing", "ed"):
        if base.endswith(ending) and len(base) - len(ending) >= 3:
            base = base[: -len(ending)]
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "ls":
                base = base[:-1]
            break
    if base.endswith("e") and len(base) > 3:
        base = base[:-1]
    return base[:-1] + "i" if base.endswith("y") and len(base) > 3 else base


def tokens_of(text: str) -> tuple[str, list[Token]]:
    """The text with its contractions undone, and its tokens."""
    for pattern, plain in CONTRACTIONS:
        text = re.sub(pattern, plain, text, flags=re.IGNORECASE)
    tokens: list[Token] = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        piece = match.group()
        if kind == "quote":
            inner = piece[1:-1].strip()
            tokens.append(Token(inner, "quote", fold(inner), fold(inner), match.start() + 1, match.end() - 1))
        elif kind == "word":
            tokens.extend(_words_of(piece, match.start()))
        else:
            assert kind in ("literal", "date", "time", "number", "comma", "symbol")
            low = fold(piece)
            tokens.append(Token(piece, kind, low, low, match.start(), match.end()))  # type: ignore[arg-type]  # narrowed above
    return text, tokens


def _words_of(piece: str, start: int) -> list[Token]:
    """CamelCase in a request is a column's name typed as it stands; other words stay whole."""
    if re.search(r"[a-z][A-Z]", piece) and len(piece) > 4:
        found = [(m.group(), start + m.start(), start + m.end()) for m in CAMEL.finditer(piece)]
    else:
        found = [(piece, start, start + len(piece))]
    return [Token(text, "word", fold(text), lemma(fold(text)), a, b) for text, a, b in found]


@lru_cache(maxsize=20_000)
def words_of_name(name: str) -> tuple[str, ...]:
    """The folded words of a column's or table's name: `orderDate`, `order_date`, `Order Date` → order, date."""
    words: list[str] = []
    # "developer(s)" is one word
    for part in re.split(r"[^\w]+|_+", re.sub(r"(?<=\w) ?\(e?s\)", "", name[:200])):
        if not part:
            continue
        if part.isascii():
            words.extend(w.lower() for w in CAMEL.findall(part)) if not part.isupper() else words.append(part.lower())
        else:
            words.append(fold(part))
    return tuple(words)


def normal(text: str) -> str:
    """The form in which stored values and the words of a request are compared: folded, marks as spaces."""
    return " ".join(fold(text).translate(MARKS).split())


def spelled(name: str) -> str:
    """A plain lower_snake word for an output, or the name itself where nothing plain is left of it."""
    words = [re.sub(r"\W+", "", w) for w in words_of_name(name)]
    joined = "_".join(w for w in words if w)
    return f"_{joined}" if joined[:1].isdigit() else joined or name
