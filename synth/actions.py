"""What TARS can be told to do, as functions from plain values to plain values. The command line and services translate to these."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from synth.errors import BadRequest, HomeProblem, SourceProblem
from synth.source import Completeness, OpenOptions, Source

if TYPE_CHECKING:
    from corpus.memory import Memory
    from sandbox.job import Sandbox
    from synth.answer import Answer
    from synth.closures import Difference, Retest
    from synth.evolution import Change
    from synth.outcome import Outcome
    from synth.schema import Field, Schema


@dataclass(frozen=True)
class Said:
    """What the user said with a request, beside it."""

    model: str = ""
    expect: str = ""
    limit: int | None = None
    save: str = ""
    parameters: Mapping[str, str] | None = None
    sandbox: str = "auto"
    share: str = ""
    drafts: int = 1


@dataclass
class Desk:
    """What one process works with: environment, home, today, and a sandbox and memory that open when first needed."""

    environment: Mapping[str, str]
    progress: Callable[[str], None] = lambda _text: None
    _sandbox: Sandbox | None = None
    _memory: Memory | None = None

    def sandbox(self, name: str = "auto") -> Sandbox:
        """The sandbox; starting it goes on in the background until the first job needs it."""
        if self._sandbox is None:
            from sandbox.open import open_sandbox

            self._sandbox = open_sandbox(name)
        return self._sandbox

    def memory(self) -> Memory:
        """The corpus in the user's home. Raises HomeProblem."""
        if self._memory is None:
            from corpus.home import HomeUnusable, home_of
            from corpus.memory import Memory

            try:
                self._memory = Memory(home_of(self.environment))
            except HomeUnusable as error:
                raise HomeProblem(str(error)) from error
        return self._memory

    def now(self) -> datetime:
        """This moment, or the one that TARS_NOW fixes."""
        return now_of(self.environment)

    def options(self, request: str = "") -> OpenOptions:
        """How sources are opened."""
        return OpenOptions(
            request=request,
            environment=dict(self.environment),
            now=self.now(),
            timeout_seconds=_seconds(self.environment.get("TARS_TIMEOUT", "20")),
            progress=self.progress,
        )

    def close(self) -> None:
        """Stop the sandbox, close the memory."""
        if self._sandbox is not None:
            self._sandbox.close()
        if self._memory is not None:
            self._memory.close()


def ask(desk: Desk, text: str, sources: Sequence[str], said: Said) -> Outcome:
    """Answer a request over sources. A refusal or a failed closure is an outcome; only a user's mistake or a broken source raises."""
    from synth.models.choose import writers_for
    from synth.models.problem import ModelProblem
    from synth.pipeline import Tools
    from synth.pipeline import ask as pipeline_ask
    from synth.request import Refusal, Request

    if not text.strip():
        raise BadRequest("the request is empty", 'Say what you want: tars ask "total per city" --source orders.csv')
    if len(text) > 20_000:
        raise BadRequest(f"the request has {len(text)} characters; at most 20000 are read", "Say it shorter")
    if said.save:
        _check_name(said.save)
    writers = writers_for(said.model, desk.environment, said.share)
    expected = None if not said.expect else records_in(said.expect, desk)
    sandbox, memory = desk.sandbox(said.sandbox), desk.memory()
    with opened(desk, sources, text) as source:
        tools = Tools(
            writers,
            sandbox,
            memory,
            limit=said.limit,
            drafts=said.drafts,
            save_as=said.save,
            provenance={"source": reference_of(sources), "access": access_of(text, sources)},
            progress=desk.progress,
        )
        request = Request(without_access(text, sources), desk.now(), expected, dict(said.parameters or {}))
        outcome = pipeline_ask(request, source, tools)
    first = outcome.attempts[0].written if outcome.attempts else None
    if isinstance(first, Refusal) and first.rule == "model-unavailable" and outcome.status == "refused":
        raise ModelProblem(first.reason)
    return outcome


@contextmanager
def opened(desk: Desk, sources: Sequence[str], request: str = "") -> Iterator[Source]:
    """The source or sources, open for the block."""
    from synth.opening import open_all

    source = open_all(tuple(sources), desk.options(request))
    try:
        yield source
    finally:
        source.close()


def schema(desk: Desk, sources: Sequence[str], rows: int = 200) -> tuple[Schema, Mapping[str, object]]:
    """The schema of a source, with evidence, and what its connector found out about its format."""
    from synth.evidence import schema_of

    with opened(desk, sources) as source:
        sample = source.sample(rows)
        facts = getattr(source, "facts", {})
        return schema_of(source, sample), {"kind": source.kind, **facts}


