"""Fills a template with facts; a fact that is missing is refused. Also tells which version of the words this is."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


class MissingFact(Exception):
    """A template names a fact that was not given; the message names both."""


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([HERE, HERE / "templates"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # what is written is Python and plain text, never HTML
    )


@cache
def prompt_version() -> str:
    """A short hash of every prompt and closure template: it changes when any word of them does."""
    texts = sorted([*HERE.glob("*.md"), *HERE.glob("templates/*.jinja")])
    whole = hashlib.sha256()
    for path in texts:
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()[:12]


def render(template: str, **facts: object) -> str:
    """The template (a file name in this package) with the facts in it. Raises MissingFact."""
    from jinja2 import UndefinedError

    try:
        return _environment().get_template(template).render(**facts)
    except UndefinedError as error:
        raise MissingFact(f"{template}: {error.message}") from error
