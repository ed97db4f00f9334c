"""The catalogue keeps its promises, and is quick to have."""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path

import pytest

from synth.catalog import CONNECTORS, FOLDER, BrokenCatalogue, catalogue, read, signature_of
from synth.detect import detect

KINDS = catalogue().kinds
FILES = sorted(FOLDER.glob("*.toml"))


def test_it_names_hundreds_of_kinds_in_many_families() -> None:
    families = {kind.family for kind in KINDS.values()}

    assert len(KINDS) >= 250
    assert len(families) >= 22
    assert sum(len(kind.signatures) for kind in KINDS.values()) >= 100


def test_every_kind_can_be_found_by_each_of_its_names() -> None:
    for kind in KINDS.values():
        for name in (kind.id, *kind.aliases, kind.id.upper(), kind.id.replace("-", "_")):
            assert catalogue().named(name) == kind


def test_every_text_and_line_pattern_compiles_and_matches_nothing_in_nothing() -> None:
    for kind in KINDS.values():
        for pattern in (*kind.lines, *(mark.split("|", 2)[2] for mark in kind.text)):
            matched = re.compile(pattern, re.I | re.M).match("\x00")

            assert not matched, (kind.id, pattern)


def test_every_log_recogniser_is_a_layout_of_its_own() -> None:
    layouts = [kind for kind in KINDS.values() if kind.family == "log" and (kind.lines or kind.text)]

    assert len(layouts) >= 20


def test_connectors_are_named_for_modules() -> None:
    used = {kind.connector for kind in KINDS.values() if kind.connector}

    assert used <= CONNECTORS
    written = {name for name in used if importlib.util.find_spec(f"synth.sources.{name}")}
    assert {"delimited", "json_file", "xml_file", "columnar"} <= written


def test_a_url_of_a_kind_is_recognised_by_its_first_scheme() -> None:
    not_said_with_slashes = ("http", "https", "data", "jdbc", "failover")
    for kind in KINDS.values():
        if kind.schemes and kind.schemes[0] not in not_said_with_slashes:
            found = detect(f"{kind.schemes[0]}://host/x", mode="string")

            assert kind.id in (found.kind, *(other for other, _ in found.alternatives)), found


def _broken(folder: Path, text: str) -> str:
    file = folder / "made.toml"
    file.write_text(text)
    with pytest.raises(BrokenCatalogue) as caught:
        read([file])
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\ntitle = 'A'", "`family` is missing"),
        ("family = 'f'\n[a]\ncolour = 'red'\ntitle = 'A'", "no key `colour`"),
        ("family = 'f'\n[a]\naliases = ['b']", "`title` is missing"),
        ("family = 'f'\n[a]\ntitle = 'A'\nports = ['80']", "wrong type"),
        ("family = 'f'\n[A_B]\ntitle = 'A'", "an id is lower-case"),
        ("family = 'f'\n[a]\ntitle = 'A'\nparents = ['zebra']", "no kind is called 'zebra'"),
        ("family = 'f'\n[a]\ntitle = 'A'\nconnector = 'zebra'", "no connector 'zebra'"),
        ("family = 'f'\n[a]\ntitle = 'A'\n[b]\ntitle = 'B'\naliases = ['a']", "already means"),
        ("family = 'f'\n[a]\ntitle = 'A'\nparents = ['b']\n[b]\ntitle = 'B'\nparents = ['a']", "its own ancestor"),
        ("family = 'f'\n[a]\ntitle = 'A'\nsignatures = ['PK']", "offset:bytes"),
        ("family = 'f'\n[a]\ntitle = 'A'\nlines = ['(']", "lines"),
        ("family = 'f'\n[a]\ntitle = 'A'\ntext = ['x']", "weight"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    assert words in _broken(tmp_path, text)


def test_signatures_read_offsets_escapes_and_several_parts() -> None:
    signature = signature_of("wav", r"0:RIFF & 8:\x57AVE")

    assert signature.parts == ((0, b"RIFF"), (8, b"WAVE"))
    assert signature.weight > signature_of("x", "0:MZ").weight


def test_reading_it_afresh_takes_well_under_a_second() -> None:
    started = time.perf_counter()
    kinds = read(FILES)
    seconds = time.perf_counter() - started

    assert kinds.keys() == KINDS.keys()
    assert seconds < 2.0
