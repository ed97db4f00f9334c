"""The encoding of a text file: byte order marks, then validity, then which reading gives plausible words."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)


@dataclass(frozen=True)
class Encoding:
    """A Python codec, the length of the byte order mark before the text, and how sure that is.

    `damaged` says that some bytes are no text in this encoding; `ascii` that plain ASCII was all there was.
    """

    name: str
    bom: int = 0
    confidence: float = 1.0
    damaged: bool = False
    ascii: bool = False
    evidence: str = ""

    @property
    def utf8(self) -> bool:
        """Whether readers of UTF-8 can take the bytes as they are."""
        return self.name == "utf-8"


def encoding_of(head: bytes) -> Encoding | None:
    """The encoding of these first bytes of a text; None when they are not text at all."""
    for mark, name in BOMS:
        if head.startswith(mark):
            return Encoding(name, len(mark), evidence=f"byte order mark of {name}")
    if b"\x00" in head[:4096]:
        wide = _wide(head)
        if wide:
            return Encoding(wide, confidence=0.97, evidence=f"zero bytes where {wide} has them")
    if _is_binary(head):
        return None
    if head.isascii():
        if re.search(rb"\x1b\$[@B]|\x1b\([JB]", head):
            return Encoding("iso2022_jp", evidence="escape sequences of ISO-2022-JP")
        return Encoding("utf-8", ascii=True, evidence="plain ASCII")
    bad, good = _utf8_flaws(head)
    if not bad:
        return Encoding("utf-8", evidence=f"{good} valid UTF-8 sequences")
    if good >= 10 * bad:
        return Encoding("utf-8", confidence=0.9, damaged=True, evidence=f"UTF-8 with {bad} invalid bytes")
    name, score = _legacy(head)
    if score <= 0 and good >= bad:
        return Encoding("utf-8", confidence=0.6, damaged=True, evidence=f"UTF-8 with {bad} invalid bytes")
    return Encoding(name, confidence=max(0.4, min(0.97, 0.55 + score / 2)), evidence=f"reads as words in {name}")


def decoded(data: bytes, encoding: Encoding) -> str:
    """The text of these bytes, cut at the last whole character; what is no text becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    return decoder.decode(data[encoding.bom :], final=False)


def _wide(head: bytes) -> str:
    sample = head[:4096]
    quads = [sample[i::4].count(0) * 4 / max(len(sample), 1) for i in range(4)]
    if len(sample) >= 8 and min(quads[1], quads[2], quads[3]) > 0.9 and quads[0] < 0.2:
        return "utf-32-le"
    if len(sample) >= 8 and min(quads[0], quads[1], quads[2]) > 0.9 and quads[3] < 0.2:
        return "utf-32-be"
    even, odd = sample[0::2].count(0) * 2 / len(sample), sample[1::2].count(0) * 2 / len(sample)
    for name, zero, other in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zero > 0.3 and other < 0.05:
            try:
                text = sample[: len(sample) // 2 * 2].decode(name, "strict" if len(head) <= 4096 else "ignore")
            except UnicodeDecodeError:
                continue
            if sum(c.isprintable() or c in "\t\r\n" for c in text) > len(text) * 0.95:
                return name
    return ""


_CONTROLS = bytes(set(range(32)) - {0, 8, 9, 10, 11, 12, 13, 26, 27, 28, 29, 30, 31, 1, 2}) + b"\x7f"


def _is_binary(head: bytes) -> bool:
    if not head:
        return False
    zeros = head.count(0)
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return zeros > max(4, len(head) * 0.005) or controls > max(2, len(head) * 0.005)


def _utf8_flaws(head: bytes) -> tuple[int, int]:
    """How many bytes are invalid in UTF-8, and how many sequences of several bytes are valid."""
    bad = good = 0
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head, final=False)
    for letter in re.findall(r"[^\x00-\x7f]", text):
        if "\udc80" <= letter <= "\udcff":
            bad += 1
        else:
            good += 1
    return bad, good


_COMMON = {
    "cp1252": "äöüßéèêëàâáíîïóôúùûñçãõåæøÄÖÜÉÅØ€“”„’‘–—…°£§«»®©²³µ½·¡¿ºªœ",
    "cp1250": "ąćęłńóśźżěščřžýáíéúůďťňőűôľĺŕßäöüĄĆĘŁŃÓŚŹŻŠČŘŽ€„”–șțăâî",
    "iso8859-2": "ąćęłńóśźżěščřžýáíéúůďťňőűôľßäöüŁŚŻŠČŘŽ",
    "cp1251": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёіїєґОЕАИНТСРВЛКМДПУЯГЗБ№«»–—",
    "koi8-r": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё",
    "cp866": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё",
    "iso8859-5": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё",
    "cp1253": "αοιετσνηυρπκμλςάέίόήύώωγδχθφβξζψΑΕΟ€",
    "cp1254": "ışğüöçİŞĞÜÖÇâî€",
    "cp1255": "אבגדהוזחטיכלמנסעפצקרשתםןףץך",
    "cp1256": "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإئؤ",
    "mac_roman": "äöüßéèêàâçñóíáúÄÖÜÉ“”‘’–—…°",
    "cp850": "äöüßéèêàâçñóíáúåæøÄÖÜÉÅ",
}
_LATIN = frozenset({"cp1252", "cp1250", "iso8859-2", "cp1254", "mac_roman", "cp850"})
_EASTERN = ("cp932", "euc_jp", "gb18030", "big5", "euc_kr")