def services_at(target: str, progress: Callable[[str], None]) -> list[dict[str, object]]:
    """What listens on the ports of one host (`HOST` or `HOST:PORTS`)."""
    from synth.probe import discovered, ports_of

    host, ports = ports_of(target)
    progress(f"trying {len(ports)} ports of {host}")
    return [
        {"source": d.source, "kind": d.kind, "family": d.family, "confidence": d.confidence, "evidence": d.evidence[0]}
        for d in discovered(host, ports)
    ]


def services_named(folder: str, environment: Mapping[str, str]) -> list[dict[str, object]]:
    """What the environment and the configuration below a folder point to, secrets masked."""
    from synth.pointers import pointers

    return [asdict(pointer) for pointer in pointers(Path(folder), environment)]


def changes_since(desk: Desk, old: str, new: Schema) -> tuple[Change, ...]:
    """How a schema differs from an earlier one: that of a file with a printed schema, or of a source as it is."""
    from synth.evolution import changes
    from synth.schema_file import is_schema_file, read_back

    path = Path(old)
    return changes(read_back(path) if is_schema_file(path) else schema(desk, (old,))[0], new)


def sample(desk: Desk, sources: Sequence[str], rows: int, table: str = "") -> dict[str, list[dict[str, object]]]:
    """Sampled rows of each table (or one) as plain records."""
    from synth.evidence import as_read

    with opened(desk, sources) as source:
        drawn = source.sample(rows)
        tables = {t.name: t for t in source.tables()}
        if table and table not in tables:
            raise BadRequest(f"no table {table!r}", f"There are: {', '.join(tables)}")
        return {
            name: as_read(tables[name], drawn.a[name]).to_pylist()
            for name in tables
            if name in drawn.a and table in ("", name)
        }


@dataclass(frozen=True)
class Check:
    """One step of testing a source."""

    step: str
    passed: bool
    message: str
    ms: float


def test_source(desk: Desk, sources: Sequence[str]) -> list[Check]:
    """Open, list, sample: each step with its time; the first that fails ends it, with the reason."""
    checks: list[Check] = []

    def step(name: str, act: Callable[[], object], words: Callable[[object], str]) -> object:
        began = time.perf_counter()
        try:
            result = act()
        except SourceProblem as error:
            checks.append(Check(name, False, f"{error.reason}: {error}", ms_since(began)))
            raise
        checks.append(Check(name, True, words(result), ms_since(began)))
        return result

    from synth.opening import open_all

    try:
        source = step(
            "open",
            lambda: open_all(tuple(sources), desk.options()),
            lambda s: f"a source of kind {getattr(s, 'kind', '')}",
        )
        assert hasattr(source, "close")
        try:
            tables = step("tables", source.tables, lambda t: _counted(t, "table"))  # type: ignore[attr-defined]  # a Source
            step("sample", lambda: source.sample(20), lambda s: _sampled(s, tables))  # type: ignore[attr-defined]  # a Source
        finally:
            source.close()
    except SourceProblem:
        pass  # it is the last of the checks
    return checks


def _check_name(name: str) -> None:
    from corpus.closures import BadName, check_name

    try:
        check_name(name)
    except BadName as error:
        raise BadRequest(str(error)) from error


def records_in(path: str, desk: Desk) -> tuple[dict[str, object], ...]:
    """The records of a file that the user gives to compare with: JSON, or anything else that TARS reads as one table."""
    file = Path(path)
    if not file.is_file():
        raise BadRequest(f"no file {path!r} with expected records", "Give a JSON, JSON Lines or CSV file")
    if file.suffix == ".json":
        try:
            loaded = json.loads(file.read_text())
        except ValueError as error:
            raise BadRequest(f"{path!r} is not JSON: {error}") from error
        found = loaded.get("records", [loaded]) if isinstance(loaded, dict) else loaded
        if not all(isinstance(r, dict) for r in found):
            raise BadRequest(f"{path!r} must hold an array of objects")
        return tuple(found)
    with opened(desk, [path]) as source:
        table = source.tables()[0].name
        query = source.capability.query  # type: ignore[attr-defined]  # a file's doors
        return tuple(row for batch in query(f'SELECT * FROM "{table}"') for row in batch.to_pylist())


def reference_of(sources: Sequence[str]) -> str:
    """How a closure remembers its sources: absolute paths, addresses with their secrets masked; one a line."""
    from synth.sources.credentials import masked

    lines = []
    for text in sources:
        name, _, location = text.rpartition("=") if "=" in text and not Path(text).exists() else ("", "", text)
        if "://" in text:
            lines.append(masked(text))
        else:
            lines.append(f"{name}={Path(location).absolute()}" if name else str(Path(text).absolute()))
    return "\n".join(lines)


def access_of(text: str, sources: Sequence[str]) -> str:
    """What the request said about authentication, by names of variables alone, for the closure's next run; empty if nothing."""
    plain = without_access(text, sources)
    return "" if plain == text else masked_words(text)


