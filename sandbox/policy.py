"""This file is the policy: which code may run at all. RestrictedPython, extended to what models write, deny by default.

Nearly every rule is decided by reading the code, so that code which passes runs at the speed of plain Python. The few that
depend on the object at hand become calls of guards (sandbox/inside/guards.py) whose names cannot be written in source.
The policy is a linter with teeth; the wall is the sandbox around the process.
"""

# ruff: noqa: N802  # visitors are named for the nodes they visit

from __future__ import annotations

import ast
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from RestrictedPython.transformer import RestrictingNodeTransformer

from sandbox import policy_rules as rules
from sandbox.finding import Finding
from sandbox.inside.modules import SHOWN, allowed

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class PolicyRefused(Exception):
    """The code breaks the policy; `findings` say where and what to write instead."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings = findings


def findings_of(code: str, entry: str = "closure") -> tuple[Finding, ...]:
    """What the policy holds against the code, in the order of its lines; empty when it may run."""
    return _checked(code, entry)[0]


def compile_closure(code: str, entry: str = "closure") -> types.CodeType:
    """The code compiled, with its guards, to be run in `guards.namespace`. Raises PolicyRefused."""
    findings, compiled = _checked(code, entry)
    if compiled is None:
        raise PolicyRefused(findings)
    return compiled


def parameters_of(code: str, entry: str = "closure") -> tuple[tuple[str, str, str], ...]:
    """The keyword parameters of the closure as (name, annotation, default), both as source text; "" where there is none."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ()
    for node in tree.body:
        if isinstance(node, _FunctionNode) and node.name == entry:
            return tuple(
                (
                    arg.arg,
                    ast.unparse(arg.annotation) if arg.annotation else "",
                    ast.unparse(default) if default else "",
                )
                for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            )
    return ()


