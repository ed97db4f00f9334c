"""How well sources are detected: `python -m evals.detection` runs the detection set, `--peers` other tools over the same files."""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from evals.detection_set import File, Part, Said, lie_about, payloads, strings, written

BINS = 15
SURE = 0.9
Naming = str
"""`named`, `hidden` or `lying`: what a file is called."""


@dataclass(frozen=True)
class Answer:
    """One answer, held against what is right; `near` is right or a more general kind, as JSON is of GeoJSON."""

    id: str
    part: Part
    kind: str
    confidence: float
    right: bool
    wanted: tuple[str, ...]
    ms: float
    near: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the table: shares from 0 to 1; `sure_wrong` is the share of all answers that are wrong at 0.9 or more."""

    tool: str
    what: str
    part: str
    count: int
    right: float
    near: float
    ece: float
    sure_wrong: float
    median_ms: float


def calibration_error(answers: Sequence[Answer], bins: int = BINS) -> float:
    """Expected calibration error over bins of equal width: how far confidence is from the share that is right."""
    parts: list[list[Answer]] = [[] for _ in range(bins)]
    for answer in answers:
        parts[min(int(answer.confidence * bins), bins - 1)].append(answer)
    gaps = (abs(sum(a.right for a in p) - sum(a.confidence for a in p)) for p in parts)
    return sum(gaps) / len(answers) if answers else 0.0


def row_of(tool: str, what: str, part: str, answers: Sequence[Answer]) -> Row:
    """The figures of some answers."""
    count = len(answers)
    wrong = sum(not a.right and a.confidence >= SURE for a in answers)
    return Row(
        tool,
        what,
        part,
        count,
        sum(a.right for a in answers) / count if count else 0.0,
        sum(a.right or a.near for a in answers) / count if count else 0.0,
        calibration_error(answers),
        wrong / count if count else 0.0,
        statistics.median(a.ms for a in answers) if count else 0.0,
    )


def rows_of(tool: str, answers: dict[str, list[Answer]]) -> Iterator[Row]:
    """A row for each thing asked and each half; `all` is everything together."""
    everything = [a for each in answers.values() for a in each]
    for what, some in (*answers.items(), ("all", everything)):
        for part in ("open", "kept"):
            yield row_of(tool, what, part, [a for a in some if a.part == part])


def renamed(file: File, naming: Naming, folder: Path) -> Path | None:
    """The file under another name; None where there is no such naming."""
    if naming == "named":
        return file.path
    lie = lie_about(file)
    if naming == "lying" and lie is None:
        return None
    name = "data" if naming == "hidden" else f"data.{lie}"
    path = folder / naming / file.path.parent.name / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.path.is_dir():
            shutil.copytree(file.path, path)
        else:
            path.hardlink_to(file.path)
    return path


def more_general(kinds: frozenset[str]) -> set[str]:
    """The kinds above these in the catalogue, and the notation that a dialect of JSON or XML is written in."""
    from synth.catalog import catalogue

    table = catalogue()
    known = [table.kinds[kind] for kind in kinds if kind in table.kinds]
    above = {parent for kind in known for parent in table.ancestors(kind.id)}
    return above | {name for kind in known for name, marks in (("json", kind.json), ("xml", kind.xml)) if marks}


def file_answers(files: Sequence[File], naming: Naming, folder: Path) -> list[Answer]:
    """What TARS takes each file for."""
    from synth.detect import detect

    answers = []
    for file in files:
        path = renamed(file, naming, folder)
        if path is None:
            continue
        began = time.perf_counter()
        found = detect(str(path))
        ms = (time.perf_counter() - began) * 1000
        wanted = file.answers if naming == "named" else file.hidden
        right = found.kind in wanted
        near = found.kind in more_general(wanted)
        answers.append(Answer(file.id, file.part, found.kind, found.confidence, right, tuple(sorted(wanted)), ms, near))
    return answers


def said_answers(items: Sequence[Said]) -> list[Answer]:
    """What TARS takes each string or payload for."""
    from synth.detect import detect

    answers = []
    for item in items:
        began = time.perf_counter()
        found = detect(item.text, payload=item.body, port=item.port)
        ms = (time.perf_counter() - began) * 1000
        right, near = found.kind in item.answers, found.kind in more_general(item.answers)
        wanted = tuple(sorted(item.answers))
        answers.append(Answer(item.id, item.part, found.kind, found.confidence, right, wanted, ms, near))
    return answers


def seconds_in_batch(files: Sequence[File], count: int = 1000) -> float:
    """How long the command takes over so many files, its start included."""
    lines = [json.dumps(str(files[i % len(files)].path)) for i in range(count)]
    began = time.perf_counter()
    command = [sys.executable, "-m", "synth", "datasource", "detect", "--batch"]
    subprocess.run(command, input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def printed(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = [
        f"{'tool':<12}{'what':<10}{'half':<6}{'count':>6}{'right':>8}{'near':>8}{'ECE':>7}{'sure+wrong':>12}{'median ms':>11}"
    ]
    for r in rows:
        figures = f"{r.count:>6}{r.right:>8.1%}{r.near:>8.1%}{r.ece:>7.3f}{r.sure_wrong:>12.1%}{r.median_ms:>11.2f}"
        lines.append(f"{r.tool:<12}{r.what:<10}{r.part:<6}{figures}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the set and print the table."""
    parser = argparse.ArgumentParser(prog="python -m evals.detection", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--peers", action="store_true", help="also libmagic, Magika, puremagic and mimetypes")
    parser.add_argument("--failures", action="store_true", help="list what the open half got wrong")
    parser.add_argument("--no-batch", action="store_true", help="leave out the 1 000 files by --batch")
    parser.add_argument("--folder", type=Path, help="write the files here and keep them for the next run")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="detection-"))
    try:
        return _run(asked, folder)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def _run(asked: argparse.Namespace, folder: Path) -> int:
    files, left_out = written(folder / "named")
    sources, traps = strings()
    namings = ("named", "hidden", "lying")
    ask: dict[str, Callable[[], list[Answer]]] = {
        **{naming: partial(file_answers, files, naming, folder) for naming in namings},
        "strings": lambda: said_answers(sources),
        "traps": lambda: said_answers(traps),
        "payloads": lambda: said_answers(payloads()),
    }
    # The first detection of a process loads the catalogue; a timing of a file should not hold that.
    file_answers(files[:20], "named", folder)
    answers = {what: each() for what, each in ask.items()}
    rows = list(rows_of("tars", answers))
    if asked.peers:
        from evals.detection_peers import PEERS, peer_answers

        for peer in PEERS:
            rows += rows_of(peer, {naming: peer_answers(peer, files, naming, folder) for naming in namings})
    batch = None if asked.no_batch else round(seconds_in_batch(files), 2)
    wrong = [
        {"what": what, **asdict(a)} for what, some in answers.items() for a in some if not a.right and a.part == "open"
    ]
    if asked.json:
        told = {"rows": [asdict(r) for r in rows], "batch_seconds": batch, "left_out": left_out, "open_failures": wrong}
        print(json.dumps(told, indent=1))
        return 0
    print(printed(rows))
    kinds = {sorted(f.answers)[0] for f in files}
    print(f"\n{len(files)} files of {len(kinds)} types; {len(left_out)} left out for want of their writer", end="")
    print(f": {', '.join(left_out)}" if left_out else "")
    if batch is not None:
        print(f"1 000 files by --batch: {batch} s")
    if asked.failures:
        for w in wrong:
            print(f"{w['what']:<9}{w['id']}: {w['kind']} ({w['confidence']:.2f}), not {' or '.join(w['wanted'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
