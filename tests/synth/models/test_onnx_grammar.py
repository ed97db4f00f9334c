"""Replies that are held to the grammar are closures, wherever they are cut off; and closures as people write them are admitted."""

from __future__ import annotations

import ast
import json
import random
from functools import cache

import pytest

from sandbox.policy import findings_of
from synth.models.onnx_grammar import Guide, GuideWords
from synth.models.text_writer import closure_in
from tests.synth.models.onnx_models import VOCAB, byte_tokenizer

STOP = 1
PLAIN = '''def closure(source):
    """All rows."""
    yield from source.query("SELECT * FROM orders")
'''
BUILT_IN = '''from datetime import date
from decimal import Decimal


def closure(source, *, minimum: Decimal = Decimal(800), since: date = date(2026, 1, 1), until: date = date(2027, 1, 1)):
    """orders over 800 EUR placed in 2026."""
    yield from source.query(
        """
        SELECT
          order_no, "total", `placed`
        FROM orders
        WHERE
          total > ? AND placed >= ? AND placed < ?
        """,
        [minimum, since, until],
    )
'''
BY_HAND = '''def closure(source, *, n: int = 5):
    """The n best."""
    totals = {}
    for row in source.query("SELECT a, b FROM t WHERE c = 'it''s'"):
        # add it up
        key = (row["a"], row.get("b") or 0)
        totals[key] = totals.get(key, 0) + (row["b"] if row["b"] is not None else 0)
        if not row["a"] and row["b"] not in {1, 2}:
            continue
        elif row["a"] == "x" or -1 < row["b"] <= 2.5:
            totals[key] += 1
        else:
            pass

    ranked = sorted(totals.items(), key=lambda kv: (-kv[1], kv[0]))[:n]
    for (a, b), total in ranked:
        yield {"a": a, "b": f"{a}-{b:.2f}", "total": total, **{k: v for k, v in ranked if k}}
'''
SEVERAL_LINES = '''import re
from collections import Counter, defaultdict


def closure(
    source,
    *,
    since: str | None = None,
    most: int = 1_000,
):
    """Pages."""

    def named(row):
        return re.sub(r"^(\\d+)-", "", row["name"])

    seen = Counter(
        row["kind"]
        for row in source.pages("/v1/items", params={"limit": 100, "since": since})
        if row["kind"]  # none are left out
    )
    rows = list(source.pages("/v1/items"))
    found: list[str] = []
    try:
        value = int("7")
    except (ValueError, TypeError) as problem:
        raise ValueError(f"not a number: {problem}")
    while value > 0:
        value -= 1
        if value == 3:
            break
    for row in query({"items": rows}, "SELECT * FROM items WHERE x > $1", [3]):
        if since is None:
            yield {"id": int(row["id"]), "name": named(row), "n": seen[row["kind"]], "fields": [], "tail": found[-1:]}
'''


@cache
def words() -> GuideWords:
    """The grammar over a vocabulary of bytes and a few pairs."""
    return GuideWords(byte_tokenizer(), VOCAB, [STOP])


def admitted(text: str) -> str:
    """As much of a text as the grammar admits."""
    guide = Guide(words())
    said: list[int] = []
    for token in words().tokens(text):
        if not guide.admits(token):
            break
        guide.take(token)
        said.append(token)
    return str(words().tokenizer.decode_str(said))


def babbled(seed: int, length: int) -> str:
    """Tokens drawn at random among those that are admitted, closed after so many; marks are drawn more often than letters."""
    chance, guide, said = random.Random(seed), Guide(words()), list(words().tokens("```python\n"))
    for token in said:
        guide.take(token)
    while len(said) < length and not guide.ended:
        admitted_here = sorted(words().listed(guide.mask()) - {STOP})
        marks = [t for t in admitted_here if not words().tokenizer.decode_str([t]).isalnum()]
        token = chance.choice(marks if marks and chance.random() < 0.5 else admitted_here)
        guide.take(token)
        said.append(token)
    said += [t for t in guide.closed() if t != STOP]
    return str(words().tokenizer.decode_str(said))


@pytest.mark.parametrize("code", [PLAIN, BUILT_IN, BY_HAND, SEVERAL_LINES])
def test_closures_as_they_are_written_are_admitted(code: str) -> None:
    reply = f"```python\n{code}```"

    assert admitted(reply) == reply
    assert closure_in(reply) == code
    ast.parse(code)