def _legacy(head: bytes) -> tuple[str, float]:
    """The likeliest encoding of one or two bytes a character, and a score of at most one."""
    lines = [line for line in re.split(rb"[\r\n]+", head[:262_144])[:-1] or [head] if not line.isascii()][:400]
    sample = b"\n".join(lines)[:40_000]
    best, score = "cp1252", -9.0
    for name in _EASTERN:
        found = _eastern_score(sample, name)
        if found > score:
            best, score = name, found
    for name, common in _COMMON.items():
        found = _western_score(sample, name, common)
        if found > score + 0.02:
            best, score = name, found
    if best == "cp1252" and not re.search(rb"[\x80-\x9f]", sample):
        best = "iso8859-1"
    if best == "cp932" and not re.search(rb"[\x81-\x9f\xe0-\xfc][\x40-\xfc]", sample):
        best = "cp1252"
    return ("shift_jis" if best == "cp932" and _decodes(sample, "shift_jis") else best), score


def _decodes(sample: bytes, name: str) -> bool:
    try:
        sample.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _western_score(sample: bytes, name: str, common: str) -> float:
    text = sample.decode(name, "replace")
    counts = Counter(re.findall(r"[^\x00-\x7f]", text))
    total = sum(counts.values())
    if not total:
        return -9.0
    score = 0.0
    for letter, times in counts.items():
        if letter in common:
            score += times
        elif letter.isalpha():
            score += 0.1 * times
        elif letter == "�" or "\x80" <= letter <= "\x9f":
            score -= 4 * times
        elif letter == " ":
            score += 0.3 * times
        else:
            score -= 0.6 * times
    # Words change neither case nor script in their middle.
    jumps = len(re.findall(r"[a-zà-öø-ÿа-яα-ω](?=[À-ÖØ-ÞА-ЯΑ-Ω])", text))
    mixed = len(re.findall(r"[A-Za-z](?=[Ѐ-ӿͰ-Ͽא-ת\u0600-\u06ff])|[Ѐ-ӿͰ-Ͽא-ת\u0600-\u06ff](?=[A-Za-z])", text))
    alone = len(re.findall(r"(?<![^\W\d_])[^\x00-\x7f](?![^\W\d_])", text))
    # In Latin script accented letters stand between plain ones; a run of them is another script misread.
    runs = sum(map(len, re.findall(r"[^\W\d_a-zA-Z]{3,}", text))) if name in _LATIN else 0
    letters = sum(times for letter, times in counts.items() if letter.isalpha())
    return (score - 1.5 * jumps - mixed - 0.3 * min(alone, letters) - 0.6 * runs) / total


def _eastern_score(sample: bytes, name: str) -> float:
    try:
        text = codecs.getincrementaldecoder(name)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return -9.0
    letters = re.findall(r"[^\x00-\x7f]", text)
    if not letters:
        return -9.0
    score = 0.0
    for letter in letters:
        point = ord(letter)
        if 0x3040 <= point <= 0x30FF:
            score += 1.0
        elif 0xAC00 <= point <= 0xD7A3:
            score += 1.0 if name == "euc_kr" else 0.0
        elif 0x4E00 <= point <= 0x9FFF:
            score += 0.9 if _is_everyday(letter, name) else 0.1
        elif 0x3000 <= point <= 0x303F or 0xFF00 <= point <= 0xFF60:
            score += 0.8
        elif 0xFF61 <= point <= 0xFF9F:
            score += 0.2  # half-width kana: what other encodings look like when read as Shift-JIS
        elif point >= 0xE000:
            score -= 2.0
        else:
            score -= 0.5
    # A two-byte reading of western text gives lone characters among Latin letters.
    lone = len(re.findall(r"[A-Za-z][^\x00-\x7f](?=[A-Za-z])", text))
    return (score - 2 * lone) / len(letters)


def _is_everyday(letter: str, name: str) -> bool:
    """Whether the character stands in the half of its character set that holds the everyday ones."""
    try:
        code = letter.encode({"gb18030": "gb2312", "cp932": "shift_jis"}.get(name, name))
    except UnicodeEncodeError:
        return False
    if len(code) != 2:
        return False
    lead = code[0]
    ranges = {
        "gb18030": (0xB0, 0xD7),
        "big5": (0xA4, 0xC6),
        "euc_jp": (0xB0, 0xCF),
        "cp932": (0x88, 0x97),
        "euc_kr": (0xCA, 0xFD),
    }
    low, high = ranges[name]
    return low <= lead <= high and name != "euc_kr"
