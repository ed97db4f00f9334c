"""The requests written for training: each query can be read, and every constant can be pointed at."""

import random
from pathlib import Path

import pytest

from synth.plan import Column
from synth.schema import Field, Schema, Table
from synth.understand.columns import Lexicon
from synth.understand.values import Values
from synth.understand.words import tokens_of
from training.authored import Domain, domains, unsaid
from training.data import written_schema
from training.examples import Example, Unplaced, example, place_of
from training.features import encoded, shown
from training.grammar import INDEX, RULES, TOKENS, Stack, firsts
from training.queries import Names, Unreadable, said

FILES = sorted((Path(__file__).parents[2] / "training" / "requests").glob("*.txt"))
NAMES = Names((("visits", ("id", "species", "fee", "seen_on", "paid", "owner_id")), ("owners", ("owner_id", "town"))))


def read(sql: str) -> str:
    names: dict[tuple[object, ...], str] = {("t", t): table for t, (table, _) in enumerate(NAMES.tables)}
    names |= {("c", t, c): name for t, (_, columns) in enumerate(NAMES.tables) for c, name in enumerate(columns)}
    return " ".join(
        token if isinstance(token, str) else repr(token[1]) if token[0] == "k" else names[token]
        for token in said(sql, NAMES)
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_written_query_is_one_of_the_language_and_says_what_its_request_says(path: Path) -> None:
    asked = 0
    for domain in domains(path):
        for request, sql, at in domain.asked:
            missing = unsaid(said(sql, domain.names()), request, domain)
            assert missing is None, f"{at}: {missing}"
            asked += 1

    assert asked > 50


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("SELECT * FROM owners WHERE missing(visits)", "FROM owners ALL WHERE MISSING visits END"),
        (
            "SELECT town, count(*) FROM owners, visits WHERE during(seen_on, 'in may') GROUP BY town",
            "FROM owners visits town COUNT WHERE DURING seen_on 'in may' GROUP town END",
        ),
        (
            "SELECT * FROM visits WHERE species IN ('dog', 'cat') AND paid = false ORDER BY fee DESC LIMIT 1 PER owner_id",
            "FROM visits ALL WHERE AND OR EQ species 'dog' EQ species 'cat' FALSE paid ORDER DESC fee "
            "LIMIT Decimal('1') PER owner_id END",
        ),
        (
            "SELECT count(*) FILTER (WHERE paid = true) / count(*) FROM visits",
            "FROM visits DIV FILTER COUNT TRUE paid COUNT END",
        ),
        (
            "SELECT town FROM owners WHERE missing(visits WHERE owner_id = 3)",
            "FROM owners town WHERE MISSING visits WITH EQ owner_id Decimal('3') END",
        ),
        ("REFUSE", "REFUSE"),
    ],
)
def test_a_query_is_read_into_the_readers_own_language(sql: str, written: str) -> None:
    assert read(sql) == written


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT weight FROM visits",
        "SELECT id FROM visits WHERE fee > (SELECT avg(fee) FROM visits)",
        "SELECT upper(species) FROM visits",
        "DELETE FROM visits",
        "SELECT sum(month(seen_on)) FROM visits",
        "SELECT FROM WHERE",
    ],
)
def test_what_is_not_of_the_language_is_unreadable(sql: str) -> None:
    with pytest.raises(Unreadable):
        said(sql, NAMES)


def test_the_grammar_never_leaves_a_choice_open() -> None:
    """LL(1): no token begins two ways on, and what may be left out is not begun by what may follow it."""
    for name, ways in RULES.items():
        begun = [token for way in ways if way for token in (firsts(way[0]) if way[0].startswith("=") else {way[0]: ()})]
        assert len(begun) == len(set(begun)), name
    assert len(set(TOKENS)) == len(INDEX)


def test_a_token_out_of_place_is_refused() -> None:
    with pytest.raises(ValueError, match="END may not stand where"):
        Stack().after("END")


@pytest.mark.parametrize(
    ("constant", "request_", "words"),
    [
        ("in may", "visits per vet in May", "in May"),
        ("30 kg", "dogs over 30kg please", "30 kg"),
        ("cat", "all cats", "cats"),
        ("all about anna", 'the episode titled "All About Anna"', "All About Anna"),
        ("blue", "all cats", None),
    ],
)
def test_a_constant_is_found_where_the_request_says_it(constant: str, request_: str, words: str | None) -> None:
    text, tokens = tokens_of(request_)

    place = place_of(constant, text, tokens)

    assert (place and " ".join(t.text for t in tokens[place[0] : place[1] + 1])) == words


def seen_example(domain: Domain, request: str, sql: str) -> tuple[Example, list[str]]:
    schema = written_schema(domain, random.Random(1))
    lexicon = Lexicon(schema)
    text, tokens = tokens_of(request)
    seen = shown(lexicon, Values(lexicon, lambda _: ()), text, tokens)
    made = example(
        seen, said(sql, domain.names()), lambda t, c: (t, c), lambda text: tuple(map(ord, text)), (1, 2), 900
    )
    items = encoded(seen, lambda text: tuple(map(ord, text)), 1, 2, 900).items
    return made, [i.value or (i.column.name if i.column else seen.tokens[i.place].low) for i in items]


def domain_of(lines: str, folder: Path) -> Domain:
    path = folder / "d.txt"
    path.write_text(lines)
    return next(iter(domains(path)))


VETS = "# domain: vets\ntable visits\n  pet text: Rex, Bella\n  species text: dog, cat\n  fee decimal: 4.5, 3\n"


def test_an_example_points_at_the_column_and_at_the_stored_value_that_the_request_names(tmp_path: Path) -> None:
    made, items = seen_example(
        domain_of(VETS, tmp_path), "fee for dogs", "SELECT fee FROM visits WHERE species = 'dog'"
    )

    written = [TOKENS[t] if t < len(TOKENS) else items[t - len(TOKENS)] for t in made.target]

    assert written == ["fee", "WHERE", "EQ", "species", "dog", "END"]


def test_a_number_is_pointed_at_in_the_request(tmp_path: Path) -> None:
    made, items = seen_example(domain_of(VETS, tmp_path), "pets over forty", "SELECT pet FROM visits WHERE fee > 40")

    written = [TOKENS[t] if t < len(TOKENS) else items[t - len(TOKENS)] for t in made.target]

    assert written == ["pet", "WHERE", "GT", "fee", "forty", "forty", "END"]


def test_a_constant_that_is_nowhere_to_be_seen_makes_no_example(tmp_path: Path) -> None:
    with pytest.raises(Unplaced):
        seen_example(domain_of(VETS, tmp_path), "big ones", "SELECT pet FROM visits WHERE fee > 40")


def test_a_wide_schema_keeps_what_the_request_speaks_of() -> None:
    fields = (*tuple(Field(f"reading_{n}", "int64") for n in range(300)), Field("water_level", "double"))
    lexicon = Lexicon(Schema((Table("data", fields),)))
    text, tokens = tokens_of("highest water level")

    seen = shown(lexicon, None, text, tokens)

    columns = [c.column for c in seen.tables[0][1]]
    assert len(columns) <= 48
    assert Column("data", "water_level") in columns
