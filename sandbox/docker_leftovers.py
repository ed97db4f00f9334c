"""What hosts that were killed left on an engine and on this machine, and the marks by which it is told from what is in use."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.docker_engine import Engine, engine_errors

LABEL = "tars.sandbox"
FOLDER = "tars-sandbox-"
FORGOTTEN_SECONDS = 3_600.0


def labels_of_this_host() -> dict[str, str]:
    return {
        LABEL: "zygote",
        f"{LABEL}.machine": _machine(),
        f"{LABEL}.owner": str(os.getpid()),
        f"{LABEL}.owner-started": start_of(os.getpid()),
        f"{LABEL}.started": str(int(time.time())),
    }


def _machine() -> str:
    """This boot of this machine and its process numbers: only here a number of an owner means anything."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    import uuid

    return f"{uuid.getnode():x}"


def start_of(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty when there is no such process, or nobody can tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def reap(found: Engine, forgotten_seconds: float = FORGOTTEN_SECONDS) -> list[str]:
    """Remove what hosts that were killed left: their containers, if they were on this machine, and folders. Gives the numbers.

    A container that runs ends by itself when its host is gone, wherever that was; one that was made and not started for so
    long is nobody's any more.
    """
    with engine_errors(found.address):
        listed = found.api.containers(all=True, filters={"label": LABEL})
    reaped = [one["Id"] for one in listed if _is_dead_hosts(one) or _age(found, one) > forgotten_seconds]
    for container in reaped:
        remove(found, container)
    _sweep_folders()
    return reaped


def _is_dead_hosts(container: Mapping[str, Any]) -> bool:
    """Whether its host was a process of this machine that is gone."""
    labels = container.get("Labels") or {}
    # Where process numbers cannot be looked up, nobody can be told to be dead.
    if labels.get(f"{LABEL}.machine") != _machine() or not Path("/proc/self/stat").exists():
        return False
    owner = labels.get(f"{LABEL}.owner", "")
    return owner.isdecimal() and start_of(int(owner)) != labels.get(f"{LABEL}.owner-started")


def _age(found: Engine, container: Mapping[str, Any]) -> float:
    """For how many seconds, by the engine's own clock, a container has waited to be started; -1 for one that was."""
    if container.get("State") != "created":
        return -1.0
    now = datetime.fromisoformat(str(found.info["SystemTime"])).timestamp()
    return now - float(container["Created"])


def _sweep_folders() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        owner, _, started = folder.name.removeprefix(FOLDER).partition("-")
        if owner.isdecimal() and start_of(int(owner)) != started.partition("-")[0]:
            shutil.rmtree(folder, ignore_errors=True)


def remove(found: Engine, container: str) -> None:
    """Take a container away, whatever state it is in."""
    from docker.errors import APIError

    with engine_errors(found.address):
        try:
            found.api.remove_container(container, force=True, v=True)
        except APIError as error:
            # 404: gone already; 409: its removal is under way.
            if error.status_code not in (404, 409):
                raise
