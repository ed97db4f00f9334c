"""The `tars` command. It translates words into actions and outcomes into print; it decides nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from synth import __version__
from synth.errors import TarsError
from synth.model_cli import model as model_commands

if TYPE_CHECKING:
    from synth.actions import Desk

OK, FAILED, BAD_REQUEST, REFUSED, UNREADABLE, NO_SANDBOX, UNCONFIRMED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 8, 130
CODES = """\b
Exit codes: 0 answered; 1 no closure held (or it failed on the source); 2 the request or an option is wrong;
3 refused, with the reason; 4 the source cannot be read; 5 no sandbox here; 6 the home folder; 7 the model;
8 answered, but nothing independent confirms it; 130 Ctrl-C."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
source_option = click.option(
    "--source",
    "-s",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="A file, folder, glob or URL; name=SOURCE to join several.",
)


class Ordered(click.Group):
    """Lists commands in the order in which one needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As written in this file."""
        return list(self.commands)


@click.group(cls=Ordered, epilog=CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tars")
def tars() -> None:
    """Ask any data source in plain words; get typed records and a proved Python function that gets them again.

    \b
    tars ask "total per city, highest first" --source orders.csv
    """


@tars.command()
@click.argument("request")
@source_option
@json_option
@click.option(
    "--model",
    default="",
    metavar="NAME",
    help="builtin, onnx:NAME, openai:NAME, scripted:FILE, auto, or several parted by commas.",
)
@click.option(
    "--expect", default="", metavar="FILE", help="Records that the answer must equal (JSON, JSON Lines or CSV)."
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=None, help="Hand back at most so many records (all are counted)."
)
@click.option("--save", default="", metavar="NAME", help="Keep the closure under this name.")
@click.option(
    "--param", "params", multiple=True, metavar="K=V", help="Another value for one of the closure's parameters."
)
@click.option(
    "--drafts",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="So many independent drafts of a model; what most of them answer is taken.",
)
@click.option("--explain", is_flag=True, help="Tell how the request was understood, what was recalled, and every gate.")
@click.option("--sandbox", default="auto", metavar="NAME", help="Which sandbox runs the closure.")
@click.option(
    "--share",
    type=click.Choice(["none", "schema", "sample"]),
    default=None,
    help="How much of the data a prompt may hold.",
)
def ask(request: str, sources: tuple[str, ...], as_json: bool, model: str, expect: str, limit: int | None, save: str,
        params: tuple[str, ...], drafts: int, explain: bool, sandbox: str, share: str | None) -> None:  # fmt: skip
    """Answer REQUEST over one or several sources.

    \b
    tars ask "revenue per customer over 100 EUR, last 30 days, highest first" --source shop.sqlite
    tars ask "orders with the customer's city" -s orders=orders.csv -s customers=customers.json
    """
    from synth import actions

    said = actions.Said(model, expect, limit, save, _pairs(params), sandbox, share or "", drafts)
    with _desk(quiet=as_json) as desk:
        outcome = actions.ask(desk, request, sources, said)
    _print_outcome(outcome, as_json, explain)


@tars.group(cls=Ordered)
def datasource() -> None:
    """Look at a source: what it is, what it holds, whether it can be read."""


@datasource.command()
@click.argument("source", required=False)
@json_option
@click.option("--batch", is_flag=True, help="Read sources from standard input, one JSON string or object a line.")
@click.option(
    "--mode", type=click.Choice(["auto", "file", "dir", "string", "payload"]), default="auto", help="What SOURCE is."
)
@click.option("--port", type=int, default=None, help="The port that a payload came from.")
@click.option("--probe", is_flag=True, help="Connect to the host and port that SOURCE names, and ask what answers.")
def detect(source: str | None, as_json: bool, batch: bool, mode: Any, port: int | None, probe: bool) -> None:
    """Tell what SOURCE is, how sure that is, and why. Nothing is connected to without --probe.

    \b
    tars datasource detect orders.csv
    tars datasource detect localhost:5432 --probe
    printf '"a.csv"\\n{"source": "redis://cache:6379", "id": 7}\\n' | tars datasource detect --batch
    """
    from synth import detect as detection

    if batch:
        for line in detection.detect_many(sys.stdin):
            click.echo(_dumps(line, indent=None))
        return
    if source is None:
        raise click.UsageError("give a SOURCE, or --batch with sources on standard input")
    if probe:
        from synth.probe import probed

        found = probed(source)
    else:
        found = detection.detect(source, mode=mode, port=port)
    if as_json:
        click.echo(_dumps(detection.to_json(found)))
        return
    click.echo(f"{found.kind}  ({found.family}, confidence {found.confidence:.2f})")
    for reason in found.evidence:
        click.echo(f"  {reason}")
    for kind, confidence in found.alternatives:
        click.echo(f"  or {kind} ({confidence:.2f})")


@datasource.command()
@click.argument("host", required=False, metavar="[HOST[:PORTS]]")
@json_option
@click.option(
    "--env",
    "folder",
    type=click.Path(exists=True, file_okay=False),
    default=None,
    metavar="FOLDER",
    help="Instead: what the environment and the configuration below FOLDER point to. Nothing is connected to.",
)
def discover(host: str | None, as_json: bool, folder: str | None) -> None:
    """Name the services that listen on HOST: on the default ports of every service known, or on PORTS. One host at a time, by
    their greeting or a harmless hello. With --env: the services that dotenv and compose files, manifests and settings name.

    \b
    tars datasource discover localhost
    tars datasource discover localhost:5432,6379,8000-8010
    tars datasource discover --env .
    """
    from synth import actions

    if (host is None) == (folder is None):
        raise click.UsageError("give a HOST, or --env FOLDER")
    with _stages(as_json) as progress:
        rows = actions.services_at(host, progress) if host else actions.services_named(folder or ".", os.environ)
    if as_json:
        click.echo(_dumps({"services": rows}))
        return
    from synth.show import show_records

    show_records(rows)


@datasource.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE")
@json_option
@click.option(
    "--rows", type=click.IntRange(min=1), default=10, show_default=True, help="About so many rows of each table."
)
@click.option("--table", default="", help="Only this table.")
def sample(sources: tuple[str, ...], as_json: bool, rows: int, table: str) -> None:
    """Show sampled rows of SOURCE.

    \b
    tars datasource sample examples/orders.csv --rows 5
    """
    from synth import actions

    with _desk(quiet=as_json) as desk:
        found = actions.sample(desk, sources, rows, table)
    if as_json:
        click.echo(_dumps({"tables": found}))
        return
    from synth.show import show_records

    for name, records in found.items():
        if len(found) > 1:
            click.echo(f"# {name}")
        show_records(records)


@datasource.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE")
@json_option
@click.option(
    "--as",
    "export",
    default="",
    metavar="NAME",
    help="Print it as arrow, dataclass, json-schema, mermaid, pydantic-models or sql.",
)
@click.option("--relations", is_flag=True, help="Only how the tables hang together, with the evidence.")
@click.option(
    "--against",
    default="",
    metavar="OLD",
    help="What changed since OLD: a file with an earlier --json, or another source. Exits with 1 where a change breaks.",
)
def schema(sources: tuple[str, ...], as_json: bool, export: str, relations: bool, against: str) -> None:
    """Show the fields of SOURCE, their types and the evidence for them.

    \b
    tars datasource schema examples/orders.csv
    tars datasource schema examples/shop.sqlite --as sql
    tars datasource schema examples/shop.sqlite --json > old.json
    tars datasource schema examples/shop.sqlite --against old.json
    """
    from synth import actions, exports
    from synth.schema_file import schema_json

    if sum(map(bool, (export, relations, against))) > 1:
        raise click.UsageError("--as, --relations and --against are three different answers; give one")
    with _desk(quiet=as_json or bool(export)) as desk:
        found, facts = actions.schema(desk, sources)
        changes = actions.changes_since(desk, against, found) if against else ()
    if against:
        _print_changes(changes, as_json)
    elif export:
        text = exports.exported(found, export)
        click.echo(_dumps({"export": export, "text": text}) if as_json else text, nl=as_json)
    elif as_json:
        whole = schema_json(found, facts)
        click.echo(_dumps({"relations": whole["relations"]} if relations else whole))
    else:
        from synth.show import show_relations, show_schema

        if relations:
            show_relations(found)
        else:
            show_schema(found, facts)


def _print_changes(changes: Any, as_json: bool) -> None:
    breaking = any(change.breaking for change in changes)
    if as_json:
        click.echo(_dumps({"breaking": breaking, "changes": [vars(change) for change in changes]}))
    else:
        for change in changes:
            click.echo(str(change))
        click.echo(f"{len(changes)} changes{', some of them breaking' if breaking else ''}", err=True)
    if breaking:
        sys.exit(FAILED)


@datasource.command()
@click.argument("source")
@click.argument("request", default="all rows")
@json_option
def generate(source: str, request: str, as_json: bool) -> None:
    """Write and prove a closure for SOURCE; print its code.

    \b
    tars datasource generate examples/orders.csv "paid orders over 50"
    """
    from synth import actions

    with _desk(quiet=as_json) as desk:
        outcome = actions.ask(desk, request, (source,), actions.Said(limit=0))
    if as_json or outcome.answer is None:
        _print_outcome(outcome, as_json, explain=False)
        return
    printed = actions.outcome_json(outcome)["closure"]
    click.echo(printed["code"] if isinstance(printed, dict) else "", nl=False)
    if outcome.status == "unconfirmed":
        click.echo(f"unconfirmed: {outcome.message}", err=True)
        sys.exit(UNCONFIRMED)


@datasource.command("test")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE")
@json_option
def test_command(sources: tuple[str, ...], as_json: bool) -> None:
    """Try SOURCE step by step: open it, list its tables, sample them.

    \b
    tars datasource test postgresql://me@localhost/shop
    """
    from synth import actions

    with _desk(quiet=True) as desk:
        checks = actions.test_source(desk, sources)
    passed = all(c.passed for c in checks)
    if as_json:
        click.echo(_dumps({"passed": passed, "checks": [vars(c) for c in checks]}))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.passed else 'FAIL'} {check.step}: {check.message} ({check.ms:.0f} ms)")
    if not passed:
        sys.exit(UNREADABLE)


