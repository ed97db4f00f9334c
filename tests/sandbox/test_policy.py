"""What a finding says, where it points, and what the policy costs."""

from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.inside.guards import namespace
from sandbox.policy import PolicyRefused, compile_closure, findings_of, parameters_of
from sandbox.policy_rules import BUILTINS, REVIEWED, is_dunder, is_plain


@pytest.mark.parametrize(
    ("line", "rule", "words"),
    [
        ("yield open('x')", "name-not-allowed", "Read through `source`"),
        ("yield row.__slots__", "attribute-not-allowed", ""),
        ("import pandas as pd", "import-not-allowed", "source.query"),
        ("import requests", "import-not-allowed", "source.get"),
        ("from json import parse", "import-not-allowed", "loads"),
        ("yield Decimal(1)", "name-unknown", "from decimal import Decimal"),
        ("yield math.pi", "name-unknown", "import math"),
        ("yield tpyo", "name-unknown", "Define it"),
        ("yield '{0.a}'.format(row)", "format-not-allowed", "f-string"),
        ("class A(metaclass=int): pass", "construct-not-allowed", "Leave it out"),
        ("@print\n    def f(): pass", "decorator-not-allowed", "functools"),
        ("class A:\n        def __setattr__(self, n, v): pass", "method-not-allowed", "__getitem__"),
    ],
)
def test_a_finding_says_what_to_write_instead(line: str, rule: str, words: str) -> None:
    code = f'def closure(source):\n    row = next(source.query("x"))\n    {line}\n'

    (finding,) = findings_of(code)

    assert finding.rule == rule
    assert words in f"{finding.message} {finding.hint}"
    assert finding.line in (3, 4)


def test_all_findings_come_at_once_and_in_order() -> None:
    code = "import os\nimport sys\ndef closure(source):\n    eval('1')\n    yield source.__class__\n"

    assert [finding.line for finding in findings_of(code)] == [1, 2, 4, 5]


def test_findings_are_bounded() -> None:
    code = "def closure(source):\n" + "    yield source.__class__\n" * 200

    assert len(findings_of(code)) == 20


def test_refused_code_is_not_compiled() -> None:
    with pytest.raises(PolicyRefused, match="import-not-allowed") as refused:
        compile_closure("import os\ndef closure(source):\n    yield 1\n")

    assert refused.value.findings[0].line == 1


def test_another_entry_can_be_named() -> None:
    code = "def main(source, *, n: int = 1):\n    yield n\n"

    assert findings_of(code)
    assert findings_of(code, "main") == ()
    assert parameters_of(code, "main") == (("n", "int", "1"),)


def test_lines_of_errors_are_those_of_the_code() -> None:
    code = "def closure(source):\n    class A: pass\n    a = A()\n    a.x = 1\n    a._y = 2\n    yield a._z\n"
    space = namespace({})
    exec(compile_closure(code), space)

    with pytest.raises(AttributeError) as raised:
        list(space["closure"](None))

    frames = []
    trace = raised.value.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    assert ("<closure>", 6) in frames


def test_every_syntax_node_was_decided_on() -> None:
    """A node of a newer Python is refused until somebody adds it to the reviewed ones."""
    left_out = {
        node.__name__
        for node in vars(ast).values()
        if isinstance(node, type) and issubclass(node, ast.AST) and not node.__subclasses__() and node not in REVIEWED
    }

    assert {"Interactive", "Expression", "FunctionType"} <= left_out
    assert not left_out & {"Call", "Attribute", "Name", "Match", "AsyncFor"}


def test_no_dangerous_builtin_is_on_the_list() -> None:
    dangerous = {
        "open",
        "eval",
        "exec",
        "compile",
        "globals",
        "locals",
        "dir",
        "input",
        "breakpoint",
    }

    assert not BUILTINS & dangerous
    assert not {name for name in namespace({})["__builtins__"] if name in dangerous or name == "BaseException"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_is_answered_with_findings_or_code(text: str) -> None:
    findings = findings_of(text)

    assert findings or compile_closure(text)


@given(st.text(alphabet="_abf", min_size=1, max_size=12))
def test_no_plain_name_is_private_or_dunder(name: str) -> None:
    assert not (is_plain(name) and (is_dunder(name) or name.startswith("_")))
