"""Which column holds a value that the request names: "in Berlin", "cancelled", "German", "active"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from synth.plan import Column
from synth.request import ValueMatch
from synth.understand.columns import NO, YES, Known, Lexicon, is_flag, spelled_out
from synth.understand.vocabulary import COUNTRIES
from synth.understand.words import Token, any_of, lemma, normal, stem, words_of_name

LONGEST = 7
OPPOSITES = ("un", "in", "non", "not", "dis")
SPELLINGS = {
    "cancelled": "canceled",
    "canceled": "cancelled",
    "gray": "grey",
    "grey": "gray",
    "finished": "complete",
    "done": "completed",
}
PEOPLE = {
    "female": ("f", "female", "woman", "w"),
    "woman": ("f", "female", "woman", "w"),
    "lady": ("f", "female", "woman"),
    "girl": ("f", "female", "girl"),
    "male": ("m", "male", "man"),
    "man": ("m", "male", "man"),
    "guy": ("m", "male", "man"),
    "boy": ("m", "male", "boy"),
}
LIKE = {
    "finished": "done",
    "completed": "done",
    "complete": "done",
    "settled": "paid",
    "enabled": "active",
    "settle": "paid",
}
CONTRARY = {
    "open": "done",
    "pending": "done",
    "unfinished": "done",
    "incomplete": "done",
    "outstanding": "paid",
    "disabled": "active",
    "dormant": "active",
    "failed": "passed",
    "fail": "passed",
    "failing": "passed",
    "unsuccessful": "successful",
    "dead": "alive",
}
SWITCHED = {"disabled": "enabled", "off": "on", "inactive": "active", "excluded": "included", "missing": "present"}
LEVELS = {
    "warning": ("warn", "warning"),
    "warn": ("warn", "warning"),
    "error": ("err", "error"),
    "critical": ("crit", "critical"),
}


@dataclass(frozen=True)
class Held:
    """Stored spellings of one value in one column, the tokens that named it, and how well (1 is to the letter)."""

    known: Known
    stored: tuple[object, ...]
    length: int
    score: float
    negated: bool = False


@lru_cache(maxsize=1)
def countries() -> dict[str, tuple[str, ...]]:
    """Any name, adjective or code of a country → all of them."""
    found: dict[str, tuple[str, ...]] = {}
    for line in COUNTRIES.strip().splitlines():
        names = tuple(n.strip() for n in line.split("|")) if "|" in line else _split_names(line)
        for name in names:
            if len(name) > 2 or name in ("uk", "us"):
                found[name] = names
    return found


def names_countries(known: Known) -> bool:
    """Whether countries stand among its few values, whatever it is called: origin with USA, Japan and Europe."""
    values = known.field.vocabulary
    named = [v for v in values if normal(v) in countries()]
    return len(named) > 1 and 2 * len(named) >= len(values)


def _split_names(line: str) -> tuple[str, ...]:
    words = line.split()
    if words[0] in ("south", "united"):
        words = [" ".join(words[:2]), *words[2:]]
    return tuple(words)


def index_of(lexicon: Lexicon) -> dict[str, dict[Known, list[str]]]:
    """Each stored text value that is known, in its normal form → the columns and spellings. Kept with the lexicon."""
    if lexicon.values is None:
        index: dict[str, dict[Known, list[str]]] = {}
        for known in lexicon.known.values():
            if known.sort != "text" or is_flag(known.field):
                continue
            header = normal(known.field.name)
            for value in known.field.vocabulary or tuple(e for e in known.field.examples if isinstance(e, str)):
                # a header repeated among the rows is no value that one asks for
                if len(value) <= 80 and (key := normal(value)) != header:
                    index.setdefault(key, {}).setdefault(known, []).append(value)
        lexicon.values = index
    return lexicon.values


class Values:
    """Looks the words of a request up among the stored text values."""

    def __init__(self, lexicon: Lexicon, find: Callable[[str], Sequence[ValueMatch]]) -> None:
        self.lexicon = lexicon
        self.find = find
        self._index = index_of(lexicon)
        self._keys: list[str] | None = None
        self._asked: dict[str, tuple[ValueMatch, ...]] = {}

    @cached_property
    def _by_stems(self) -> dict[tuple[str, ...], list[str]]:
        """The values of two and three words, by the stems of these in any order."""
        found: dict[tuple[str, ...], list[str]] = {}
        for key in self._index:
            if key.count(" ") in (1, 2):
                found.setdefault(tuple(sorted(stem(w) for w in key.split())), []).append(key)
        return found

    def held_at(self, text: str, tokens: Sequence[Token], i: int, longest: int = LONGEST) -> list[Held]:
        """Columns that hold the words from token i on, as written or nearly; those of the longest span."""
        for n in range(min(longest, len(tokens) - i), 0, -1):
            span = tokens[i : i + n]
            if n > 1 and any(t.kind in ("comma", "quote") for t in span) and not _inside_value(span):
                continue
            if n > 1 and span[-1].kind == "comma":
                continue
            written = normal(text[span[0].start : span[-1].end])
            found = self._exact(written, n, text[span[0].start : span[-1].end]) or self._forms(span, n)
            if found:
                return found
        return []

    def _exact(self, written: str, n: int, said: str) -> list[Held]:
        """A name typed small ("price" for the town of Price) is a little less sure than one as stored."""
        if not written:
            return []
        small = said.islower()
        return [
            Held(k, tuple(v), n, 1.0 if not small or said in v or n > 1 else 0.98)
            for k, v in self._index.get(written, {}).items()
        ]

    def _forms(self, span: Sequence[Token], n: int) -> list[Held]:
        """Plural for singular, another spelling, a country's other names, a person's sex."""
        head = " ".join(t.low for t in span[:-1])
        last = span[-1].low
        found: list[Held] = []
        for other in dict.fromkeys((span[-1].lemma, last + "s", lemma(last) + "s", SPELLINGS.get(last, ""))):
            if other and other != last:
                key = f"{head} {other}".strip()
                found += [Held(k, tuple(v), n, 0.95) for k, v in self._index.get(normal(key), {}).items()]
        if found:
            return found
        phrase = normal(" ".join(t.low for t in span))
        names = countries().get(phrase) or countries().get(lemma(phrase))
        if names:
            found = self._among(
                names,
                n,
                lambda k: (
                    bool({"country", "nation", "nationality", "cc"} & set(k.words))
                    or k.field.meaning == "country"
                    or names_countries(k)
                ),
            )
        if not found and n == 1 and span[0].lemma in PEOPLE:
            found = self._among(PEOPLE[span[0].lemma], n, lambda k: bool({"gender", "sex"} & set(k.words)))
        if not found and n == 1 and span[0].lemma in LEVELS:
            found = self._among(LEVELS[span[0].lemma], n, lambda k: bool({"level", "severity"} & set(k.words)))
        if not found and n == 1 and len(last) > 4 and last.endswith("y"):
            # foggy, rainy, icy: the adjective of what is stored
            for noun in (last[:-1], last[:-2] if last[-2] == last[-3] else "", last[:-1] + "e"):
                found += [Held(k, tuple(v), n, 0.9) for k, v in self._index.get(noun, {}).items()] if noun else []
        if not found and n in (2, 3) and all(t.kind == "word" and len(t.low) > 2 for t in span):
            # "completed checkouts" for checkout_completed
            for key in self._by_stems.get(tuple(sorted(stem(t.low) for t in span)), ()):
                found += [Held(k, tuple(v), n, 0.9) for k, v in self._index[key].items()]
        if not found and n == 1 and len(last) > 4:
            root = stem(last)
            for key, held in self._index.items():
                if " " not in key and key[:3] == last[:3] and stem(key) == root:
                    found += [Held(k, tuple(v), n, 0.85) for k, v in held.items()]
        return found

    def _among(self, names: Sequence[str], n: int, fits: Callable[[Known], bool]) -> list[Held]:
        by_column: dict[Known, list[str]] = {}
        for name in names:
            for known, stored in self._index.get(normal(name), {}).items():
                if fits(known):
                    by_column.setdefault(known, []).extend(stored)
        return [Held(k, tuple(v), n, 0.9) for k, v in by_column.items()]

    def typo_at(self, tokens: Sequence[Token], i: int) -> list[Held]:
        """Values that one slip of the finger makes of this word."""
        word = tokens[i].low
        if len(word) < 5:
            return []
        from rapidfuzz import fuzz, process

        if self._keys is None:
            self._keys = list(self._index)
        hits = process.extract(word, self._keys, scorer=fuzz.ratio, score_cutoff=85, limit=2)
        if not hits or hits[0][0][:1] != word[:1] or (len(hits) > 1 and hits[1][1] == hits[0][1]):
            return []
        return [Held(k, tuple(v), 1, 0.75) for k, v in self._index[hits[0][0]].items()]

    def asked(self, text: str, tokens: Sequence[Token], i: int, n: int) -> list[Held]:
        """The same from the whole source, for a span that no vocabulary holds."""
        words = text[tokens[i].start : tokens[i + n - 1].end]
        if words not in self._asked:
            self._asked[words] = tuple(self.find(words))
        by_column: dict[Known, list[str]] = {}
        exact: dict[Known, bool] = {}
        for match in self._asked[words]:
            known = self.lexicon.known.get(Column(match.table, match.field))
            if known is None or known.sort != "text" or normal(match.value) != normal(words):
                continue
            by_column.setdefault(known, []).append(match.value)
            exact[known] = exact.get(known, False) or match.exact
        return [Held(k, tuple(dict.fromkeys(v)), n, 1.0 if exact[k] else 0.95) for k, v in by_column.items()]

    def in_column(self, known: Known, words: str) -> tuple[str, ...]:
        """The stored spellings in that column that equal the words but for case, accents and marks."""
        stored = self._index.get(normal(words), {}).get(known)
        if stored:
            return tuple(stored)
        names = countries().get(normal(words))
        if names and ({"country", "nation", "nationality"} & set(known.words) or known.field.meaning == "country"):
            return tuple(v for name in names for v in self._index.get(normal(name), {}).get(known, ()))
        if normal(words) in PEOPLE and {"gender", "sex"} & set(known.words):
            return tuple(v for name in PEOPLE[normal(words)] for v in self._index.get(normal(name), {}).get(known, ()))
        single, other = normal(words), SPELLINGS.get(normal(words), "")
        for form in (lemma(single), single + "s", other):
            stored = self._index.get(form, {}).get(known) if form else None
            if stored:
                return tuple(stored)
        return ()

    def near_in_column(self, known: Known, words: str) -> tuple[str, ...]:
        """Stored values of the column that are most like the words."""
        from rapidfuzz import fuzz, process

        hits = process.extract(
            words, known.field.vocabulary, processor=normal, scorer=fuzz.ratio, score_cutoff=75, limit=3
        )
        return tuple(h[0] for h in hits)

    def flag_at(self, tokens: Sequence[Token], i: int) -> list[Held]:
        """Yes-or-no columns called by the adjective at token i ("active", "inactive", "non-stop"), with the value it means."""
        found: list[Held] = []
        for known in self.lexicon.known.values():
            if not is_flag(known.field):
                continue
            for telling in self._flag_names(known):
                named = _flag_named(tokens, i, telling)
                if named is not None:
                    truth, length, score = named
                    found.append(Held(known, flag_values(known, truth), length, score))
                    break
        return sorted(found, key=lambda h: (-h.length, -h.score))

    def _flag_names(self, known: Known) -> list[tuple[str, ...]]:
        """Under which words a yes-or-no column is an adjective: of its whole name, less its table's noun, or of its last step."""
        telling = tuple(w for w in known.words if w not in any_of("is has was flag did be"))
        names = [telling]
        if len(telling) == 2 and telling[0] == self.lexicon.table_words[known.column.table][-1]:
            names = [telling[1:], telling]
        if "." in known.field.name:
            last = spelled_out(words_of_name(known.field.name.rpartition(".")[2]))
            names.append(tuple(w for w in last if w not in any_of("is has was flag did be")))
        return [n for n in dict.fromkeys(names) if n]


