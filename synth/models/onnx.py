"""A model in a local folder, run by onnxruntime: no server, no key, and nothing leaves the machine.

`onnx:NAME` is a model that `tars model add` knows, `onnx:FOLDER` any folder laid out like a Hugging Face repository; `@q4` after
either picks a precision. Replies are held to the grammar of closures (see `onnx_grammar`), so each of them can be read.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import BadRequest
from synth.models.budget import Account, Budget, budget_of, caps_from, price_from
from synth.models.onnx_grammar import MOST_CLOSING
from synth.models.onnx_sampling import Numbers, Sampling, drawn, penalised, sampling_of
from synth.models.problem import BudgetReached, ModelProblem
from synth.models.reply import Reply
from synth.request import Writer

if TYPE_CHECKING:
    from synth.models.onnx_decoder import Decoder, Run
    from synth.models.onnx_grammar import Guide, GuideWords
    from synth.models.onnx_words import Words

MOST_REPLY = 2_048
"""A closure is shorter than so many tokens; a longer reply is ended."""

WARMTH = 0.8
"""The temperature of drafts that shall differ."""

SECONDS = 600.0


@dataclass(frozen=True)
class Settings:
    """How a model is run. `threads` 0: as many as there are processors; `context` 0: the model's own."""

    most_tokens: int = MOST_REPLY
    threads: int = 0
    context: int = 0
    seconds: float = SECONDS
    seed: int = 0
    grammar: bool = True


def settings_from(environment: Mapping[str, str]) -> Settings:
    """TARS_MODEL_MAX_TOKENS, TARS_MODEL_TIMEOUT (seconds), TARS_ONNX_THREADS, TARS_ONNX_CONTEXT, TARS_ONNX_SEED and
    TARS_ONNX_GRAMMAR=off. Raises ModelProblem for what cannot be meant."""

    def number(name: str, default: float, least: float, most: float) -> float:
        text = environment.get(name, "").strip()
        try:
            value = float(text) if text else default
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ModelProblem(f"{name}={text!r} is not a number from {least:g} to {most:g}", "", "bad-settings")
        return value

    return Settings(
        int(number("TARS_MODEL_MAX_TOKENS", MOST_REPLY, 0, 1_000_000)) or MOST_REPLY,
        int(number("TARS_ONNX_THREADS", 0, 0, 1_024)),
        int(number("TARS_ONNX_CONTEXT", 0, 0, 10_000_000)),
        number("TARS_MODEL_TIMEOUT", SECONDS, 0.1, 86_400),
        int(number("TARS_ONNX_SEED", 0, 0, 2**32)),
        environment.get("TARS_ONNX_GRAMMAR", "on").lower() not in ("off", "no", "0", "false"),
    )


@dataclass
class Row:
    """One reply as it grows. `finish` is why it ended: `stop`, `length`, `closed` (ended by force, well-formed) or ""."""

    chance: np.random.Generator
    guide: Guide | None = None
    tokens: list[int] = field(default_factory=list)
    finish: str = ""


@dataclass(frozen=True)
class Pace:
    """How fast a generation was."""

    prompt_tokens: int
    reply_tokens: int
    prefill_seconds: float
    decode_seconds: float

    @property
    def prefill_rate(self) -> float:
        """Tokens of the prompt a second."""
        return self.prompt_tokens / max(self.prefill_seconds, 1e-9)

    @property
    def decode_rate(self) -> float:
        """Tokens of the reply a second, the first one being the prefill's."""
        return max(0, self.reply_tokens - 1) / max(self.decode_seconds, 1e-9)


