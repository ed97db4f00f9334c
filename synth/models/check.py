"""Trying a local model: how fast it reads and writes here, what memory it takes, and whether it answers three easy requests."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth.answer import Answer

READ_TOKENS = 512
WRITE_TOKENS = 48

ORDERS = """id,customer,city,total,placed
1,Ada,Berlin,120.50,2026-01-03
2,Ben,Paris,80.00,2026-01-04
3,Ada,Berlin,15.25,2026-02-01
4,Cleo,Oslo,300.00,2026-02-11
5,Dan,Paris,42.10,2026-03-05
6,Cleo,Oslo,61.00,2026-03-09
"""
REQUESTS = ("all orders from Berlin", "total per city, highest first", "the three largest orders")


@dataclass(frozen=True)
class Tried:
    """One request. `right`: its answer is the one that the built-in generator gives."""

    request: str
    status: str
    right: bool
    seconds: float
    message: str


@dataclass(frozen=True)
class Checked:
    """What a model showed."""

    name: str
    architecture: str
    precision: str
    megabytes: float
    context: int
    threads: int
    load_seconds: float
    prompt_tokens: int
    prefill_rate: float
    decode_rate: float
    peak_mb: float
    requests: tuple[Tried, ...]

    @property
    def answered(self) -> int:
        """How many requests were answered rightly."""
        return sum(one.right for one in self.requests)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {**asdict(self), "answered": self.answered}


def checked(name: str, environment: Mapping[str, str]) -> Checked:
    """Load the model, time it, and ask it. Raises BadRequest and ModelProblem."""
    from synth.models.onnx import engine_of, place_of, settings_from
    from synth.models.onnx_decoder import peak_mb
    from synth.models.onnx_sampling import Sampling

    path, suffix = place_of(name, environment)
    settings = settings_from(environment)
    began = time.perf_counter()
    engine = engine_of(path, suffix, settings)
    load_seconds = time.perf_counter() - began
    folder = engine.decoder.folder
    text = "id customer city total placed: what every order was, and who made it. "
    words = engine.words.tokens(text)
    count = max(8, min(READ_TOKENS, engine.context - WRITE_TOKENS - 8))
    prompt = (words * (count // len(words) + 1))[:count]
    engine.generate(prompt, Sampling(), most=WRITE_TOKENS, guided=False)
    pace = engine.pace
    requests = tuple(_tried(name, environment))
    return Checked(
        name,
        folder.architecture,
        folder.choice.precision,
        folder.choice.bytes / 1e6,
        engine.context,
        engine.decoder.threads,
        round(load_seconds, 2),
        pace.prompt_tokens,
        round(pace.prefill_rate, 1),
        round(pace.decode_rate, 1),
        round(peak_mb(), 1),
        requests,
    )


def _tried(name: str, environment: Mapping[str, str]) -> list[Tried]:
    """The requests, through the whole pipeline with a home of its own: nothing that a check writes is kept."""
    from synth.actions import Desk, Said, ask
    from synth.models.hub import added
    from synth.models.problem import ModelProblem

    where = added(environment).get(name)
    choice = f"onnx:{where.folder}" + (f"@{where.precision}" if where.precision else "") if where else f"onnx:{name}"
    tried = []
    with tempfile.TemporaryDirectory() as folder:
        orders = Path(folder) / "orders.csv"
        orders.write_text(ORDERS, encoding="utf-8")
        desk = Desk({**environment, "TARS_HOME": str(Path(folder) / "home"), "TARS_NOW": "2026-04-01"})
        try:
            for request in REQUESTS:
                truth = ask(desk, request, (str(orders),), Said("builtin"))
                began = time.perf_counter()
                try:
                    outcome = ask(desk, request, (str(orders),), Said(choice))
                    status, message = outcome.status, outcome.message
                    right = outcome.answer is not None and _values(outcome.answer) == _values(truth.answer)
                except ModelProblem as problem:
                    status, message, right = "failed", str(problem), False
                tried.append(Tried(request, status, right, round(time.perf_counter() - began, 2), message))
        finally:
            desk.close()
    return tried


def _values(answer: Answer | None) -> list[list[str]]:
    """The records without the names of their columns, for which a model may take words of its own."""
    records = answer.records if answer is not None else ()
    return sorted(sorted(str(value) for value in record.values()) for record in records)