@datasource.command()
@json_option
def kinds(as_json: bool) -> None:
    """List every kind of source that TARS knows, and which it reads."""
    from synth.catalog import catalogue

    rows: list[dict[str, object]] = [
        {"kind": k.id, "family": k.family, "read_by": k.connector, "title": k.title} for k in catalogue().kinds.values()
    ]
    if as_json:
        click.echo(_dumps({"kinds": rows}))
        return
    from synth.show import show_records

    show_records(rows)


@tars.group(cls=Ordered)
def closure() -> None:
    """Kept closures: list, show, run and test them."""


@closure.command("list")
@json_option
def list_closures(as_json: bool) -> None:
    """List kept closures, newest first."""
    with _desk(quiet=True) as desk:
        kept = desk.memory().closures.all()
    rows: list[dict[str, object]] = [
        {
            "id": k.id[:12],
            "name": k.name,
            "kind": k.facts.get("kind"),
            "made": k.facts.get("made"),
            "request": k.facts.get("request"),
        }
        for k in kept
    ]
    if as_json:
        click.echo(
            _dumps({"closures": [{**r, "id": k.id, "folder": str(k.folder)} for r, k in zip(rows, kept, strict=True)]})
        )
        return
    from synth.show import show_records

    show_records(rows)


@closure.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the closure NAME (a name or an id): its code, facts and verdict."""
    from synth.closures import kept_closure

    with _desk(quiet=True) as desk:
        kept = kept_closure(desk, name)
    if as_json:
        click.echo(
            _dumps(
                {"id": kept.id, "name": kept.name, "folder": str(kept.folder), "code": kept.code, "facts": kept.facts}
            )
        )
        return
    from synth.show import show_code

    show_code(kept.code)
    click.echo(f"# {kept.facts.get('request')}\n# {kept.folder}", err=True)


@closure.command()
@click.argument("name")
@source_option
@json_option
@click.option("--param", "params", multiple=True, metavar="K=V", help="Another value for one of its parameters.")
@click.option("--limit", type=click.IntRange(min=0), default=None, help="Hand back at most so many records.")
def run(name: str, sources: tuple[str, ...], as_json: bool, params: tuple[str, ...], limit: int | None) -> None:
    """Run the closure NAME again, on its source or another one.

    \b
    tars closure run big-orders --param minimum=500
    """
    from synth.closures import run_closure

    with _desk(quiet=as_json) as desk:
        _, outcome = run_closure(desk, name, sources, _pairs(params), limit)
    _print_outcome(outcome, as_json, explain=False)


@closure.command("test")
@click.argument("name")
@source_option
@json_option
@click.option("--offline", is_flag=True, help="Only replay the recorded proof: no source, no network.")
def test_closure(name: str, sources: tuple[str, ...], as_json: bool, offline: bool) -> None:
    """Prove the closure NAME again: replay its recorded proof, then take it through every gate on its source of today.

    \b
    tars closure test big-orders
    tars closure test big-orders --offline
    """
    from synth import actions
    from synth.closures import retest

    with _desk(quiet=as_json) as desk:
        again = retest(desk, name, sources, offline)
    if as_json:
        click.echo(_dumps(actions.retest_json(again)))
    else:
        from synth.show import show_retest

        show_retest(again)
    if not again.passed:
        sys.exit(UNREADABLE if again.replays and again.unreachable else FAILED)


@closure.command()
@click.argument("one")
@click.argument("other")
@source_option
@json_option
def diff(one: str, other: str, sources: tuple[str, ...], as_json: bool) -> None:
    """Compare two closures: their code, their fields, and what they return over the same rows. Exits with 1 if records differ.

    \b
    tars closure diff big-orders 1f0c9d77
    """
    from synth import actions
    from synth.closures import difference

    with _desk(quiet=as_json) as desk:
        found = difference(desk, one, other, sources)
    if as_json:
        click.echo(_dumps(actions.difference_json(found)))
    else:
        from synth.show import show_difference

        show_difference(found)
    if found.records:
        sys.exit(FAILED)


@closure.command()
@click.argument("name")
@json_option
def rollback(name: str, as_json: bool) -> None:
    """Let NAME mean the closure that it meant before the last --save under that name.

    \b
    tars closure rollback big-orders
    """
    from synth.closures import roll_back

    with _desk(quiet=True) as desk:
        kept = roll_back(desk, name)
    if as_json:
        click.echo(_dumps({"id": kept.id, "name": kept.name, "folder": str(kept.folder)}))
        return
    click.echo(f"{name} is {kept.id[:12]} again: {kept.facts.get('request')}")


@tars.group(cls=Ordered)
def corpus() -> None:
    """What TARS remembers."""


@corpus.command()
@json_option
def reindex(as_json: bool) -> None:
    """Make the search index again from the ledger."""
    with _desk(quiet=as_json) as desk:
        count = desk.memory().index.rebuild()
    click.echo(_dumps({"closures": count}) if as_json else f"{count} closures in the index")


tars.add_command(model_commands)


@tars.group(cls=Ordered)
def sandbox() -> None:
    """Where closures run."""


@sandbox.command()
@click.option("--base", default=None, metavar="IMAGE", help="The image to build on (default: the Dockerfile's own).")
@json_option
def build(base: str | None, as_json: bool) -> None:
    """Build the image of the docker sandbox on the engine that DOCKER_HOST names, or the usual one.

    \b
    tars sandbox build --base python:3.11-slim
    """
    from sandbox.image_build import build_image

    with _stages(as_json) as progress:
        image = build_image(base, progress)
    click.echo(_dumps({"image": image}) if as_json else image)


@tars.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show what this machine offers: sandboxes, tried by attacking them; connectors; models; the home folder."""
    from synth.doctor import examined

    with _desk(quiet=as_json) as desk:
        report = examined(desk)
    if as_json:
        click.echo(_dumps(report.as_json()))
    else:
        for line in report.lines():
            click.echo(line)
    if not report.has_sandbox:
        sys.exit(NO_SANDBOX)


