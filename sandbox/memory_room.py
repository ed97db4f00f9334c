"""A bound on what this process allocates while an engine inside it answers SQL that somebody else wrote.

An engine's own limit leaves out what a single function makes of its arguments: in DuckDB a list of three thousand million
numbers is one call. Under this bound such a call is refused by the allocator, and the engine says so as an error.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

LEAST_BYTES = 1 << 30
SHARE = 0.6

_lock = threading.Lock()
_inside = 0
_former = (0, 0)


@contextlib.contextmanager
def memory_room(room_bytes: int | None = None) -> Iterator[None]:
    """While the body runs this process may grow by so much (None: by most of what the machine has left), then as before.

    Bodies may overlap; the last to begin gives the bound, the last to end takes it away. Nothing where there is no such bound.
    """
    try:
        import resource
    except ImportError:
        yield
        return
    global _inside, _former
    room = room_bytes if room_bytes is not None else room_left()
    with _lock:
        if not _inside:
            _former = resource.getrlimit(resource.RLIMIT_DATA)
        _inside += 1
        soft, hard = _former
        bounds = [bound for bound in (soft, hard, _data_bytes() + room) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                resource.setrlimit(resource.RLIMIT_DATA, _former)


def room_left() -> int:
    """Most of the memory that the machine, or this process's control group, has left; at least a gibibyte."""
    left = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        left.append(int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024)
    for bound, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):
            left.append(int(Path(bound).read_text()) - int(Path(used).read_text()))
    return max(LEAST_BYTES, int(min(left, default=LEAST_BYTES) * SHARE))


def _data_bytes() -> int:
    import resource

    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    return 0
