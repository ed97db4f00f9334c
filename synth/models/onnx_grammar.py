"""The grammar of a reply: one fenced Python module with imports and one `closure`, or the one line with which a model says no.

Python's indentation is no context-free language, so there is a set of rules for each depth of block, up to one that closures
never need. Expressions come in two kinds: on one line, and within brackets, where a line may end. What the grammar admits,
`ast.parse` admits: precedence is left out because it cannot make a text wrong.
"""

from __future__ import annotations

import importlib
import keyword
import string
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sandbox.inside.modules import SHOWN, allowed
from synth.models.problem import ModelProblem
from synth.models.wire import shown

DEPTH = 6
"""Blocks within blocks, the function's own body being the first."""

MOST_CLOSING = 160
"""A reply that is ended by force is ended within so many tokens."""

_WORDS = r"""
ID: /[A-Za-z][A-Za-z0-9_]*|_/ & ~KEYWORD
KEYWORD: {keywords}
CONSTANT: "True" | "False" | "None"
NUMBER: /(0|[1-9][0-9]{0,15}(_[0-9]{3}){0,4})(\.[0-9]{1,15})?/
SHORT: /"([^"\\\n\r\x00-\x1f\x7f]|\\[\\'"nrt])*"/ | /'([^'\\\n\r\x00-\x1f\x7f]|\\[\\'"nrt])*'/
RAW: /r"([^"\\\n\r\x00-\x1f\x7f]|\\[^"'\n\r\x00-\x1f\x7f])*"/ | /r'([^'\\\n\r\x00-\x1f\x7f]|\\[^"'\n\r\x00-\x1f\x7f])*'/
LONG: /"{3}("{0,2}[^"\\`\r\x00-\x09\x0b-\x1f\x7f]|"{0,2}`[^"\\`\r\n\x00-\x1f\x7f]{1,64}`)*"{3}/
FILLED: "f\"" (PLAIN_DOUBLE | "{{" | "}}" | SLOT_SINGLE)* "\"" | "f'" (PLAIN_SINGLE | "{{" | "}}" | SLOT_DOUBLE)* "'"
PLAIN_DOUBLE: /[^"\\{}\n\r\x00-\x1f\x7f]/
PLAIN_SINGLE: /[^'\\{}\n\r\x00-\x1f\x7f]/
SLOT_SINGLE: "{" ID ("." ID | /\['[A-Za-z0-9_ ]{1,64}'\]/)* /(:[0-9.,<>+-]{0,6}[dfsgx%]?)?/ "}"
SLOT_DOUBLE: "{" ID ("." ID | /\["[A-Za-z0-9_ ]{1,64}"\]/)* /(:[0-9.,<>+-]{0,6}[dfsgx%]?)?/ "}"
TYPE: /{plain}/ | /(list|tuple|set|dict|Sequence|Iterable)\[({plain})(, ({plain}|\.\.\.)){0,2}\]/
DOTTED: ID ("." ID)*
ASSIGN: / ?= ?/
AUGMENT: / ?(\+|-|\*|\*\*|\/|\/\/|%|\||&)= ?/
DOCSTRING: /"{3}[^"\\`\n\r\x00-\x1f\x7f]{1,300}"{3}/
CANNOT: /CANNOT: [^\n\r`\x00-\x1f\x7f]{8,300}/
HEAD_END: /:( {1,2}#[^\n\r`\x00-\x1f\x7f]{0,160})?/
END: /( {0,2}#[^\n\r`\x00-\x1f\x7f]{0,160})?\n{1,2}```/
"""

_PLAIN_TYPES = "Decimal|int|str|float|bool|date|datetime|time|timedelta|bytes|object|dict|list"

_HEAD = r"""
start: "```python\n" imports function END | CANNOT
imports: (IMPORT "\n")* /\n{0,3}/
IMPORT: {imports}
function: "def closure(" EDGE "source" parameters ")" returns HEAD_END line_1 DOCSTRING (line_1 statement_1_00)+
parameters: ("," GAP_B "*" ("," GAP_B parameter){1,16} ","? )? EDGE
parameter: ID ": " type " = " expr_b
type: TYPE " | None"?
returns: (" -> " ("Iterator" | "Iterable" | "Generator") "[" type (", " type){0,2} "]")?
GAP_B: /( |\n {0,60})?/
EDGE: /(( {1,2}#[^\n\r`\x00-\x1f\x7f]{0,160})?\n {0,60})?/
"""

