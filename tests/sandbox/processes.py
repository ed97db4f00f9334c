"""The processes below another, while they come and go."""

from collections.abc import Mapping
from pathlib import Path


def children(pid: int) -> list[int]:
    """The children of a process, oldest first as long as process numbers rise; none when it has ended."""
    return _children().get(pid, [])


def descendants(pid: int) -> list[int]:
    """Children, each followed by its own descendants."""
    return _below(pid, _children())


def status(pid: int) -> str:
    """What the kernel says of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether it runs: neither ended nor waiting only for its parent to take note."""
    told = status(pid)
    return bool(told) and "State:\tZ" not in told


def _below(pid: int, every: Mapping[int, list[int]]) -> list[int]:
    return [one for child in every.get(pid, []) for one in (child, *_below(child, every))]


def _children() -> dict[int, list[int]]:
    """By parent. A process's own list of children may miss some while others end, so that each is asked for its parent."""
    found: dict[int, list[int]] = {}
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):  # it ended since it was listed
            continue
        found.setdefault(parent, []).append(pid)
    return found
