from __future__ import annotations

import os

import pytest

from synth.sources.encoding import encoding_of

GERMAN = "id;name;stadt\n1;Müller;Köln\n2;Größe;Düsseldorf\n3;Jäger;Nürnberg\n"
JAPANESE = "名前,都市,金額\n田中太郎,東京,100\n佐藤花子,大阪,200\n"
CHINESE = "姓名,城市\n张伟,北京\n王芳,上海\n"
RUSSIAN = "имя,город\nИван,Москва\nАнна,Санкт-Петербург\nПётр,Казань\n"
POLISH = "imię;miasto\nŁukasz;Łódź\nMałgorzata;Gdańsk\nJózef;Święty\n"
GREEK = "όνομα,πόλη\nΓιώργος,Αθήνα\nΜαρία,Θεσσαλονίκη\n"
KOREAN = "이름,도시\n김철수,서울\n이영희,부산\n"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        *((GERMAN, c) for c in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")),
        *((GERMAN, c) for c in ("cp1252", "latin-1", "cp850", "mac_roman")),
        ("id,preis\n1;12,50 €\n2;„Hallo“\n", "cp1252"),
        *((JAPANESE, c) for c in ("utf-8", "shift_jis", "euc_jp", "iso2022_jp", "utf-16-le")),
        *((CHINESE, c) for c in ("gb18030", "gbk", "utf-16-be")),
        ("姓名,城市\n張偉,臺北\n王芳,高雄\n", "big5"),
        *((RUSSIAN, c) for c in ("koi8-r", "cp1251", "cp866", "iso8859-5")),
        *((POLISH, c) for c in ("cp1250", "iso8859-2")),
        (GREEK, "cp1253"),
        (KOREAN, "euc_kr"),
    ],
)  # fmt: skip
def test_text_is_read_back_in_the_encoding_found(text: str, codec: str) -> None:
    data = text.encode(codec)

    found = encoding_of(data)

    assert found is not None
    assert data[found.bom :].decode(found.name) == text


def test_a_few_bad_bytes_do_not_make_utf8_something_else() -> None:
    found = encoding_of(("größe,ö\n" * 50).encode() + b"\xff,x\n")

    assert found is not None
    assert (found.name, found.damaged) == ("utf-8", True)


@pytest.mark.parametrize("data", [os.urandom(4_000), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8])
def test_binary_data_has_no_encoding(data: bytes) -> None:
    assert encoding_of(data) is None