_EXPRESSION = r"""
expr_V: chain_V (IF_W chain_V ELSE_W expr_V)? | LAMBDA expr_V
chain_V: NOT* unit_V ((BINARY_W | IS_W NOT?) unit_V | BOOLEAN_W NOT* unit_V)*
unit_V: "-"* (NUMBER | CONSTANT | strings_V | primary_V)
primary_V: (ID | display) trailer* | strings_V "." ID trailer*
BINARY_W: /S(\*\*|\*|\/\/|\/|%|\+|-|==|!=|<=|>=|<|>|\||&|\^|<<|>>)S/ | /M(in|not in)M/
IS_W: /MisM/
BOOLEAN_W: /M(and|or)M/
IF_W: /MifM/
ELSE_W: /MelseM/
"""

_SHARED = r"""
LAMBDA: "lambda" (" " ID (", " ID){0,4})? /: ?/
NOT: "not "
strings_n: SHORT | RAW | LONG | FILLED
strings_b: strings_n (/ |\n {0,60}/ strings_n){0,40}
trailer: "." ID | call | "[" EDGE subscript EDGE "]"
subscript: expr_b (COMMA expr_b){0,3} | expr_b? COLON expr_b? (COLON expr_b?)?
call: "(" EDGE (arguments CLOSE_COMMA | expr_b comprehension EDGE)? ")"
arguments: positional (COMMA positional)* (COMMA named)* | named (COMMA named)*
positional: expr_b | "*" primary_b
named: ID ASSIGN expr_b | "**" primary_b
display: "(" EDGE (expr_b EDGE | element COMMA (element (COMMA element)* CLOSE_COMMA)? | expr_b comprehension EDGE)? ")"
    | "[" EDGE (element (COMMA element)* CLOSE_COMMA | expr_b comprehension EDGE)? "]"
    | "{" EDGE (item (COMMA item)* CLOSE_COMMA | expr_b COLON expr_b comprehension EDGE
        | expr_b comprehension EDGE | element (COMMA element)* CLOSE_COMMA)? "}"
element: expr_b | "*" primary_b
item: expr_b COLON expr_b | "**" primary_b
comprehension: (FOR_B targets IN_B chain_b (IF_B chain_b)*)+
targets: part (", " part){0,6}
part: ID | "(" ID (", " ID){1,6} ")"
FOR_B: /( |\n {0,60})for /
IN_B: / in /
COMMA: /,( {0,2}#[^\n\r`\x00-\x1f\x7f]{0,160}\n {0,60}| |\n {0,60})?/
COLON: / ?:( |\n {0,60})?/
CLOSE_COMMA: /,?(( {1,2}#[^\n\r`\x00-\x1f\x7f]{0,160})?\n {0,60})?/
target: ID (trailer* (("." ID) | "[" EDGE subscript EDGE "]"))?
several: target (", " target){1,6}
values: expr_n (", " expr_n){0,6}
invoked: ID trailer* call
simple: target ASSIGN (yielded | values)
    | several ASSIGN values
    | target AUGMENT expr_n
    | ID ": " type ASSIGN expr_n
    | yielded
    | invoked
    | "pass"
    | "return"
    | "raise " ID call
yielded: "yield " (values | "from " expr_n)
handler: "except " (DOTTED | "(" DOTTED (", " DOTTED){1,4} ")") (" as " ID)? HEAD_END
"""


def closure_grammar() -> str:
    """In llguidance's form of Lark."""
    return "\n".join(_rules())


def _rules() -> Iterator[str]:
    keywords = " | ".join(f'"{word}"' for word in keyword.kwlist)
    yield _filled(_HEAD, imports=_imports())
    yield _filled(_WORDS, keywords=keywords, plain=_PLAIN_TYPES)
    # S may be there, M must be; within brackets both may be the end of a line.
    for kind, may, must in (("n", " ?", " "), ("b", r"( |\n {0,60})?", r"( |\n {0,60})")):
        text = _EXPRESSION.replace("_V", f"_{kind}").replace("_W", f"_{kind.upper()}")
        for mark, blank in (("S", may), ("M", must)):
            text = text.replace(f"/{mark}", f"/{blank}").replace(f"{mark}/", f"{blank}/")
        yield text
    yield _SHARED
    for depth in range(1, DEPTH + 1):
        indent = " " * (4 * depth)
        # A line begins after what may stand between: the comment that ends the last one, empty lines, lines of comment.
        yield rf"line_{depth}: LINE_{depth}"
        yield (
            rf"LINE_{depth}: /( {{1,2}}#[^\n\r`\x00-\x1f\x7f]{{0,160}})?\n"
            rf"(( {{0,60}}#[^\n\r`\x00-\x1f\x7f]{{0,160}})?\n){{0,3}}{indent}/"
        )
        for loop in "01":
            for inner in "01":
                yield from _statements(depth, loop, inner)