def without_access(text: str, sources: Sequence[str]) -> str:
    """The request without its words on authentication, and with pasted secrets masked: what writers, ledger and closures see."""
    if not any("://" in source for source in sources):
        return text
    from synth.sources.auth_words import without_auth_words

    return masked_words(without_auth_words(text))


def masked_words(text: str) -> str:
    """The text with secrets that were pasted into it masked; names of variables stay."""
    from synth.sources.auth_words import secrets_in

    for secret in secrets_in(text):
        text = text.replace(secret, "***")
    return text


def now_of(environment: Mapping[str, str]) -> datetime:
    """TARS_NOW (ISO date or time), else the clock; in TARS_TIMEZONE or TZ, else UTC."""
    zone = _zone(environment.get("TARS_TIMEZONE") or environment.get("TZ") or "")
    fixed = environment.get("TARS_NOW", "")
    if not fixed:
        return datetime.now(zone)
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError as error:
        raise BadRequest(
            f"TARS_NOW={fixed!r} is not a date or time", "Write it like 2026-03-31 or 2026-03-31T12:00:00+01:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name.lstrip(":")) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise BadRequest(f"TARS_TIMEOUT={text!r} is not a number of seconds") from error
    return max(0.1, seconds)


def ms_since(began: float) -> float:
    """Milliseconds since that reading of the performance counter."""
    return round((time.perf_counter() - began) * 1000, 1)


def _counted(things: object, word: str) -> str:
    count = len(things)  # type: ignore[arg-type]  # a sequence
    return f"{count} {word}{'' if count == 1 else 's'}"


def _sampled(drawn: object, tables: object) -> str:
    rows = sum(t.num_rows for t in drawn.a.values())  # type: ignore[attr-defined]  # a Sample
    return f"{rows} rows of {_counted(tables, 'table')}" if rows else "every table is empty"


def outcome_json(outcome: Outcome) -> dict[str, object]:
    """The one object that `ask --json` prints."""
    from synth.request import Draft

    last = outcome.last
    answer = outcome.answer
    records = list(answer.records) if answer else []
    closure = None
    code = last.written.code if last and isinstance(last.written, Draft) else ""
    if outcome.closure_id or code:
        closure = {
            "id": outcome.closure_id,
            "name": outcome.closure_name,
            "folder": outcome.closure_folder,
            "code": code,
        }
    return {
        "status": outcome.status,
        "message": outcome.message,
        "records": records,
        "schema": [_field_json(f) for f in answer.fields] if answer else [],
        "closure": closure,
        "verdict": [asdict(r) for r in (last.verdict.reports if last and last.verdict else ())],
        **completeness_json(answer),
        "model": last.writer if last else "",
        "passed_over": [{"model": writer, "reason": why} for writer, why in outcome.passed_over],
        "attempts": len(outcome.attempts),
        "confirmed_by": list(last.confirmations) if last else [],
        "refusal": _refusal_json(outcome),
        "timings_ms": outcome.timings_ms,
    }


def completeness_json(answer: Answer | None) -> dict[str, object]:
    """State and reason, how many records there are in all, and the rows that were set aside."""
    if answer is None:
        return {"completeness": None, "completeness_reason": "", "total": 0, "set_aside": 0, "set_aside_examples": []}
    return delivered_json(answer.completeness, answer.total)


def delivered_json(completeness: Completeness, total: int) -> dict[str, object]:
    """The same of a run whose records went elsewhere."""
    return {
        "completeness": completeness.state,
        "completeness_reason": completeness.reason,
        "total": total,
        "set_aside": completeness.set_aside_count,
        "set_aside_examples": [asdict(a) for a in completeness.set_aside],
    }


def retest_json(again: Retest) -> dict[str, object]:
    """What `closure test --json` prints."""
    return {
        "id": again.kept.id,
        "name": again.kept.name,
        "passed": again.passed,
        "replays": again.replays,
        "verdict": None if again.verdict is None else [asdict(r) for r in again.verdict.reports],
        "unreachable": again.unreachable,
    }


def difference_json(found: Difference) -> dict[str, object]:
    """What `closure diff --json` prints."""
    return {
        "one": found.one.id,
        "other": found.other.id,
        "code": found.code,
        "output": found.output,
        "records": found.records,
        "counts": list(found.counts),
    }


def _field_json(field: Field) -> dict[str, object]:
    return {"name": field.name, "type": field.type, "nullable": field.nullable, "unit": field.unit}


def _refusal_json(outcome: Outcome) -> dict[str, object] | None:
    from synth.request import Refusal

    refusal = next((a.written for a in outcome.attempts if isinstance(a.written, Refusal)), None)
    return asdict(refusal) if refusal and outcome.status == "refused" else None
