"""The processes below another, while they come and go."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """The children of a process; none when it has ended."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # it ended since it was listed
            continue
    return found


def descendants(pid: int) -> list[int]:
    """Children, each followed by its own descendants."""
    return [one for child in children(pid) for one in (child, *descendants(child))]


def status(pid: int) -> str:
    """What the kernel says of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