def test_the_examples_of_this_test_are_closures() -> None:
    assert [findings_of(code) for code in (PLAIN, BUILT_IN, BY_HAND)] == [(), (), ()]


def test_a_no_is_admitted_and_nothing_after_it() -> None:
    assert admitted("CANNOT: there is no column with a size") == "CANNOT: there is no column with a size"
    assert admitted("CANNOT: there is no size\nBut") == "CANNOT: there is no size"


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("Sure! Here is the code", ""),
        ("```python\nimport os", "```python\nimport o"),
        ("```python\nfrom decimal import Decimals", "```python\nfrom decimal import Decimal"),
        ("```python\ndef closures", "```python\ndef closure"),
        ("```python\ndef closure(source, x)", "```python\ndef closure(source, "),
        ('```python\ndef closure(source):\n    """a"""\n```', '```python\ndef closure(source):\n    """a"""\n'),
        (f"```python\n{PLAIN}\n\ndef closure", f"```python\n{PLAIN}\n\n"),
        (f"```python\n{PLAIN}      x = 1", f"```python\n{PLAIN}      "),
        (f"```python\n{PLAIN}    for = 1", f"```python\n{PLAIN}    for "),
        (f"```python\n{PLAIN}    continue", f"```python\n{PLAIN}    continue"),
        (f"```python\n{PLAIN}    f(a=1, b)", f"```python\n{PLAIN}    f(a=1, b"),
        (f"```python\n{PLAIN}    1 = x", f"```python\n{PLAIN}    "),
        (f"```python\n{PLAIN}    x = (1, 2]", f"```python\n{PLAIN}    x = (1, 2"),
        (f"```python\n{PLAIN}    x = a b", f"```python\n{PLAIN}    x = a "),
        (f'```python\n{PLAIN}    x = "\\q"', f'```python\n{PLAIN}    x = "\\'),
        (f'```python\n{PLAIN}    x = """```', f'```python\n{PLAIN}    x = """'),
        (f"```python\n{PLAIN}```\nThat was it", f"```python\n{PLAIN}```"),
    ],
)
def test_what_is_no_closure_is_stopped_where_it_goes_wrong(text: str, until: str) -> None:
    assert admitted(text) == until


def test_a_large_vocabulary_is_not_too_much() -> None:
    """The library's own limits end at the first expression over so many tokens."""
    chance = random.Random(0)
    made = json.loads(byte_tokenizer())
    vocab = {token: number for token, number in made["model"]["vocab"].items() if not token.startswith("<unused")}
    while len(vocab) < 60_000:
        token = "".join(chance.choice('abcdefghijklmnopqrstuvwxyz_ĠĠ(.,"') for _ in range(chance.randint(3, 7)))
        vocab.setdefault(token, len(vocab))
    made["model"]["vocab"] = vocab
    large = GuideWords(json.dumps(made), len(vocab), [STOP])
    guide = Guide(large)

    for number in large.tokens("```python\ndef closure(source, *, n: int = 5"):
        assert number in large.listed(guide.mask())
        guide.take(number)

    assert guide.closed()


@pytest.mark.parametrize("depth", range(3))
def test_words_that_begin_like_a_keyword_are_words(depth: int) -> None:
    line = ("yield {'a': nothing}", "yield fields", "x = isle if note is notes else formats")[depth]
    reply = f'```python\ndef closure(source):\n    """a"""\n    {line}\n```'

    assert admitted(reply) == reply


@pytest.mark.parametrize("seed", range(60))
def test_babble_is_a_closure_wherever_it_is_cut_off(seed: int) -> None:
    for length in (12, 40, 90, 240):
        reply = babbled(1000 * seed + length, length)

        code = closure_in(reply)
        assert code is not None, reply
        functions = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
        assert [f.name for f in functions] == ["closure"]


@pytest.mark.parametrize("code", [BUILT_IN, BY_HAND, SEVERAL_LINES])
def test_a_closure_can_be_ended_after_any_of_its_tokens(code: str) -> None:
    guide = Guide(words())
    tokens = words().tokens(f"```python\n{code}```")
    for number, token in enumerate(tokens):
        guide.take(token)
        if number > 10 and number % 5 == 0:
            begun = Guide(words())
            for one in tokens[: number + 1]:
                begun.take(one)
            reply = words().tokenizer.decode_str([*tokens[: number + 1], *begun.closed()])

            ended = closure_in(reply)
            assert ended is not None, reply
            ast.parse(ended)
