"""Measuring: medians of a few runs, of a whole process or of a call, with peak memory where a process is measured."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Seconds (median and spread) and, for processes, the peak resident memory in MB of the largest of its processes."""

    name: str
    median: float
    least: float
    most: float
    peak_mb: float = 0.0

    def __str__(self) -> str:
        memory = f"  peak {self.peak_mb:6.0f} MB" if self.peak_mb else ""
        return (
            f"{self.name:<58} {self.median * 1000:9.1f} ms  ({self.least * 1000:.1f} to {self.most * 1000:.1f}){memory}"
        )


def called(name: str, act: Callable[[], object], runs: int = 7) -> Figure:
    """A call in this process, warm."""
    act()
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began)
    return _told(Figure(name, statistics.median(spent), min(spent), max(spent)))


def _told(figure: Figure) -> Figure:
    """Print a figure as soon as it is there: a long run that is broken off has told something."""
    print(f"  {figure}", flush=True)
    return figure


def process(name: str, command: Sequence[str], runs: int = 5, environment: dict[str, str] | None = None) -> Figure:
    """A command as a whole process; wall time, and peak memory as the kernel counted it."""
    spent, peaks = [], []
    for number in range(runs + 1):
        began = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}
        )
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}: {said.decode()[-800:]}")
        if number:
            spent.append(time.perf_counter() - began)
            peaks.append(usage.ru_maxrss / 1024)
    return _told(Figure(name, statistics.median(spent), min(spent), max(spent), statistics.median(peaks)))


def python(name: str, code: str, arguments: Sequence[str] = (), runs: int = 3) -> Figure:
    """Python code as a whole process."""
    return process(name, [sys.executable, "-c", code, *arguments], runs)