def _statements(depth: int, loop: str, inner: str) -> Iterator[str]:
    """Statements at a depth: `loop` where they stand in one, `inner` in a function within the closure."""
    here = f"{depth}_{loop}{inner}"
    kinds = ["simple"]
    if loop == "1":
        kinds += ['"continue"', '"break"']
    if inner == "1":
        kinds.append('"return " values')
    if depth < DEPTH:
        deeper = depth + 1
        block = f"block_{deeper}_{loop}{inner}"
        looped = f"block_{deeper}_1{inner}"
        kinds += [
            f'"for " targets " in " values HEAD_END {looped}',
            f'"while " expr_n HEAD_END {looped}',
            f'"if " expr_n HEAD_END {block} (line_{depth} "elif " expr_n HEAD_END {block})*'
            f' (line_{depth} "else" HEAD_END {block})?',
            f'"try" HEAD_END {block} (line_{depth} handler {block})+',
        ]
        if inner == "0" and depth == 1:
            kinds.append(f'"def " ID "(" (ID (", " ID){{0,5}})? ")" HEAD_END block_{deeper}_01')
    yield f"statement_{here}: " + "\n    | ".join(kinds)
    if depth > 1:
        yield f"block_{here}: (line_{depth} statement_{here})+"


def _imports() -> str:
    """`import x` and `from x import y` for what the sandbox lets a closure import."""
    said = [f'"import " ({" | ".join(_literal(module) for module in allowed())}) (" as " ID)?']
    for module in allowed():
        names = " | ".join(_literal(name) for name in sorted(SHOWN.get(module, ())))
        if names:
            said.append(f'"from {module} import " ({names}) (", " ({names})){{0,8}}')
    return "\n    | ".join(said)


def _literal(word: str) -> str:
    return f'"{word}"'


def _filled(template: str, **facts: str) -> str:
    for name, value in facts.items():
        template = template.replace("{" + name + "}", value)
    return template


class Guide:
    """Holds one reply to the grammar. `ended`: nothing can follow any more."""

    def __init__(self, words: GuideWords) -> None:
        self._words = words
        self._matcher = words.matcher()
        self._said = bytearray()

    @property
    def ended(self) -> bool:
        """The reply is whole and cannot go on."""
        return bool(self._matcher.is_stopped())

    def admits(self, token: int) -> bool:
        """Whether this token may come next."""
        return bool(self._matcher.validate_tokens([token]) == 1)

    def mask(self) -> bytes:
        """Which tokens may come next: a bit for each, lowest first."""
        mask = bytes(self._matcher.compute_bitmask())
        if self._matcher.is_error():
            raise ModelProblem(
                f"the reply can no longer be held to the grammar: {shown(self._matcher.get_error(), 120)}",
                "Set TARS_ONNX_GRAMMAR=off to do without",
                "cut-off",
            )
        return mask

    def take(self, token: int) -> None:
        """Go on with this token, which was admitted."""
        if not self._matcher.consume_token(token):
            raise RuntimeError(f"the grammar refuses a token that it admitted: {shown(self._matcher.get_error(), 160)}")
        self._said += self._words.tokenizer.decode_bytes([token])

    def forced(self) -> list[int]:
        """Tokens that must follow, taken already."""
        tokens = list(self._matcher.compute_ff_tokens())
        for token in tokens:
            self.take(token)
        return tokens

    def closed(self) -> list[int]:
        """Tokens that end the reply soon, well-formed, taken already. Raises ModelProblem where none are found."""
        added: list[int] = []
        while not (self.ended or self._matcher.is_accepting()):
            if len(added) > MOST_CLOSING:
                raise ModelProblem(
                    "the reply could not be ended where its room ended", "Ask something smaller", "cut-off"
                )
            step = self._closing()
            for token in step:
                self.take(token)
            added += step
        return added

    def _closing(self) -> Sequence[int]:
        """The first of the fragments that bring this text nearer to an end, or else any one token that may come next."""
        for fragment in closing_fragments(self._said.decode("utf-8", "ignore").removeprefix("```python\n")):
            tokens = self._words.tokens(fragment)
            if self._matcher.validate_tokens(list(tokens)) == len(tokens):
                return tokens
        admitted = self._words.listed(self.mask())
        return next(([token] for token in self._words.letters if token in admitted), sorted(admitted)[:1])