@tars.group(cls=Ordered, invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8321, show_default=True, help="0: the system chooses.")
@click.option(
    "--source",
    "-s",
    "sources",
    multiple=True,
    metavar="NAME=LOCATION",
    help="A source that callers may use by name; its credentials stay here.",
)
@click.option(
    "--backend",
    type=click.Choice(["auto", "local", "docker"]),
    default="auto",
    show_default=True,
    help="The sandbox to run code in.",
)
@click.option("--tls-certificate", default="", metavar="FILE", help="Serve HTTPS, with this certificate (PEM).")
@click.option("--tls-key", default="", metavar="FILE", help="The certificate's key (PEM).")
@click.option("--seconds", type=click.FloatRange(0.1), default=30.0, show_default=True, help="The most for one run.")
@click.option(
    "--memory-mb", type=click.IntRange(64), default=512, show_default=True, help="The most memory for one run."
)
@click.option("--running", type=click.IntRange(1), default=None, help="So many runs at once (default: the processors).")
@click.option("--waiting", type=click.IntRange(0), default=100, show_default=True, help="So many more may wait.")
@click.option("--traces", default="", metavar="URL", help="Send OpenTelemetry spans to this OTLP/HTTP collector.")
@click.pass_context
def serve(ctx: click.Context, /, sources: tuple[str, ...], **said: Any) -> None:
    """Serve the sandbox over HTTP: run code over data, registered sources and kept closures.

    Logs JSON lines to standard error. Ends on Ctrl-C or SIGTERM, once what runs is done.

    \b
    tars serve --source orders=orders.csv
    tars serve keys add reports --scope execute:orders
    """
    if ctx.invoked_subcommand is not None:
        return
    from synth import serving

    with serving.plainly(), _desk(quiet=True) as desk:
        serving.listen(serving.settings_of(desk, sources, serving.Said(**said)))


