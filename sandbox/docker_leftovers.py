"""What hosts that were killed left on an engine and on this machine, and the marks by which it is told from what is in use."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from sandbox.docker_engine import Engine, engine_errors

LABEL = "tars.sandbox"
FOLDER = "tars-sandbox-"


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


def reap(found: Engine) -> list[str]:
    """Remove the containers and folders that hosts on this machine left when they were killed; the containers' numbers."""
    reaped = []
    with engine_errors(found.address):
        # Where process numbers cannot be looked up, nobody can be told to be dead.
        filters = {"label": [LABEL, f"{LABEL}.machine={_machine()}"]}
        listed = found.api.containers(all=True, filters=filters) if Path("/proc/self/stat").exists() else []
    for one in listed:
        labels = one.get("Labels") or {}
        owner = labels.get(f"{LABEL}.owner", "")
        if owner.isdecimal() and start_of(int(owner)) != labels.get(f"{LABEL}.owner-started"):
            remove(found, one["Id"])
            reaped.append(one["Id"])
    _sweep_folders()
    return reaped


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