class GuideWords:
    """The grammar over one vocabulary; guides are made from it."""

    def __init__(self, tokenizer_json: str, vocab: int, stops: Sequence[int]) -> None:
        self.vocab = vocab
        self.tokenizer = _library().LLTokenizer(tokenizer_json, n_vocab=vocab, eos_token=list(stops))
        self._fragments: dict[str, tuple[int, ...]] = {}
        letters = (self.tokens(letter) for letter in string.ascii_letters + " \n`" + string.digits)
        self.letters = tuple(tokens[0] for tokens in letters if len(tokens) == 1)
        self._first = self._made()

    def matcher(self) -> Any:
        """A matcher at the beginning of a reply."""
        return self._first.deep_copy()

    def tokens(self, text: str) -> tuple[int, ...]:
        """A text's tokens."""
        if text not in self._fragments:
            self._fragments[text] = tuple(self.tokenizer.tokenize_str(text))
        return self._fragments[text]

    def listed(self, mask: bytes) -> set[int]:
        """The tokens in a mask."""
        bits = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), bitorder="little")[: self.vocab]
        return {int(i) for i in np.flatnonzero(bits)}

    def _made(self) -> Any:
        matchers = _library().LLMatcher
        # A large vocabulary has far more paths through an expression than the library's defaults allow for.
        limits = _library().LLParserLimits(
            max_items_in_row=20_000, step_lexer_fuel=20_000_000, step_max_items=10_000_000, verbose_errors=False
        )
        made = matchers(self.tokenizer, matchers.grammar_from_lark(closure_grammar()), log_level=0, limits=limits)
        if made.is_error():
            raise ModelProblem(
                f"replies cannot be held to the grammar of closures: {shown(made.get_error(), 200)}",
                "Set TARS_ONNX_GRAMMAR=off to do without",
                "unsupported",
            )
        return made


_INDENTS = [" " * (4 * depth) for depth in range(1, DEPTH + 1)]
_IN_BRACKETS = tuple(" else 0|: int = 0| = 0|: 0| in x|,|.x| 0|0|x| x|int".split("|"))
_AT_LINE = (
    "\n```",
    *(f"\n{i}except ValueError:\n{i}    pass" for i in _INDENTS[:-1]),
    *(f":\n{i}pass" for i in _INDENTS[1:]),
    *("\n" * n + "def closure(source):" for n in (3, 1, 0)),
    ':\n    """x"""',
    *(f"\n{i}pass" for i in _INDENTS),
    '\n    """x"""',
    '"""x"""',
    '""x"""',
    '"x"""',
    *" else 0| in x| = 0|=0|.x|()| int = 0| 0|0| x|pass|x".split("|"),
)


def closing_fragments(said: str) -> tuple[str, ...]:
    """Texts that may bring a reply nearer to its end, by where in its code it stands: those that end most first."""
    quote, brackets, in_comment = _standing(said)
    if quote:
        return (
            quote,
            quote[1:] or quote,
            quote[2:] or quote,
            f"x{quote}",
            f"`{quote}",
            f"x`{quote}",
            "}",
            "x}",
            "n",
            "x",
        )
    if in_comment:
        return (f"\n{brackets[-1]}", "\n0", "\n") if brackets else tuple(f for f in _AT_LINE if f.startswith("\n"))
    return (brackets[-1], *_IN_BRACKETS) if brackets else _AT_LINE


def _standing(said: str) -> tuple[str, list[str], bool]:
    """The quote of the string that the text ends in ("" for none), the brackets that are open, as they would be closed, and
    whether it ends in a comment."""
    quote, brackets, at, in_comment = "", [], 0, False
    while at < len(said):
        here = said[at]
        if quote:
            if here == "\\":
                at += 1
            elif said.startswith(quote, at):
                at += len(quote) - 1
                quote = ""
        elif here in "\"'":
            quote = here * 3 if said.startswith(here * 3, at) else here
            at += len(quote) - 1
        elif here == "#":
            in_comment = "\n" not in said[at:]
            at = len(said) if in_comment else said.index("\n", at)
        elif here in "([{":
            brackets.append(")]}"["([{".index(here)])
        elif here in ")]}" and brackets:
            brackets.pop()
        at += 1
    return quote, brackets, in_comment


def _library() -> Any:
    try:
        return importlib.import_module("llguidance")
    except ImportError:
        raise ModelProblem(
            "llguidance is not installed", "Install it: pip install 'tars-closures[onnx]'", "missing-extra"
        ) from None
