"""The lexicon of a schema: under which words each column and each table may be called."""

from __future__ import annotations

import re
import weakref
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice
from typing import Literal

from synth.plan import Column
from synth.schema import Field, Schema, Table
from synth.understand.contracted import contracted
from synth.understand.short_forms import clipped
from synth.understand.vocabulary import ABBREVIATIONS, ALSO, ROWS, SAME, UNIT_WORDS
from synth.understand.words import Token, any_of, fold, lemma, stem, words_of_name

Sort = Literal["number", "date", "text", "flag", "other"]

LONGEST = 6
PLAIN = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
EDGES = any_of("the a an of in on at to by for and or is are was were")
TRAILING = any_of("amount value level total count reading rate size percent minute second hour sold ordered shipped")
BEGINNINGS = any_of("created placed ordered opened started issued registered joined booked date")
HAPPENINGS = ("al", "ure", "ion", "ment", "ing")
DATE_WORDS = any_of("date time at on day timestamp datetime when")
LABELS = ("name", "title", "label", "full name", "description")
IDENTIFIERS = any_of("id code number key uuid sku isbn no identifier")
MISSING = any_of("na n/a #n/a nan null nil - -- --- ? .")
YES = any_of("yes y true t 1")
NO = any_of("no n false f 0")

# What may be said behind a column's name without being part of it.
TAILS = any_of("code name value number type level kind class column field address score")

# Figures that add up over rows, and figures that do not.
ADDITIVE = any_of(
    "amount total revenue sale turnover quantity units sold profit cost spend spent spending byte "
    "size goal points count subtotal tax shipping freight distance rainfall precipitation rain loss "
    "gain volume expense fee tip pay payment passenger minutes hours visits clicks impressions views "
    "donation donations energy consumption kwh mwh conversion click impression payout bonus fine fines budget case death discount "
    "assist win draw defeat unit income population"
)
BEFALLEN = any_of("hit hurt sold lost won bought sent made taken given kept left paid held born shown")
# What has a least and a most in the course of time.
LEVELS = any_of("temperature price value humidity wind salary age speed pressure score grade level temp stock balance")
COUNTED = any_of("day month night week unit cup visit credit hour conversion click")
NOT_ADDITIVE = any_of(
    "price salary wage rate rating score age temperature humidity pressure percent year latitude "
    "longitude balance stock average median minimum maximum speed level grade height weight index "
    "rank month day hour margin magnitude depth latency unit_price"
)


def sort_of(field: Field) -> Sort:
    """What its values can take part in."""
    kind = field.type
    if kind == "bool":
        return "flag"
    if kind.startswith(("int", "uint", "double", "float", "half", "decimal")):
        return "number"
    if kind.startswith(("date", "timestamp")):
        return "date"
    if kind.startswith(("string", "large_string", "utf8", "dictionary", "large_utf8")):
        return "text"
    return "other"


def is_flag(field: Field) -> bool:
    """Only says yes or no, however it is stored."""
    if field.type == "bool":
        return True
    if field.vocabulary and len(field.vocabulary) <= 4:
        words = {v.strip().casefold() for v in field.vocabulary} - {""}
        return bool(words) and words <= YES | NO and len(words) <= 2
    return field.meaning == "flag"


@dataclass(frozen=True, eq=False)
class Known:
    """A column with the words of its name, abbreviations spelled out, and what its values are."""

    column: Column
    field: Field
    words: tuple[str, ...]
    sort: Sort

    @property
    def additive(self) -> bool | None:
        """Whether a sum over rows makes sense; None when its name does not tell."""
        words = set(self.words)
        raw = words_of_name(self.field.name)[-1:]
        if self.counts and (self.words[-1] in COUNTED or raw == (self.words[-1],)):
            return True
        if self.words[-2:] == ("on", "hand") or (words & {"value"} and words & {"usd", "eur", "gbp", "chf"}):
            return True
        if words & NOT_ADDITIVE or (self.field.unit == "%" or self.field.meaning == "percent"):
            return False
        if self.identifier:
            return False
        if words & ADDITIVE or self.field.meaning == "currency":
            return True
        return None

    @property
    def counts(self) -> bool:
        """Named in the plural, like things counted: days, cups, visits, bedrooms."""
        words = words_of_name(self.field.name)
        if self.sort != "number" or not words or self.identifier:
            return False
        # "customers_hit", "seats_used": things in the plural to which something happened
        befallen = len(words) == 2 and (words[1].endswith("ed") or words[1] in BEFALLEN)
        return words[-1] != lemma(words[-1]) or (befallen and words[0] != lemma(words[0]))

    @property
    def lists(self) -> bool:
        """Whether each value is a list."""
        return self.field.type.startswith(("list<", "large_list<", "fixed_size_list<"))

    @property
    def identifier(self) -> bool:
        """Names a thing rather than measures it."""
        return bool(self.words) and (
            self.words[-1] in IDENTIFIERS
            and (self.field.type.startswith(("int", "uint", "string")) and len(self.words) > 0)
        )