@lru_cache(maxsize=64)
def _checked(code: str, entry: str) -> tuple[tuple[Finding, ...], types.CodeType | None]:
    tree = _parsed(code)
    if isinstance(tree, Finding):
        return (tree,), None
    cap = _cap_passed(tree)
    if cap:
        return (cap,), None
    policy = _Policy(_bindings(tree))
    try:
        policy.check_entry(tree, entry)
        guarded = ast.fix_missing_locations(cast(ast.Module, policy.visit(tree)))
    except RecursionError:
        return (_finding("code-depth", "the code is nested too deeply", hint="Split it into small functions."),), None
    if policy.findings:
        ordered = sorted(policy.findings, key=lambda finding: finding.line or 0)
        return tuple(dict.fromkeys(ordered))[: rules.FINDINGS], None
    try:
        return (), compile(guarded, rules.FILENAME, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        return (_syntax_finding(problem),), None


def _finding(rule: str, message: str, node: ast.AST | None = None, hint: str = "") -> Finding:
    return Finding("policy", rule, message, getattr(node, "lineno", None), None, hint)


def _syntax_finding(problem: Exception) -> Finding:
    if isinstance(problem, SyntaxError):
        message = f"this is not valid Python: {problem.msg}"
        return Finding("policy", "syntax", message, problem.lineno, None, "Write one complete Python module.")
    return _finding(
        "syntax", f"this is not valid Python: {type(problem).__name__}", hint="Write one complete Python module."
    )


def _parsed(code: str) -> ast.Module | Finding:
    size = len(code.encode("utf-8", "surrogatepass"))
    if size > rules.CODE_BYTES:
        message = f"the code has {size} bytes, more than {rules.CODE_BYTES}"
        return _finding("code-size", message, hint="Keep data out of the code and read it through `source`.")
    try:
        return ast.parse(code, rules.FILENAME)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as problem:
        return _syntax_finding(problem)


def _cap_passed(tree: ast.Module) -> Finding | None:
    """Counted without recursion, because what follows recurses."""
    nodes = 0
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        nodes += len(level)
        depth += 1
        if nodes > rules.NODES:
            return _finding("code-size", f"the code has more than {rules.NODES} syntax nodes", hint="Write less code.")
        if depth > rules.DEPTH:
            message = f"the code is nested more than {rules.DEPTH} levels deep"
            return _finding("code-depth", message, level[0], "Split it into small functions.")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return None


@dataclass(frozen=True)
class _Bindings:
    """Every name that the module binds somewhere, how often, and which of them are modules."""

    counts: Counter[str]
    modules: dict[str, str]
    imported: frozenset[str]


def _bindings(tree: ast.Module) -> _Bindings:
    counts: Counter[str] = Counter()
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else name
                # The same import twice binds the same module: it still counts once.
                counts[name] += modules.get(name) != module
                modules[name] = module
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                counts[alias.asname or alias.name] += 1
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        else:
            counts.update(_names_bound_by(node))
    known = {name: module for name, module in modules.items() if counts[name] == 1 and module in SHOWN}
    return _Bindings(counts, known, frozenset(modules))


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            return


class _Policy(RestrictingNodeTransformer):
    """Checks a module and returns it with its annotations taken off and its guards put in."""

    def __init__(self, bindings: _Bindings) -> None:
        super().__init__()
        self.findings: list[Finding] = []
        self.bindings = bindings
        # Innermost last: None for a function, the name for a class.
        self.scopes: list[str | None] = []
        self.classes_seen: set[str] = set()

    # What is refused, and how it is said

    def refuse(self, node: ast.AST, rule: str, message: str, hint: str = "") -> None:
        """Note a finding; the visit goes on, so that a model hears of all of them at once."""
        self.findings.append(_finding(rule, message, node, hint))

    def error(self, node: ast.AST, info: str) -> None:
        """What the base class refuses is a finding too."""
        self.refuse(node, "construct-not-allowed", info)

    def visit(self, node: ast.AST) -> Any:
        """Refuse every construct that was not reviewed, whatever the base class knows of it."""
        if type(node) not in rules.REVIEWED:
            self.refuse(
                node, "construct-not-allowed", f"{type(node).__name__} is not allowed", "Use plainer statements."
            )
            return node
        return self.node_contents_visit(node) if type(node) in rules.TRANSPARENT else super().visit(node)

    def check_entry(self, tree: ast.Module, entry: str) -> None:
        """Exactly one function of that name, taking `source` and keyword parameters with defaults."""
        found = [node for node in tree.body if isinstance(node, _FunctionNode) and node.name == entry]
        shape = f"Write `def {entry}(source, *, name: type = default): ...` once, at the top level."
        if not found:
            self.refuse(tree, "closure-missing", f"there is no function {entry!r} at the top level", shape)
            return
        if len(found) > 1 or self.bindings.counts[entry] > 1:
            self.refuse(found[-1], "closure-missing", f"{entry!r} is bound more than once", shape)
        arguments = found[0].args
        positional = arguments.posonlyargs + arguments.args
        if [arg.arg for arg in positional] != ["source"] or arguments.vararg or arguments.kwarg or arguments.defaults:
            given = ast.unparse(arguments)
            message = f"the signature is ({given}), but `source` must be its one positional parameter"
            self.refuse(found[0], "closure-signature", message, f"{shape} Put `*` after `source`.")
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is None:
                self.refuse(arg, "closure-signature", f"parameter {arg.arg!r} has no default", "Give it one.")
        if found[0].decorator_list:
            self.refuse(found[0], "closure-signature", f"{entry!r} may not be decorated", shape)

    # Names

    def check_name(self, node: ast.AST, name: str | None, allow_magic_methods: bool = False) -> None:
        """Any name may be bound but the interpreter's own."""
        if name is not None and (rules.is_dunder(name) or not name.isidentifier()):
            self.refuse(node, "name-not-allowed", f"the name {name!r} cannot be bound", "Choose a plain name.")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name that is bound here or in the allow-list of builtins."""
        name = node.id
        if name in rules.HABITUAL_DUNDERS or (name in rules.METHODS and self.in_class()):
            return node
        if not isinstance(node.ctx, ast.Load):
            if not (name in rules.CLASS_ATTRIBUTES and self.in_class()):
                self.check_name(node, name)
        elif name != "__name__" and (rules.is_dunder(name) or not self.is_known(name)):
            known_elsewhere = name in rules.NAME_HINTS or rules.is_dunder(name)
            rule = "name-not-allowed" if known_elsewhere else "name-unknown"
            message = f"{name!r} is not available here" if known_elsewhere else f"the name {name!r} is not defined"
            self.refuse(node, rule, message, self.name_hint(name))
        return node

    def in_class(self) -> bool:
        """Directly in the body of a class, where names become attributes."""
        return bool(self.scopes) and self.scopes[-1] is not None

    def is_known(self, name: str) -> bool:
        """Bound somewhere in the module, or there from the start."""
        return name in self.bindings.counts or name in rules.BUILTINS or name in rules.EXTRA_NAMES

    def name_hint(self, name: str) -> str:
        """What to write instead of this name."""
        if name in rules.NAME_HINTS:
            return rules.NAME_HINTS[name]
        if name in SHOWN:
            return f"Add `import {name}`."
        homes = [module for module in sorted(SHOWN) if name in SHOWN[module]]
        return f"Add `from {homes[0]} import {name}`." if homes else "Define it, or use what is there."

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """Module-level names of the closure."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """Names of an enclosing function."""
        for name in node.names:
            self.check_name(node, name)
        return node

    # Attributes

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Public names as they are; private and ambiguous ones, and all writes, through a guard."""
        name = node.attr
        if not isinstance(node.ctx, ast.Load):
            if rules.is_dunder(name) or rules.is_refused(name):
                self.refuse_attribute(node, name)
            node.value = self.guarded(rules.GUARD_WRITE, self.visit(node.value), node=node)
            return node
        if name == "__name__" and isinstance(node.value, ast.Attribute) and node.value.attr == "__class__":
            node.value.value = self.visit(node.value.value)
            return node
        if name in rules.GUARDED_DUNDERS:
            return self.guarded(rules.GUARD_GETATTR, self.visit(node.value), ast.Constant(name), node=node)
        if rules.is_dunder(name):
            if not (name in rules.READABLE_DUNDERS or (name in rules.METHODS and self.is_super(node.value))):
                self.refuse_attribute(node, name)
        elif rules.is_refused(name):
            self.refuse_attribute(node, name)
        elif name in rules.GUARDED_ATTRIBUTES or name.startswith("_"):
            mangled = ast.copy_location(ast.Constant(self.mangled(name)), node)
            return self.guarded(rules.GUARD_GETATTR, self.visit(node.value), mangled, node=node)
        else:
            self.check_shown(node)
        node.value = self.visit(node.value)
        return node

    def is_super(self, node: ast.expr) -> bool:
        """Certainly `super()`, which only works on the closure's own objects."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"):
            return False
        return not (node.args or node.keywords or "super" in self.bindings.counts)

    def guarded(self, guard: str, *args: ast.expr, node: ast.AST) -> ast.Call:
        """A call of a guard, at the place of the node."""
        called = ast.Call(func=ast.Name(guard, ast.Load()), args=list(args), keywords=[])
        return ast.fix_missing_locations(ast.copy_location(called, node))

    def mangled(self, name: str) -> str:
        """The name as the compiler would write it inside a class: `__x` becomes `_Class__x`."""
        enclosing = next((scope for scope in reversed(self.scopes) if scope is not None), None)
        if enclosing is None or not name.startswith("__") or not enclosing.strip("_"):
            return name
        return f"_{enclosing.lstrip('_')}{name}"

    def refuse_attribute(self, node: ast.AST, name: str) -> None:
        """A name that leads out of the closure's own objects."""
        hints = {
            "__class__": "Use type(x), isinstance, or x.__class__.__name__.",
            "__dict__": "Name the fields, or use dataclasses.asdict.",
            "__traceback__": "Use str(error) and type(error).__name__.",
            "__cause__": "Keep the first error in a variable of your own.",
            "__context__": "Keep the first error in a variable of your own.",
            "format_map": "Use an f-string or .format(name=value).",
            "__init__": "Call super().__init__(...).",
        }
        hint = hints.get(name, "Use the operators, builtins and public methods instead.")
        self.refuse(node, "attribute-not-allowed", f"the attribute {name!r} cannot be used", hint)

    def module_of(self, node: ast.expr) -> str | None:
        """The allowed module that this expression certainly is, if any."""
        if isinstance(node, ast.Name):
            return self.bindings.modules.get(node.id)
        if isinstance(node, ast.Attribute):
            parent = self.module_of(node.value)
            name = f"{parent}.{node.attr}"
            return name if parent and name in SHOWN else None
        return None

    def check_shown(self, node: ast.Attribute) -> None:
        """What is read from a module must be one of the names that it shows."""
        module = self.module_of(node.value)
        if module is not None and node.attr not in SHOWN[module]:
            self.refuse_member(node, module, node.attr)

    def refuse_member(self, node: ast.AST, module: str, name: str) -> None:
        """A name that this module does not show."""
        shown = ", ".join(sorted(SHOWN[module]))
        self.refuse(node, "import-not-allowed", f"{module}.{name} is not available", f"{module} has: {shown}.")

    # Calls are plain Python: what they reach was checked where it came from

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A literal template is checked here and then called plainly; everything else goes by its name."""
        for keyword in node.keywords:
            if keyword.arg is not None and rules.is_dunder(keyword.arg):
                self.check_name(keyword, keyword.arg)
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and function.attr == "format"
            and isinstance(function.value, ast.Constant)
            and isinstance(function.value.value, str)
        ):
            problem = rules.template_problem(function.value.value)
            if problem:
                self.refuse(node, "format-not-allowed", problem, "Use plain names or numbers in it, or an f-string.")
            node.args = [self.visit(arg) for arg in node.args]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            return node
        return self.node_contents_visit(node)

    # Assignment

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Without restrictions but for `__slots__` and `__match_args__`, which are lists of plain names."""
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id in rules.CLASS_ATTRIBUTES and not _plain_names(node.value):
                self.refuse(node, "name-not-allowed", f"{target.id} must be a tuple of plain names", "Write it so.")
        return self.node_contents_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Annotations mean nothing when the code runs, except in classes, where they make fields."""
        if self.in_class() and isinstance(node.target, ast.Name):
            self.check_name(node, node.target.id)
            if rules.is_refused(node.target.id):
                self.refuse(node, "name-not-allowed", f"{node.target.id!r} cannot be a field", "Choose another name.")
            keep = self.can_evaluate(node.annotation)
            node.annotation = self.visit(node.annotation) if keep else ast.copy_location(ast.Constant(None), node)
            node.value = self.visit(node.value) if node.value else None
            return node
        if node.value is None:
            if isinstance(node.target, ast.Name):
                self.check_name(node, node.target.id)
            return ast.copy_location(ast.Pass(), node)
        return cast(
            ast.AST,
            self.visit(ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)),
        )

    def can_evaluate(self, annotation: ast.expr) -> bool:
        """Made of names certainly there and certainly no texts: library code may evaluate a text as Python."""
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name):
                times_bound = self.bindings.counts[node.id]
                made_here = node.id in self.bindings.imported or node.id in self.classes_seen
                if times_bound != 1 if made_here else (times_bound or node.id not in rules.BUILTINS):
                    return False
            elif isinstance(node, ast.Constant):
                if node.value is not None and node.value is not Ellipsis:
                    return False
            elif not isinstance(
                node, (ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.BinOp, ast.BitOr, ast.Load)
            ):
                return False
        return True

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Every target; the operator of an own class would be handed the old value, so ambiguous attributes are refused."""
        if isinstance(node.target, ast.Attribute) and node.target.attr in rules.GUARDED_ATTRIBUTES:
            self.refuse_attribute(node, node.target.attr)
        return self.node_contents_visit(node)

    # Statements

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """A bare `except:` catches Exception, no more."""
        self.check_name(node, node.name)
        if node.type is None:
            caught = ast.Name(rules.GUARD_EXCEPTION, ast.Load())
            node.body = [statement for part in node.body for statement in _as_list(self.visit(part))]
            node.type = ast.copy_location(caught, node)
            return node
        return self.node_contents_visit(node)

    # match

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """Attribute patterns read attributes, so only plain names."""
        for name in node.kwd_attrs:
            if not rules.is_plain(name):
                self.refuse_attribute(node, name)
        return self.node_contents_visit(node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        """The rest gets a plain name."""
        self.check_name(node, node.rest)
        return self.node_contents_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        """A capture gets a plain name."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        """A capture gets a plain name."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    # Functions and classes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Plain names, and in classes the reviewed special methods; annotations are taken off."""
        if rules.is_dunder(node.name):
            if not (self.in_class() and node.name in rules.METHODS):
                hint = "Use a plain method, or one of: " + ", ".join(sorted(rules.METHODS)) + "."
                self.refuse(node, "method-not-allowed", f"the method {node.name!r} cannot be defined", hint)
        else:
            self.check_name(node, node.name)
        node.returns = None
        node.type_comment = None
        node.decorator_list = [self.decorator(decorator) for decorator in node.decorator_list]
        node.args = self.visit(node.args)
        self.scopes.append(None)
        node.body = [statement for part in node.body for statement in _as_list(self.visit(part))]
        self.scopes.pop()
        if getattr(node, "type_params", None):
            self.refuse(node, "construct-not-allowed", "type parameters are not allowed", "Leave them out.")
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815  # same fields

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """As functions."""
        node.args = self.visit(node.args)
        self.scopes.append(None)
        node.body = self.visit(node.body)
        self.scopes.pop()
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """A plain name, its annotation taken off."""
        self.check_name(node, node.arg)
        node.annotation = None
        return node

    def decorator(self, node: ast.expr) -> ast.expr:
        """A name, an attribute of a name, or a call of these: what it is was checked where it was bound."""
        target = node.func if isinstance(node, ast.Call) else node
        base = target.value if isinstance(target, ast.Attribute) else target
        if isinstance(base, ast.Attribute) and self.module_of(base):
            base = base.value
        own = isinstance(base, ast.Name) and base.id in self.bindings.counts
        builtin = isinstance(target, ast.Name) and target.id in ("property", "staticmethod", "classmethod")
        if not (own or builtin):
            hint = "Use property, staticmethod, classmethod, dataclass, functools and contextlib ones, or a function of yours."
            self.refuse(node, "decorator-not-allowed", f"@{ast.unparse(node)[:60]} is not an allowed decorator", hint)
        return cast(ast.expr, self.visit(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Plain classes; their bases are checked when the class is made."""
        self.check_name(node, node.name)
        for keyword in node.keywords:
            if keyword.arg != "total" or not isinstance(keyword.value, ast.Constant):
                self.refuse(
                    keyword, "construct-not-allowed", f"class keyword {keyword.arg!r} is not allowed", "Leave it out."
                )
        if getattr(node, "type_params", None):
            self.refuse(node, "construct-not-allowed", "type parameters are not allowed", "Leave them out.")
        node.decorator_list = [self.decorator(decorator) for decorator in node.decorator_list]
        node.bases = [self.visit(base) for base in node.bases]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        self.scopes.append(node.name)
        node.body = [statement for part in node.body for statement in _as_list(self.visit(part))]
        self.scopes.pop()
        self.classes_seen.add(node.name)
        return node

    # Imports

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """Allowed modules, by any plain name."""
        for alias in node.names:
            self.check_name(node, alias.asname)
            self.check_module(node, alias.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Shown names of allowed modules, by any plain name."""
        if node.module == "__future__" and not node.level and all(alias.name == "annotations" for alias in node.names):
            return ast.copy_location(ast.Pass(), node)
        if node.level or node.module is None:
            self.refuse(node, "import-not-allowed", "relative imports are not allowed", "Write all code in one module.")
            return node
        if not self.check_module(node, node.module):
            return node
        for alias in node.names:
            self.check_name(node, alias.asname)
            if alias.name == "*":
                self.refuse(node, "import-not-allowed", "star imports are not allowed", "Name what you need.")
            elif alias.name not in SHOWN[node.module]:
                self.refuse_member(node, node.module, alias.name)
        return node

    def check_module(self, node: ast.AST, name: str) -> bool:
        """Whether the module can be imported; a finding if not."""
        if name in SHOWN:
            return True
        top = name.partition(".")[0]
        hint = rules.MODULE_HINTS.get(name) or rules.MODULE_HINTS.get(top) or f"Allowed are: {', '.join(allowed())}."
        self.refuse(node, "import-not-allowed", f"module {name!r} cannot be imported", hint)
        return False


def _as_list(visited: object) -> list[ast.stmt]:
    return visited if isinstance(visited, list) else [cast(ast.stmt, visited)]


def _plain_names(node: ast.expr) -> bool:
    """A literal tuple or list of texts (or one text) that are plain or private names."""
    parts = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]
    names = [part.value if isinstance(part, ast.Constant) else None for part in parts]
    return all(
        isinstance(name, str) and rules.is_plain(name.lstrip("_")) and not rules.is_dunder(name) for name in names
    )