class Engine:
    """A loaded model with its words and its grammar; one generation runs at a time."""

    def __init__(self, decoder: Decoder, words: Words, settings: Settings) -> None:
        self.decoder = decoder
        self.words = words
        self.settings = settings
        stops = list(decoder.folder.stops)
        if words.stop is not None and words.stop not in stops:
            stops.append(words.stop)
        if not stops:
            raise ModelProblem(
                f"{decoder.folder.path.name} does not say which token ends a reply",
                "Add eos_token_id to its generation_config.json",
                "corrupt-model",
            )
        self.stops = tuple(stops)
        self.context = min(settings.context or decoder.context, decoder.context)
        self.pace = Pace(0, 0, 0.0, 0.0)
        self._guides: GuideWords | None = None
        self._lock = threading.Lock()

    def guide(self) -> Guide:
        """A fresh hold on one reply; the grammar over this vocabulary is made once."""
        from synth.models.onnx_grammar import Guide, GuideWords

        if self._guides is None:
            size = max(self.decoder.vocab, self.words.size)
            self._guides = GuideWords(self.words.as_json, size, self.stops)
        return Guide(self._guides)

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        rows: int = 1,
        most: int = MOST_REPLY,
        guided: bool = True,
        seed: int = 0,
        stop_strings: Sequence[str] = (),
    ) -> list[Row]:
        """`rows` replies to one prompt, read once. Each ends at a stop token, after a stop string (which it keeps), where the
        grammar lets nothing follow, or after `most` tokens; a guided one is then brought to its end."""
        if len(prompt) >= self.context:
            raise ModelProblem(
                f"the prompt has {len(prompt)} tokens, and the model's context ends at {self.context}",
                "Ask about fewer tables, or use a model with a longer context",
                "context-too-long",
            )
        most = min(most, self.context - len(prompt))
        with self._lock:
            began = time.perf_counter()
            run = self.decoder.begin(prompt, most)
            read = time.perf_counter()
            made = [
                Row(np.random.default_rng([seed, number]), self.guide() if guided else None) for number in range(rows)
            ]
            self._continue(run, made, list(prompt), sampling, most, stop_strings)
            ended = time.perf_counter()
        self.pace = Pace(len(prompt), max(len(row.tokens) for row in made), read - began, ended - read)
        return made

    def _continue(
        self, run: Run, made: list[Row], prompt: list[int], sampling: Sampling, most: int, stop_strings: Sequence[str]
    ) -> None:
        deadline = time.monotonic() + self.settings.seconds
        if made[0].guide is not None:
            most -= min(MOST_CLOSING, most // 2)  # what ends a reply by force has to fit as well
        run.spread(len(made))
        going = made
        while True:
            fed: list[list[int]] = []
            for row, logits in zip(going, run.logits, strict=True):
                fed.append(self._next(row, logits, prompt, sampling, alone=len(going) == 1, room=most))
                if stop_strings and not row.finish and self._said(row, stop_strings):
                    row.finish = "stop"
                if not row.finish and len(row.tokens) >= most:
                    self._cut(row)
            kept = [number for number, row in enumerate(going) if not row.finish]
            if not kept:
                return
            if time.monotonic() > deadline:
                raise ModelProblem(
                    f"no reply within {self.settings.seconds:g} s",
                    "Set TARS_MODEL_TIMEOUT higher, or use a smaller model",
                    "timeout",
                )
            run.keep(kept)
            going = [going[number] for number in kept]
            run.step([fed[number] for number in kept])

    def _next(
        self, row: Row, logits: Numbers, prompt: list[int], sampling: Sampling, alone: bool, room: int
    ) -> list[int]:
        """The next token of a reply; with those that the grammar forces after it where one row runs alone."""
        logits = penalised(logits, [*prompt, *row.tokens] if sampling.penalty != 1.0 else [], sampling.penalty)
        guide = row.guide
        # Most of what is drawn is admitted, and to ask about one token is far cheaper than about all of them.
        token = drawn(logits, sampling, row.chance)
        if guide is not None and not guide.admits(token):
            bits = np.unpackbits(np.frombuffer(guide.mask(), dtype=np.uint8), bitorder="little")[: logits.size]
            token = drawn(np.where(bits.astype(bool), logits, -np.inf), sampling, row.chance)
        if token in self.stops:
            row.finish = "stop"
            return []
        row.tokens.append(token)
        new = [token]
        if guide is not None:
            guide.take(token)
            if guide.ended:
                row.finish = "stop"
            elif alone:
                forced = [t for t in guide.forced() if t not in self.stops]
                row.tokens += forced
                new += forced
                if guide.ended or len(row.tokens) >= room:
                    self._cut(row)
        return new

    def _cut(self, row: Row) -> None:
        """End a reply whose room is used up."""
        if row.guide is None:
            row.finish = "length"
        elif row.guide.ended:
            row.finish = "stop"
        else:
            row.tokens += [t for t in row.guide.closed() if t not in self.stops]
            row.finish = "closed"

    def _said(self, row: Row, stop_strings: Sequence[str]) -> bool:
        longest = max(len(s) for s in stop_strings)
        tail = self.words.text(row.tokens[-longest - 8 :])
        return any(s in tail for s in stop_strings)


class LocalModel:
    """A model on this machine as the writer of closures knows it. Calls count on the budget like those of any other model.

    Asked the same again within one request it draws its reply, so that a fresh draft is not the last one once more."""

    local = True

    def __init__(
        self,
        name: str,
        opened: Callable[[], Engine],
        budget: Budget | None = None,
        key: object = None,
        asked: _Asked | None = None,
    ) -> None:
        self.name = f"onnx:{name}"
        self._opened = opened
        self.budget = budget or Budget()
        self.account: Account = self.budget.account_of(key if key is not None else self)
        self._plain_name = name
        self._asked = asked or _Asked()

    def for_request(self, request: object) -> LocalModel:
        """The same model, counting on this request's account."""
        return LocalModel(self._plain_name, self._opened, self.budget, request, self._asked)

    @property
    def engine(self) -> Engine:
        """The loaded model; the first call loads it."""
        return self._opened()

    def complete(self, messages: Sequence[dict[str, str]]) -> Reply:
        """The reply: the likeliest one when first asked. Raises ModelProblem and BudgetReached."""
        prompt = self.engine.words.prompt(messages)
        before = self._asked.count(self.account, prompt)
        return self._replies(prompt, 1, WARMTH if before else 0.0, before)[0]

    def complete_many(self, messages: Sequence[dict[str, str]], n: int) -> list[Reply]:
        """`n` replies drawn independently from one reading of the prompt."""
        prompt = self.engine.words.prompt(messages)
        return self._replies(prompt, n, WARMTH if n > 1 else 0.0, self._asked.count(self.account, prompt))

    def _replies(self, prompt: Sequence[int], n: int, temperature: float, again: int) -> list[Reply]:
        engine, settings = self.engine, self.engine.settings
        held = self.budget.reserve(self.account, len(prompt), n * settings.most_tokens)
        usage = None
        try:
            rows = engine.generate(
                prompt,
                sampling_of(engine.decoder.folder.generation, temperature),
                n,
                max(1, held.reply // n),
                settings.grammar,
                settings.seed + again,
            )
            usage = self.budget.priced(len(prompt), sum(len(row.tokens) for row in rows), False)
        finally:
            self.budget.settle(held, usage)
        made = []
        for number, row in enumerate(rows):
            # What was read once is counted once: with the first reply.
            part = self.budget.priced(0 if number else len(prompt), len(row.tokens), False)
            made.append(Reply(self._whole(row, held.bounded, held.which), part))
        return made

    def _whole(self, row: Row, bounded: bool, which: str) -> str:
        """The text of a reply. Raises for one that is cut off or empty."""
        if row.finish == "length" and bounded:
            raise BudgetReached(
                f"the reply was stopped where it would have passed the budget of {which}",
                "Raise it, or ask something smaller",
                "budget",
            )
        if row.finish == "length":
            raise ModelProblem(
                f"{self.name}: the reply was cut off after {len(row.tokens)} tokens",
                "Set TARS_MODEL_MAX_TOKENS higher",
                "cut-off",
            )
        text = self.engine.words.text(row.tokens)
        if not text.strip():
            raise ModelProblem(f"{self.name}: the reply was empty", "Try another model", "empty")
        return text


class _Asked:
    """How often each prompt was asked within each request."""

    def __init__(self) -> None:
        self._counts: weakref.WeakKeyDictionary[Account, dict[int, int]] = weakref.WeakKeyDictionary()

    def count(self, account: Account, prompt: Sequence[int]) -> int:
        """How often this prompt was asked before; it counts from now on."""
        counts = self._counts.setdefault(account, {})
        key = hash(tuple(prompt))
        counts[key] = counts.get(key, 0) + 1
        return counts[key] - 1


@lru_cache(maxsize=2)
def engine_of(path: Path, suffix: str, settings: Settings) -> Engine:
    """The loaded model, which this process shares: loading takes seconds, and its weights most of the memory."""
    return load(path, suffix, settings)


_LOADING = threading.Lock()


def shared_engine(path: Path, suffix: str, settings: Settings) -> Engine:
    """`engine_of`, where several threads may ask at once: one loads, the others wait for it."""
    with _LOADING:
        return engine_of(path, suffix, settings)


def load(path: Path, suffix: str = "", settings: Settings | None = None) -> Engine:
    """Load a folder's model. Raises ModelProblem."""
    from synth.models.onnx_decoder import Decoder
    from synth.models.onnx_folder import folder_of
    from synth.models.onnx_words import Words

    settings = settings or Settings()
    folder = folder_of(path, suffix)
    return Engine(Decoder(folder, settings.threads), Words(folder.path), settings)


def place_of(settings: str, environment: Mapping[str, str]) -> tuple[Path, str]:
    """The folder, and the precision if one is said, that `NAME`, `FOLDER` or either with `@PRECISION` means."""
    from synth.models.hub import added

    for name, suffix in _readings(settings):
        known = added(environment).get(name)
        if known is not None:
            return known.folder, suffix or known.precision
        path = Path(name).expanduser()
        if path.is_dir():
            return path.resolve(), suffix
    there = ", ".join(added(environment)) or "none"
    raise BadRequest(
        f"no model {settings!r}: it is neither a folder nor one that was added ({there})",
        "Add it: tars model add FOLDER",
    )


def _readings(settings: str) -> Iterator[tuple[str, str]]:
    yield settings, ""
    name, at, suffix = settings.rpartition("@")
    if at:
        yield name, suffix


def create(settings: str = "", environment: Mapping[str, str] | None = None, share: str = "") -> Writer:
    """`onnx:NAME` or `onnx:FOLDER`, with `@PRECISION` or without. See `settings_from` for what the environment says."""
    import os

    from synth.models.onnx_folder import folder_of
    from synth.models.text_writer import TextWriter

    if not settings:
        raise BadRequest("which model?", "Write --model onnx:NAME, or onnx:FOLDER")
    said = os.environ if environment is None else environment
    path, suffix = place_of(settings, said)
    budget = budget_of(caps_from(said), price_from(said, settings))
    folder_of(
        path, suffix
    )  # what is missing is told before anything is asked; the weights are loaded when they are needed
    opened = partial(shared_engine, path, suffix, settings_from(said))
    return TextWriter(LocalModel(settings, opened, budget), share or said.get("TARS_SHARE", ""))