def holds_years(known: Known) -> bool:
    """Whether all of its values are whole numbers that look like years of our time."""
    least, most = known.field.least, known.field.most
    whole = isinstance(least, int) and isinstance(most, int)
    return known.sort == "number" and whole and not known.identifier and least >= 1700 and most <= 2100  # type: ignore[operator]  # whole


def ends_in_minutes(words: tuple[str, ...]) -> bool:
    """Whether a name that ends in "min" means minutes, as wait_min does, and not the least, as temp_min does."""
    return not set(words) & LEVELS


def missing_marks(field: Field) -> tuple[str, ...]:
    """The stored texts that say that there is none: NA, n/a, a dash. Among codes of two letters NA is one of them."""
    marks = tuple(v for v in field.vocabulary if v.strip().casefold() in MISSING)
    others = [v for v in field.vocabulary if v not in marks]
    codes = bool(others) and all(len(v) == 2 and v.isupper() for v in others)
    return () if codes or not others else marks


def holds_codes(known: Known) -> bool:
    """Whether each row has a short mark of its own, in capitals or digits: AA, 9E, JFK."""
    field = known.field
    marks = field.vocabulary or tuple(e for e in field.examples if isinstance(e, str))
    unique = field.values > 1 and field.distinct == field.values - field.nulls
    return unique and bool(marks) and all(2 <= len(m) <= 4 and m.isalnum() and m == m.upper() for m in marks)


@dataclass(frozen=True)
class ColumnMatch:
    """Words of the request that may name this column: how many tokens, and how well (1 is to the letter)."""

    known: Known
    score: float
    length: int


