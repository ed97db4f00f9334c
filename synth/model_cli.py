"""`tars model`: models of the user's own on this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from synth.models.check import Checked

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def model() -> None:
    """Local models: add, list and check them."""


@model.command()
@click.argument("what", metavar="FOLDER|OWNER/REPO")
@click.option("--name", default="", metavar="NAME", help="Call it so (default: the folder's or the repository's name).")
@click.option(
    "--precision", default="", metavar="P", help="q4, int8, fp16, fp32 … (default: the smallest that is good)."
)
@click.option("--revision", default="", metavar="REV", help="A branch, tag or commit of the repository.")
@json_option
def add(what: str, name: str, precision: str, revision: str, as_json: bool) -> None:
    """Make an ONNX model known: a FOLDER that is left where it is, or a repository that is fetched (from HF_ENDPOINT).

    \b
    tars model add ~/models/qwen2.5-coder-0.5b
    tars model add onnx-community/Qwen2.5-Coder-0.5B-Instruct --precision q4
    """
    from synth.models import hub
    from synth.show import dumps

    said = (lambda text: click.echo(text, err=True)) if sys.stderr.isatty() and not as_json else (lambda _text: None)
    made = hub.add(what, os.environ, name, precision, revision, said)
    if as_json:
        shown = {"name": made.name, "folder": str(made.folder), "precision": made.precision, "origin": made.origin}
        click.echo(dumps(shown, 2))
        return
    click.echo(f"{made.name}: use it with --model onnx:{made.name}, or TARS_MODEL=onnx:{made.name}")


@model.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the models that were added, and whether each is still whole."""
    from synth.models import hub
    from synth.show import dumps, show_records

    rows = list(hub.sizes(hub.added(os.environ)))
    if as_json:
        click.echo(dumps({"models": rows}, 2))
        return
    names = ("name", "architecture", "precision", "mb", "context", "state")
    show_records([{name: row.get(name) for name in names} for row in rows])


@model.command()
@click.argument("name", metavar="NAME|FOLDER")
@json_option
def check(name: str, as_json: bool) -> None:
    """Load a model, measure it, and let it answer three requests over a small table. Exits with 1 if it answers none.

    \b
    tars model check qwen2.5-coder-0.5b
    """
    from synth.models import check as checking
    from synth.show import dumps

    found = checking.checked(name, os.environ)
    if as_json:
        click.echo(dumps(found.as_json(), 2))
    else:
        _print(found)
    if not found.answered:
        sys.exit(1)


def _print(found: Checked) -> None:
    click.echo(f"{found.name}: {found.architecture}, {found.precision}, {found.megabytes:.0f} MB of weights")
    click.echo(
        f"loaded in {found.load_seconds:.1f} s, {found.threads} threads; {found.peak_mb:.0f} MB of memory at most"
    )
    click.echo(
        f"reads {found.prefill_rate:.0f} tokens/s ({found.prompt_tokens} tokens), writes {found.decode_rate:.1f} tokens/s"
    )
    for one in found.requests:
        mark = "ok  " if one.right else "no  "
        click.echo(f"{mark} {one.request} ({one.seconds:.1f} s): {one.message}")
    click.echo(f"{found.answered} of {len(found.requests)} requests answered")