@serve.group(cls=Ordered)
def keys() -> None:
    """Keys of the service: who may do what. Without any it serves this machine only."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="SCOPE",
    help="execute, execute:SOURCE, validate, run:CLOSURE, run:*, metrics or admin; may be given several times.",
)
@click.option("--days", type=float, default=None, help="Good for so many days (default: until it is revoked).")
@click.option("--per-minute", type=int, default=None, help="So many requests a minute.")
@click.option("--per-day", type=int, default=None, help="So many requests a day.")
@click.option("--concurrent", type=int, default=None, help="So many requests at once.")
@json_option
def add(name: str, scopes: tuple[str, ...], days: float | None, per_minute: int | None, per_day: int | None,
        concurrent: int | None, as_json: bool) -> None:  # fmt: skip
    """Make a key for NAME and print it; it cannot be shown again.

    \b
    tars serve keys add reports --scope run:big-orders --days 90
    """
    from sandbox.service.keys import add_key
    from synth import serving

    with serving.plainly():
        home = serving.home_of(os.environ)
        key, text = add_key(
            home, name, scopes, days=days, per_minute=per_minute, per_day=per_day, concurrent=concurrent
        )
    if as_json:
        click.echo(_dumps({**serving.key_json(key), "key": text}))
        return
    click.echo(text)
    click.echo(f"key {key.id} for {key.name}: {', '.join(key.scopes)}; it is shown only now", err=True)


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys, without their secrets."""
    from sandbox.service import keys as service_keys
    from synth import serving

    with serving.plainly():
        rows = [serving.key_json(key) for key in service_keys.list_keys(serving.home_of(os.environ))]
    if as_json:
        click.echo(_dumps({"keys": rows}))
        return
    from synth.show import show_records

    show_records([{**row, "scopes": " ".join(row["scopes"])} for row in rows])


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the key ID (or a name that one key has); a running service refuses it at once."""
    from sandbox.service.keys import revoke_key
    from synth import serving

    with serving.plainly():
        key = revoke_key(serving.home_of(os.environ), key_id)
    click.echo(_dumps(serving.key_json(key)) if as_json else f"revoked {key.id} ({key.name})")


def main() -> None:
    """Run the command; every mistake that a user can act on becomes one line and an exit code."""
    from corpus.ledger import LedgerUnusable
    from sandbox.job import SandboxDied, SandboxUnavailable

    try:
        tars.main(standalone_mode=False)
    except click.exceptions.Abort:
        _end("interrupted", INTERRUPTED)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_REQUEST)
    except TarsError as error:
        _end(str(error), error.code)
    except (SandboxUnavailable, SandboxDied) as error:
        _end(str(error), NO_SANDBOX)
    except LedgerUnusable as error:
        _end(str(error), 6)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OK)
    except OSError as error:
        if error.errno is None:
            raise
        where = f" ({error.filename})" if error.filename else ""
        _end(f"{error.strerror}{where}", 6)


def _end(message: str, code: int) -> None:
    if "--json" in sys.argv:
        click.echo(_dumps({"status": "failed", "message": message, "exit_code": code}))
    click.echo(f"tars: {message}", err=True)
    sys.exit(code)


@contextmanager
def _desk(quiet: bool) -> Iterator[Desk]:
    from synth.actions import Desk

    with _stages(quiet) as progress:
        desk = Desk(dict(os.environ), progress)
        try:
            yield desk
        finally:
            desk.close()


@contextmanager
def _stages(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Progress for a person at a terminal; silence for a pipe."""
    if quiet or not sys.stderr.isatty():
        yield lambda _text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("…") as status:
        yield lambda text: status.update(text)


def _pairs(params: tuple[str, ...]) -> dict[str, str]:
    for param in params:
        if "=" not in param:
            raise click.UsageError(f"--param {param!r} is not of the form name=value")
    return dict(p.split("=", 1) for p in params)


def _print_outcome(outcome: Any, as_json: bool, explain: bool) -> None:
    from synth import actions

    if as_json:
        click.echo(_dumps(actions.outcome_json(outcome)))
    else:
        from synth.show import show_outcome

        show_outcome(outcome, explain)
    code = {"ok": OK, "refused": REFUSED, "unconfirmed": UNCONFIRMED}.get(outcome.status, FAILED)
    if code != OK:
        sys.exit(code)


def _dumps(value: object, indent: int | None = 2) -> str:
    from synth.show import dumps

    return dumps(value, indent)


if __name__ == "__main__":
    main()