@lru_cache(maxsize=1)
def synonyms() -> dict[str, tuple[str, ...]]:
    """Each word with those that may stand for it."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in SAME.strip().splitlines():
        words = line.split()
        for word in words:
            found[word].extend(w for w in words if w != word and w not in found[word])
    for word, others in ALSO.items():
        found[word].extend(o for o in others if o not in found[word])
    return {w: tuple(o) for w, o in found.items()}


@lru_cache(maxsize=20_000)
def spelled_out(words: tuple[str, ...]) -> tuple[str, ...]:
    """Abbreviations replaced and plurals undone."""
    out: list[str] = []
    for word in words:
        full = ABBREVIATIONS.get(word)
        out.extend(lemma(w) for w in full.split()) if full else out.append(lemma(word))
    return tuple(out)


class Lexicon:
    """The words for everything in one schema. Built once for a schema; `lexicon_of` keeps it."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.known: dict[Column, Known] = {}
        self.of_table: dict[str, list[Known]] = {}
        self.table_words: dict[str, tuple[str, ...]] = {}
        self.events: dict[str, list[Known]] = defaultdict(list)
        self._index: dict[tuple[str, ...], dict[Known, float]] = defaultdict(dict)
        self._nouns: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        self._words: dict[str, set[str]] = {}
        self.values: dict[str, dict[Known, list[str]]] | None = None
        for table in schema.tables:
            self._add_table(table)
        self._name_keys()
        self.all_words = {w for k in self.known.values() for w in k.words}
        self.all_words |= {w for words in self.table_words.values() for w in words}
        self._peculiar = self._peculiar_names()
        self._joined = {"".join(k): k for k in self._index}
        self._names = [k for k in self._joined if len(k) >= 4]
        self._whole: dict[str, list[Known]] = defaultdict(list)
        for known in self.known.values():
            self._whole["".join(words_of_name(known.field.name))].append(known)
        self._contractions = tuple(self._whole)

    def _add_table(self, table: Table) -> None:
        words = spelled_out(tuple(w for w in words_of_name(table.name) if not w.isdigit()))
        words = tuple(w for w in words if w not in any_of("tbl table dim fact csv public dbo")) or words
        self.table_words[table.name] = words
        for n in range(len(words)):
            self._add_noun(words[n:], table.name, 1.0 if n == 0 else 0.85)
        if len(words) > 1:
            self._add_noun(("".join(words),), table.name, 0.95)
        if words and words[-1].endswith("ment") and len(words[-1]) > 8:
            # "deploys" for deployments
            self._add_noun((words[-1].removesuffix("ment"),), table.name, 0.8)
        self._add_noun((fold(table.name),), table.name, 1.0)
        known = []
        for each in table.fields:
            one = Known(Column(table.name, each.name), each, spelled_out(words_of_name(each.name)), sort_of(each))
            known.append(one)
            self.known[one.column] = one
            self._add_field(one, words)
        self.of_table[table.name] = known
        self._name_codes(known, words)
        self._words[table.name] = {w for k in known for w in k.words}

    def _name_codes(self, columns: list[Known], noun: tuple[str, ...]) -> None:
        """ "Airlines with their codes", where no column is called code and one holds a short mark in capitals for each row."""
        if any("code" in k.words for k in columns):
            return
        coded = [k for k in columns if k.sort == "text" and holds_codes(k)]
        if len(coded) == 1:
            self._form(("code",), coded[0], 0.85)
            self._form((*noun[-1:], "code"), coded[0], 0.85)

    def _name_keys(self) -> None:
        """ "Ids of readers" are the readers' own, and not those of the loans that point at them."""
        for table, words in self.table_words.items():
            key = self.key(table)
            if len(key) != 1 or not words:
                continue
            own = self.known[key[0]]
            for form in [
                f for f in self._index if len(f) == 3 and f[1] == "of" and f[0] in own.words and f[2] == words[-1]
            ]:
                self._index[form] = {own: 1.0}

    def _add_noun(self, words: tuple[str, ...], table: str, score: float) -> None:
        self._nouns[words][table] = max(score, self._nouns[words].get(table, 0))
        for other in (*synonyms().get(words[-1], ()), *(("line",) if words[-1] == "item" and len(words) > 1 else ())):
            if other in ADDITIVE or other in NOT_ADDITIVE:
                continue
            key = (*words[:-1], other)
            self._nouns[key][table] = max(score - 0.2, self._nouns[key].get(table, 0))

    def _form(self, words: Sequence[str], known: Known, score: float) -> None:
        key = tuple(words)
        if len(key) == 1 and key[0] in EDGES and score < 0.99:
            # "on" and "at" at the end of a name are no name of it
            return
        if key and score > self._index[key].get(known, 0):
            self._index[key][known] = score

    def _add_field(self, known: Known, noun: tuple[str, ...]) -> None:
        raw = tuple(lemma(w) for w in words_of_name(known.field.name))
        words = known.words
        self._form(raw, known, 1.0)
        self._form(words, known, 0.99)
        core = words
        for count in (len(noun), 1):
            own = noun[-count:] if noun else ()
            if own and core[: len(own)] == own and len(core) > len(own):
                core = core[len(own) :]
                self._form(core, known, 0.96)
                break
        if len(core) > 2 and core[-1] in ("2", "3") and core[-2] in UNIT_WORDS:
            core = core[:-2]
            self._form(core, known, 0.95)
        last = words_of_name(known.field.name)[-1:]
        if (
            len(core) > 1
            and known.sort == "number"
            and not (last == ("min",) and not ends_in_minutes(words))
            and (core[-1] in UNIT_WORDS or (last and (last[0] in UNIT_WORDS or lemma(last[0]) in UNIT_WORDS)))
        ):
            core = core[:-1]
            self._form(core, known, 0.95)
        if len(core) > 1 and core[-1] in ("in", "per") and known.sort == "number":
            # weight_in_lbs is a weight
            core = core[:-1]
            self._form(core, known, 0.95)
        if len(core) > 1 and core[-1] in TRAILING and known.sort == "number":
            self._form(core[:-1], known, 0.8)
        if len(core) > 1 and core[0] in ("is", "has", "was", "did"):
            core = core[1:]
            self._form(core, known, 0.95)
        if noun and not is_flag(known.field):
            self._form((noun[-1], *core), known, 0.97)
        if len(core) > 2 and known.sort != "date":
            # "the score of the home team", "the home team scored" for home_team_score
            self._form((core[-1], "of", *core[:-1]), known, 0.94)
        if len(core) > 2 and core[-1] == "score":
            self._form((*core[:-1], "scored"), known, 0.93)
        if "of" in core:
            self._form([w for w in core if w != "of"], known, 0.95)
        if len(core) == 2:
            if core[1] != "number":
                self._form((core[1], "of", core[0]), known, 0.95)
            # temp_min is to the letter "minimum temperature"
            extreme = len({"minimum", "maximum", "average", "median"} & set(core)) == 1
            self._form((core[1], core[0]), known, 0.96 if extreme else 0.85)
            if known.sort == "date":
                self._form((core[1], core[0] + "ed"), known, 0.9)
        if known.sort == "date":
            self._add_date(known, core)
            self._date_of_rows(known, noun)
        if len(core) > 1 and core[-1] in IDENTIFIERS:
            for word in ("id", "number", "code", "no"):
                self._form((*core[:-1], word), known, 0.93 if word != core[-1] else 0.99)
            self._form(core[:-1], known, 0.78)
        elif len(core) > 1 and core[-1] in ("name", "title", "label"):
            self._form(core[:-1], known, 0.82)
        for n in range(1, len(core)):
            self._form(core[n:], known, 0.85 - 0.02 * n)
        for n in range(len(core) - 1, 1, -1):
            self._form(core[:n], known, 0.7)
        if 3 <= len(words) <= 5:
            # "customer city" for customer.address.city: steps of a path may be left out
            for n in range(2, len(words)):
                for kept in combinations(words[:-1], n - 1):
                    self._form((*kept, words[-1]), known, 0.9)
        self._form(("".join(raw),), known, 0.97)
        comment = spelled_out(words_of_name(known.field.comment)) if known.field.comment else ()
        if 0 < len(comment) <= 4:
            self._form(comment, known, 0.9)

    def _add_date(self, known: Known, core: tuple[str, ...]) -> None:
        telling = [w for w in core if w not in DATE_WORDS]
        for word in telling:
            self.events[stem(word)].append(known)
        if telling:
            for generic in ("date", "time", "at", "on", "timestamp"):
                self._form((*telling, generic), known, 0.93)
                self._form((generic, *telling), known, 0.9)
            self._form(("date", "of", *telling), known, 0.93)
            if core[-1] in ("at", "on", "ts") or len(core) == 1:
                self._form(telling, known, 0.94)
            elif telling[-1].endswith(HAPPENINGS):
                self._form(telling, known, 0.82)
            self._form(("date",), known, 0.8)
            if known.field.type.startswith("timestamp"):
                self._form(("time",), known, 0.8)
        else:
            for generic in ("date", "time", "timestamp", "day", "datetime"):
                moment = generic in ("time", "timestamp", "datetime") and not known.field.type.startswith("timestamp")
                # a day is asked for its time only where no moment is there
                self._form((generic,), known, 0.95 if (generic,) == core else 0.75 if moment else 0.85)

    def _date_of_rows(self, known: Known, noun: tuple[str, ...]) -> None:
        """ "Order date" for orders.placed_at: the date with which a row begins goes before the others."""
        if noun and known.sort == "date":
            begins = bool(set(known.words) & BEGINNINGS)
            for generic in ("date", "day"):
                self._form((noun[-1], generic), known, 0.9 if begins else 0.84)

    def _peculiar_names(self) -> list[tuple[str, list[Known]]]:
        """Names that are more than words ("area_m2", "Betrag (EUR)", "orders.total"), longest first."""
        found: dict[str, list[Known]] = {}
        for known in self.known.values():
            own = known.field.name
            steps = own.split(".")
            ends = [".".join(steps[n:]) for n in range(1, len(steps))]
            for name in (own, f"{known.column.table}.{own}", *ends):
                if 2 < len(name) < 200 and not PLAIN.fullmatch(name) and re.search(r"[^\W\d_]", name):
                    found.setdefault(name.lower(), []).append(known)
        return sorted(found.items(), key=lambda pair: -len(pair[0]))

    # -- looking up --

    def with_names(self, text: str, tokens: list[Token]) -> list[Token]:
        """The tokens, those that spell a peculiar name to the letter made one."""
        low = text.lower()
        if not self._peculiar or len(low) != len(text):
            return tokens
        for sought, meant in self._peculiar:
            at = low.find(sought)
            while at >= 0:
                end = at + len(sought)
                if not (_glued(low, at - 1, at) or _glued(low, end - 1, end)):
                    inside = [t for t in tokens if at <= t.start and t.end <= end and t.kind != "quote"]
                    across = [t for t in tokens if t.start < end and at < t.end and t not in inside]
                    if inside and not across and (len(inside) > 1 or inside[0].kind != "word"):
                        place = tokens.index(inside[0])
                        key = fold(sought)
                        for known in meant:
                            self._form((key,), known, 1.0)
                        one = Token(text[at:end], "word", key, key, at, end)
                        tokens = [*tokens[:place], one, *tokens[place + len(inside) :]]
                at = low.find(sought, end)
        return tokens

    def matches_at(self, tokens: Sequence[Token], i: int) -> list[ColumnMatch]:
        """The columns that the words from token i on may name: those of the longest span, best first."""
        for n in range(min(LONGEST, len(tokens) - i), 0, -1):
            span = tokens[i : i + n]
            if n > 1 and (span[0].low in EDGES or span[-1].low in EDGES) and not self._led_by(span):
                continue
            if any(t.kind in ("comma",) or (t.kind in ("quote", "literal") and n > 1) for t in span):
                continue
            found = self.named(tuple(t.lemma for t in span if n == 1 or t.text not in ("#", "/")))
            if not found and n == 1 and span[0].kind == "quote":
                found = self.named(spelled_out(words_of_name(span[0].text)))
            if found:
                return [ColumnMatch(k, s, n) for k, s in found]
        return []

    def _led_by(self, span: Sequence[Token]) -> bool:
        """Whether "to" and what follows are together the end of a name: "to country" of route.to.country."""
        return span[0].low == "to" and any(s >= 0.8 for s in self._index.get(tuple(t.lemma for t in span), {}).values())

    def named(self, words: tuple[str, ...]) -> list[tuple[Known, float]]:
        """The columns so called, best first; synonyms stand in for one word at a time."""
        words = tuple(w for w in words if w not in ("the", "a", "an")) if len(words) > 1 else words
        if not words:
            return []
        found: dict[Known, float] = dict(self._index.get(words, {}))
        if len(words) > 1 or not found:
            for known, score in self._index.get(("".join(words),), {}).items():
                found[known] = max(found.get(known, 0), score - 0.01)
        out = spelled_out(words)
        if out != words:
            for known, score in self._index.get(out, {}).items():
                found[known] = max(found.get(known, 0), score - 0.02)
        if len(words) <= 3:
            least = max(found.values(), default=0.0)
            for place, word in enumerate(words):
                for other in synonyms().get(word, ()):
                    key = (*words[:place], *other.split(), *words[place + 1 :])
                    for known, score in self._index.get(key, {}).items():
                        # a synonym of part of a name is worth something only when the part ends the name
                        if score >= 0.79:
                            worth = score * 0.88
                            if worth > found.get(known, 0) and (least < 0.8 or worth >= least - 0.05):
                                found[known] = worth
        if not found:
            found = {k: 0.94 for name in contracted(self._contractions, words) for k in self._whole[name]}
        if not found and len(words) > 1 and words[-1] in TAILS:
            shorter = self.named(words[:-1])
            few = {"type", "level", "kind", "class"}
            found = {
                k: s * 0.9
                for k, s in shorter
                if s >= 0.85
                and (words[-1] not in few or k.field.vocabulary or is_flag(k.field))
                and _fits(k, words[-1])
            }
        if not found and len(words) == 2 and words[1] in DATE_WORDS:
            found = dict.fromkeys(self.events.get(stem(words[0]), ()), 0.88)
        if words[-1] in ("time", "timestamp") and any(k.field.type.startswith("timestamp") for k in found):
            # a day says nothing about the time where a moment does
            found = {k: s for k, s in found.items() if not k.field.type.startswith("date")}
        # a column that was never filled answers to its name only
        found = {k: s for k, s in found.items() if s >= 0.96 or not k.field.values or k.field.nulls < k.field.values}
        best = max(found.values(), default=0.0)
        return sorted(((k, s) for k, s in found.items() if s >= best - 0.3), key=lambda x: -x[1])

    def tables_at(self, tokens: Sequence[Token], i: int) -> list[tuple[str, float, int]]:
        """(table, score, tokens) for the tables that the words from token i on name."""
        for n in range(min(4, len(tokens) - i), 0, -1):
            span = tokens[i : i + n]
            if any(t.kind not in ("word", "quote") for t in span):
                continue
            key = tuple(t.lemma for t in span)
            found = self._nouns.get(key) or self._nouns.get(("".join(key),) if n > 1 else ("",))
            if n == 1 and len(key[0]) > 5 and max((found or {}).values(), default=0.0) <= 0.8:
                # "subscriptions" are those of a table called subs, and not those that a synonym means
                short = [t for t, words in self.table_words.items() if len(words) == 1 and _cut_off(words[0], key[0])]
                found = {short[0]: 0.85} if len(short) == 1 else found
            if found:
                return sorted(((t, s, n) for t, s in found.items()), key=lambda x: -x[1])
        return []

    def row_noun(self, token: Token, table: str) -> bool:
        """Whether the word is a fair name for the rows of a table that holds such things."""
        if token.lemma in ("item", "thing", "object", "element"):
            own = any_of("item thing object element product article quantity unit")
            return len(self.schema.tables) == 1 and not own & self._words[table]
        needs = ROWS.get(token.lemma)
        if needs is None or (needs and not set(needs.split()) & self._words[table]):
            return False
        return token.lemma in self.table_words[table] or not (
            self._referred_to(token.lemma, table) or self._only_counted(token.lemma, table)
        )

    def _only_counted(self, noun: str, table: str) -> bool:
        """Whether figures alone are called by the noun: "customers_hit" counts customers, and its rows are others."""
        named = [k for k in self.of_table[table] if noun in k.words]
        several = [k for k in named if any(lemma(w) == noun != w for w in words_of_name(k.field.name))]
        return bool(named) and len(several) == len(named) and all(k.sort == "number" for k in named)

    def _referred_to(self, noun: str, table: str) -> bool:
        """Whether the rows only point at such things, several at the same one: the users of a table of events."""
        return any(
            k.identifier and k.words[:-1][-1:] == (noun,) and 0 < k.field.distinct < k.field.values - k.field.nulls
            for k in self.of_table[table]
        )

    def typo(self, words: tuple[str, ...]) -> list[tuple[Known, float]]:
        """Columns whose name is a slip of the finger away."""
        joined = "".join(words)
        if len(joined) < 4 or not self._names:
            return []
        from rapidfuzz import fuzz, process

        cutoff = 86 if len(joined) > 5 else 80
        hits = process.extract(joined, self._names, scorer=fuzz.ratio, score_cutoff=cutoff, limit=3)
        if not hits:
            return []
        best = hits[0][1]
        found: dict[Known, float] = {}
        for name, ratio, _ in hits:
            if ratio < best - 0.01 or abs(len(name) - len(joined)) > 2 or name[0] != joined[0]:
                continue
            if [c for c in name if c.isdigit()] != [c for c in joined if c.isdigit()]:
                # "team 1" is no slip of "team 2"
                continue
            for known, score in self._index[self._joined[name]].items():
                if score >= 0.8:
                    found[known] = max(found.get(known, 0), score * 0.8)
        return sorted(found.items(), key=lambda x: -x[1])

    def nearest(self, words: str, count: int = 5) -> tuple[str, ...]:
        """Names of the columns most like these words, for a refusal."""
        from rapidfuzz import fuzz, process

        names = {k.field.name[:60]: " ".join(k.words) for k in self.known.values()}
        hits = process.extract(words, names, scorer=fuzz.WRatio, limit=count)
        return tuple(dict.fromkeys(str(h[2]) for h in hits))

    # -- what a table has --

    def with_words(self, table: str, words: Iterable[str], sort: Sort | None = None) -> list[Known]:
        """Columns of the table whose name holds one of the words; the order of the words counts."""
        found: list[Known] = []
        for word in words:
            for known in self.of_table[table]:
                if (
                    word in known.words
                    and (sort is None or known.sort == sort)
                    and known not in found
                    and not known.identifier
                ):
                    found.append(known)
        return found

    def dates(self, table: str) -> list[Known]:
        """Its date and time columns."""
        return [k for k in self.of_table[table] if k.sort == "date"]

    def key(self, table: str) -> tuple[Column, ...]:
        """What tells its rows apart: declared, or named like it."""
        of = self.schema.table(table)
        if of.primary_key:
            return tuple(Column(table, c) for c in of.primary_key)
        noun = self.table_words[table][-1:]
        for known in self.of_table[table]:
            if known.words in (("id",), (*noun, "id"), (*noun, "number"), (*noun, "code"), ("uuid",), ("key",)):
                return (known.column,)
        for known in self.of_table[table]:
            if known.identifier and known.field.values and known.field.distinct == known.field.values:
                return (known.column,)
        return ()

    def label(self, table: str) -> tuple[Column, ...]:
        """What a person calls its rows by: a name or title (both parts of one in two columns), else nothing."""
        noun = self.table_words[table][-1:]
        fields = self.of_table[table]
        by_words = {k.words: k.column for k in reversed(fields)}
        for words in (("name",), (*noun, "name"), ("full", "name"), ("title",), (*noun, "title"), noun, ("label",)):
            if words in by_words and self.known[by_words[words]].sort == "text":
                return (by_words[words],)
        first, last = by_words.get(("first", "name")), by_words.get(("last", "name")) or by_words.get(("surname",))
        if first and last:
            return (first, last)
        own = {*self.table_words[table], "full", "display", "short", "common", "official"}
        named = [
            k.column
            for k in fields
            if k.words[-1:] in (("name",), ("title",)) and set(k.words[:-1]) <= own and k.sort == "text"
        ]
        return (named[0],) if len(named) == 1 else ()

    def entity(self, known: Known) -> bool:
        """Whether the column stands for things one can count: customers, cities."""
        return known.sort in ("text", "flag") or known.identifier


def _cut_off(short: str, full: str) -> bool:
    """Whether a table is called by the beginning of the word, and the rest is more than an ending: subs, orgs."""
    return clipped(short, full) and len(full) - len(short) > 3


def _fits(known: Known, tail: str) -> bool:
    """Whether the word behind a column's name says nothing that the column is not: a number is no name, a text no number."""
    if tail in ("name", "address"):
        return known.sort == "text"
    return True


def _glued(text: str, a: int, b: int) -> bool:
    """Whether the characters at a and b belong to one word."""
    if a < 0 or b >= len(text):
        return False
    one, other = text[a], text[b]
    return (one.isalnum() or one == "_") and (other.isalnum() or other == "_")


_KEPT: dict[int, tuple[weakref.ref[Schema], Lexicon]] = {}


def lexicon_of(schema: Schema) -> Lexicon:
    """The schema's lexicon, built at most once while the schema lives."""
    kept = _KEPT.get(id(schema))
    if kept is not None and kept[0]() is schema:
        return kept[1]
    made = Lexicon(schema)
    if len(_KEPT) > 64:
        for old in list(islice(_KEPT, 32)):
            del _KEPT[old]
    _KEPT[id(schema)] = (weakref.ref(schema), made)
    return made