def _flag_named(tokens: Sequence[Token], i: int, telling: tuple[str, ...]) -> tuple[bool, int, float] | None:
    """Yes or no, by how many words, and how well, where the words at i say that adjective or its opposite."""
    n = len(telling)
    if not tokens[i].low.isalpha() and spelled_out(words_of_name(tokens[i].low)) == telling:
        return True, 1, 1.0
    span = [t.low for t in tokens[i : i + n]]
    if len(span) == n <= 3:
        if all(stem(a) == stem(b) for a, b in zip(span, telling, strict=True)):
            return True, n, 1.0 if tuple(span) == telling else 0.9
        turned = [*span[1:], span[0]]
        ways = (span, turned) if n == 2 and (turned[-1].endswith("ed") or telling[-1].endswith("ed")) else (span,)
        for way in ways if n > 1 else ():
            # "enabled MFA", "MFA disabled", "auto-renew off"
            if all(stem(a) == stem(b) for a, b in zip(way[:-1], telling[:-1], strict=True)):
                if stem(way[-1]) == stem(telling[-1]):
                    return True, n, 0.9
                if stem(SWITCHED.get(way[-1], "")) == stem(telling[-1]) or _opposite(way[-1], telling[-1]):
                    return False, n, 0.9
    if n > 1:
        return None
    word, name = tokens[i].low, telling[0]
    if word.endswith("ly") and stem(word[:-2]) == stem(name):
        return True, 1, 0.9
    if stem(LIKE.get(word, "")) == stem(name):
        return True, 1, 0.9
    if stem(CONTRARY.get(word, "")) == stem(name):
        return False, 1, 0.9
    score = _opposite(word, name)
    return (False, 1, score) if score else None


def _opposite(word: str, name: str) -> float:
    """How well the word is the opposite of the name: inactive of active, and active of inactive."""
    for before in OPPOSITES:
        if word.startswith(before) and stem(word[len(before) :]) == stem(name):
            return 0.95
        if name.startswith(before) and len(before) > 1 and stem(name[len(before) :]) == stem(word):
            return 0.85
    return 0.0


def flag_values(known: Known, wanted: bool) -> tuple[object, ...]:
    """How the column spells yes or no; a bool column spells it itself."""
    if known.field.type == "bool":
        return (wanted,)
    spelled = YES if wanted else NO
    stored = tuple(v for v in known.field.vocabulary if v.strip().casefold() in spelled)
    if stored:
        return stored
    if known.sort == "number":
        return (1 if wanted else 0,)
    return ("yes" if wanted else "no",)


def _inside_value(span: Sequence[Token]) -> bool:
    return all(t.kind != "quote" for t in span) and len(span) <= 5
