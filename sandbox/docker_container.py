"""One container of the docker sandbox: made with everything taken away that can be, and held until its last job is over."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any

from sandbox.docker_engine import Engine, engine_errors
from sandbox.docker_leftovers import labels_of_this_host, remove
from sandbox.docker_link import MOUNTED, NOBODY, PROGRAM, PYTHON, SOCKET, Link, NotReached, SocketLink, StreamsLink, Way
from sandbox.job import SandboxDied, SandboxUnavailable
from sandbox.run import WORKERS_AHEAD, Worker

_SPARE_MB = 256
_ENVIRONMENT = {
    # As for the local zygote: no threads of their own for the libraries, the same hash seed in every run.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True)
class Bounds:
    """What one container may use, all its jobs together, when it is replaced, and how long it outlives a host that it does not
    hear from, where the connection itself does not tell."""

    memory_mb: int = 4_096
    cpus: float = 2.0
    pids: int = 64
    jobs: int = 1_000
    minutes: float = 10.0
    silence_seconds: float = 30.0


class Box:
    """One container, and the host's hold on it. Its methods are called under the sandbox's lock."""

    def __init__(self, found: Engine, digest: str, bounds: Bounds, way: Way) -> None:
        self.engine = found
        self.bounds = bounds
        self.memory_mb = min(bounds.memory_mb, int(found.info.get("MemTotal", 0)) * 3 // 4 // 1_048_576)
        self.jobs = 0
        self.in_use = 0
        self.claimed_mb = 0
        self.retired = False
        self.closed = False
        self.ahead = WORKERS_AHEAD
        # Half of the processes there may be: one that has been killed still counts for a moment. A stream takes one more each.
        self.most = max(1, (bounds.pids - 4) // (2 if way == "socket" else 4))
        self.started = time.monotonic()
        self.link: Link = SocketLink() if way == "socket" else StreamsLink(bounds.silence_seconds / 6)
        self.container = ""
        try:
            self._make(digest, way)
            self.link.meet(found, self.container)
            message = self.link.first_word()
        except BaseException:
            self.close()
            raise
        if "ready" not in message:
            self.close()
            if "unavailable" in message:
                raise SandboxUnavailable(f"the docker sandbox cannot be had here; missing: {message['unavailable']}")
            raise SandboxDied(f"the container ended while it started: {message.get('died', 'no reason given')}")
        groups = {"memory": "MemoryLimit", "pids": "PidsLimit", "cpu": "CpuCfsQuota"}
        self.facts: dict[str, object] = {
            **message["ready"],
            "cgroup": [kind for kind, told in groups.items() if found.info.get(told)],
            "container": self.container[:12],
            "image": digest,
            "runtime": found.runtime or str(found.info.get("DefaultRuntime", "")),
            "channel": way,
        }

    def _make(self, digest: str, way: Way) -> None:
        """Have the engine make and start the container."""
        api = self.engine.api
        try:
            with engine_errors(self.engine.address):
                self.container = api.create_container(**self._recipe(digest, way))["Id"]
                api.start(self.container)
        except SandboxUnavailable as refused:
            # An engine of another user, as a rootless one is, may not look into the folder.
            if isinstance(self.link, SocketLink) and str(self.link.mounted) in str(refused):
                raise NotReached from None
            if self.engine.runtime:
                hint = (
                    f"its runtime {self.engine.runtime} is used because it is there; mend it, or take it off the engine"
                )
                raise SandboxUnavailable(f"{refused}. Note: {hint}") from None
            raise

    def _recipe(self, digest: str, way: Way) -> dict[str, Any]:
        """The container, with everything taken away that can be."""
        from docker.types import Mount, Ulimit

        api = self.engine.api
        settings = {
            "channel": way,
            "path": f"{MOUNTED}/{SOCKET}",
            "ahead": WORKERS_AHEAD,
            "silence": self.bounds.silence_seconds,
            "runtime": self.engine.runtime,
        }
        mounts = []
        if isinstance(self.link, SocketLink):
            mounts = [Mount(MOUNTED, str(self.link.mounted), type="bind", read_only=True)]
        limits = {"core": 0, "nofile": 256, "memlock": 0, "msgqueue": 0, "fsize": 1_048_576}
        memory = self.memory_mb * 1_048_576
        cpus = min(self.bounds.cpus, float(self.engine.info.get("NCPU", 1)))
        return {
            "image": digest,
            "entrypoint": [],
            "command": [*PYTHON, f"{PROGRAM}container.py", json.dumps(settings)],
            "user": f"{NOBODY}:{NOBODY}",
            "environment": _ENVIRONMENT,
            "working_dir": "/",
            "hostname": "sandbox",
            "labels": labels_of_this_host(),
            "network_disabled": True,
            "stop_signal": "SIGKILL",
            "healthcheck": {"test": ["NONE"]},
            "host_config": api.create_host_config(
                network_mode="none",
                ipc_mode="none",
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                # Of gVisor's own threads and helpers there are several to a process inside, and all of them count.
                pids_limit=self.bounds.pids * (16 if self.engine.runtime else 1),
                mem_limit=memory,
                memswap_limit=memory,
                # An engine that cannot limit this, such as a rootless one may be, would refuse the container.
                nano_cpus=int(cpus * 1e9) if self.engine.info.get("CpuCfsQuota") else None,
                ulimits=[Ulimit(name=name, soft=amount, hard=amount) for name, amount in limits.items()],
                tmpfs={"/tmp": "size=1m,nr_inodes=16,noexec,nosuid,nodev,mode=700"},
                mounts=mounts,
                auto_remove=True,
                init=False,
                log_config={"Type": "none", "Config": {}},
                runtime=self.engine.runtime or None,
            ),
        }

    @property
    def is_spent(self) -> bool:
        """It has done its number of jobs, or is old."""
        return self.jobs >= self.bounds.jobs or time.monotonic() - self.started > self.bounds.minutes * 60

    def renew(self) -> None:
        """Let it go on for a tenth of its time, as no other can be had."""
        self.jobs = self.bounds.jobs * 9 // 10
        self.started = max(self.started, time.monotonic() - self.bounds.minutes * 54)

    def has_room(self, memory_mb: int) -> bool:
        """Whether a worker may be had and so much memory is unclaimed. SandboxUnavailable when there never will be."""
        if memory_mb > self.memory_mb - _SPARE_MB:
            raise SandboxUnavailable(
                f"a job of {memory_mb} MiB does not fit the docker sandbox's containers of {self.memory_mb} MiB: "
                "allow the job less, or give the engine more memory"
            )
        return self.in_use < self.most and self.claimed_mb + memory_mb <= self.memory_mb - _SPARE_MB

    def worker(self, memory_mb: int) -> Worker:
        """One of the workers forked ahead. The last of them is replaced at once, others when a job gives one back."""
        worker = self.link.worker()
        self.jobs += 1
        self.in_use += 1
        self.claimed_mb += memory_mb
        self.ahead -= 1
        if self.ahead < 1:
            self._replace()
        return worker

    def give_back(self, memory_mb: int) -> None:
        """A job is over: have workers forked until as many wait as there should be."""
        self.in_use -= 1
        self.claimed_mb -= memory_mb
        if self.retired:
            self.retire()
        elif not self.closed:
            self._replace()

    def _replace(self) -> None:
        missing = WORKERS_AHEAD - self.ahead
        if missing > 0:
            self.link.bear(missing)
            self.ahead += missing

    def retire(self) -> None:
        """Take no more jobs; end with the last one."""
        self.retired = True
        if self.in_use < 1:
            self.let_go()

    def let_go(self) -> None:
        """The zygote ends, and with it everything in the container; the engine takes the rest away."""
        self.closed = True
        self.link.close()
        self.engine.api.close()

    def close(self) -> None:
        """Let go, and wait until the container is gone."""
        if self.closed:
            return
        self.let_go()
        if self.container:
            # An engine that does not answer is no obstacle: the container ends by itself when its host lets go.
            with contextlib.suppress(SandboxUnavailable):
                remove(self.engine, self.container)
            self.engine.api.close()
