"""Words that are one word in another form: clipped, stripped of vowels, initials, or of the same family (pay, paid, payment)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from synth.understand.vocabulary import ABBREVIATIONS, ALSO, GRADES, ROWS, SAME
from synth.understand.words import any_of, lemma

VOWELS = frozenset("aeiou")

# Forms that no ending tells.
FAMILIES = """
win won winning winner victory
sell sold sale
buy bought purchase purchased
pay paid payment payer
lose lost loss losing
send sent sending
leave left leaving leaver
choose chosen choice
grow grown growth grew
hold held holding
begin began begun
break broke broken breakage
drive drove driven driver
fly flew flown flight
know known knew
give given gave
take taken took
write wrote written
spend spent spending
hire hired hiring
succeed success succeeded successful
fail failed failure failing fails
die died death dead
marry married marriage
prioritise priority prioritized
dispatch dispatched shipped
""".strip().splitlines()

ENDINGS = any_of(
    "s es d ed ing ings er ers or ors ion ions ation ations ment ments al als ance ence ure ures y ies ied e ee ees ive able "
    "led ling ler lers lation lations ped ping per pers pment ted ting ter tion tions ned ning ner red ring "
    "val vals ve ved ving ver vers ution utions ption ptions be bed bing t"
)
# After a short root only endings that verbs take.
VERBAL = any_of(
    "s es d ed ing ings er ers ment ments ped ping per pers pment ted ting ter ned ning ner red ring led ling"
)
# Alike, and yet two things.
APART = frozenset(
    frozenset(pair.split())
    for pair in (
        "depart department",
        "departure department",
        "custom customer",
        "apart apartment",
        "commit committee",
        "univers university",
        "secretary secret",
        "account accounting",
        "intern internal",
        "person personal",
        "person personnel",
        "production product",
        "product producer",
        "operation operator",
    )
)


@lru_cache(maxsize=1)
def whole_words() -> frozenset[str]:
    """Words that stand for themselves, so that none is taken for a clipping of a longer one."""
    found = {w for line in SAME.splitlines() for w in line.split()}
    found |= {w for others in ALSO.values() for o in others for w in o.split()} | set(ALSO) | set(ROWS) | set(GRADES)
    found |= {w for words, _ in GRADES.values() for w in words.replace("|", " ").split()}
    return frozenset(found - set(ABBREVIATIONS)) | any_of(
        "part port land form hand head line list long main mark mass meet mind open over plan plus post read real rest "
        "side spot stop term test than tour town turn unit view wait walk wall week well wide wind wine wish with word zone "
        "age art bad bar bed bid big bus car cap cut dry ear end eye far fit fly fun gap gas hot ice job key law lot low map "
        "net new off oil old one out own pay per pen pet pin pot red run sea set sex sky son sum sun tax tea ten tip top toy "
        "use van war way win air arm day"
    )


def clipped(short: str, full: str) -> bool:
    """Whether the one is the other cut off behind a consonant or after four letters: proj, prio, and a header's Emp."""
    if short == full or not full.startswith(short) or len(full) - len(short) < 2:
        return False
    return len(short) >= 4 or (len(short) == 3 and short[-1] not in VOWELS)


def skeleton(short: str, full: str) -> bool:
    """Whether the one is the other without its vowels: hrs, mnth, whse, dpt, qty."""
    full = full if short[-1:] != "s" or full.endswith("s") else f"{full}s"
    if len(short) < 3 or len(full) - len(short) < 1 or short[0] != full[0]:
        return False
    inner = short[1:-1] if short[-1] in VOWELS else short[1:]
    if VOWELS & set(inner) or sum(c not in VOWELS for c in short) < 2 + (short[0] not in VOWELS and short[-1] != "e"):
        return False
    at = 0
    for letter in short:
        at = full.find(letter, at) + 1
        if not at:
            return False
    return short[-1] in full[-2:] or (len(short) >= 4 and at > len(full) / 2)


def short_for(short: str, full: str) -> bool:
    """Whether people may well write the one for the other."""
    if short in whole_words() or not short.isalpha():
        return False
    return clipped(short, full) or skeleton(short, full)


def initials_of(words: Sequence[str]) -> str:
    """The first letters of a name of three words or more: mpg for miles per gallon."""
    return "".join(w[0] for w in words) if len(words) > 2 and all(w.isalpha() for w in words) else ""


@lru_cache(maxsize=1)
def _families() -> dict[str, int]:
    return {word: n for n, line in enumerate(FAMILIES) for word in line.split()}


@lru_cache(maxsize=20_000)
def akin(one: str, other: str) -> bool:
    """Whether both are forms of one word: cancel, cancelled, cancellation; ship, shipment."""
    one, other = lemma(one), lemma(other)
    if one == other:
        return True
    if frozenset((one, other)) in APART:
        return False
    family = _families().get(one)
    if family is not None and family == _families().get(other):
        return True
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    rests = {one[same:], other[same:]} - {""}
    if same >= 5:
        return rests <= ENDINGS
    if same == 4 and rests <= VERBAL:
        return True
    return same >= 3 and (one[same:] in ("", "e") or other[same:] in ("", "e")) and rests <= VERBAL | {"e"}
