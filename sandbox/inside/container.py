"""The zygote in a container: the container's process 1, which forks a worker per job, ahead of time.

The engine has built the walls around it: no network, no capability, a read-only root, a user without rights. It checks
that they stand, loads the libraries, proves from inside a worker that a worker can do nothing, and serves the host.

Where the host is on the same kernel it is reached over a socket in a mounted folder, and gets each worker's channel as a
descriptor. Where it is not, relays (relay.py) that the engine starts in this container carry the bytes, and come in at a
door that only processes of this container can see.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, SOCK_STREAM, send_fds, socket, socketpair
from time import monotonic
from typing import Any, NoReturn

DOOR = b"\0tars-door"
CONTROL_LANE, WORKER_LANE = b"control", b"worker"
MESSAGE = 65_536
CONNECT_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[2]


def main() -> NoReturn:
    """Be process 1 of the container; with `check`, only load everything, as a test of the image."""
    settings: dict[str, Any] = json.loads(sys.argv[1])
    _use_libraries()
    if settings.get("check"):
        from sandbox.inside import worker, zygote

        worker.Kit(zygote._virtual_bytes())
        sys.exit(0)
    control, door = _control(settings)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    try:
        be_zygote(control, door, settings)
    except Exception as error:
        from sandbox.inside import kernel

        kind = "unavailable" if isinstance(error, kernel.Missing) else "died"
        words = str(error) if kind == "unavailable" else f"{type(error).__name__}: {error}"
        control.send(json.dumps({kind: words[:2_000]}).encode())
    os._exit(1)


def _use_libraries() -> None:
    """Find this package and the image's libraries, and keep the others out."""
    import site

    sys.path += [str(_ROOT), *site.getsitepackages()]
    del sys.modules["site"]
    from sandbox.inside import zygote

    blocked: Any = zygote._Blocked()
    sys.meta_path.insert(0, blocked)


def _control(settings: dict[str, Any]) -> tuple[socket, socket | None]:
    """The host's socket; and the door for relays, where the host comes through one."""
    if settings["channel"] == "socket":
        control = socket(AF_UNIX, SOCK_SEQPACKET)
        control.connect(settings["path"])
        return control, None
    door = socket(AF_UNIX, SOCK_SEQPACKET)
    door.bind(DOOR)
    door.listen(16)
    door.settimeout(CONNECT_SECONDS)
    while True:
        lane, _ = door.accept()
        if lane.recv(MESSAGE) == CONTROL_LANE:
            door.settimeout(None)
            return lane, door
        lane.close()


def be_zygote(control: socket, door: socket | None, settings: dict[str, Any]) -> NoReturn:
    """Check the walls, load, prove, serve."""
    from sandbox.inside import kernel, zygote

    kernel.architecture()
    gvisor = _check_walls(settings)
    import gc

    from sandbox.inside import worker

    kit = worker.Kit(zygote._virtual_bytes())
    kit.base_bytes = zygote._virtual_bytes()
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise kernel.Missing(f"libraries that start no threads of their own (there are {threads - 1})")
    os.environ.clear()
    sys.path.clear()
    sys.argv.clear()
    kernel.drop_capabilities()
    landlock = kernel.landlock()
    gc.collect()
    gc.freeze()
    tried, got_through = zygote._prove(kit)
    if got_through:
        raise kernel.Missing(f"a wall that holds: from inside one could {', '.join(got_through)}")
    control.send(json.dumps({"ready": {"landlock": landlock, "attacks": tried, "gvisor": gvisor}}).encode())
    Nursery(control, kit, door, float(settings["silence"])).serve(int(settings["ahead"]))


def _check_walls(settings: dict[str, Any]) -> bool:
    """Refuse to go on unless the engine has made the container as it was told to. Gives whether the kernel is gVisor's."""
    from sandbox.inside import kernel

    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    with open("/proc/net/dev") as file:
        networks = [line.partition(":")[0].strip() for line in file.readlines()[2:]]
    gvisor = kernel.is_gvisor()
    walls = {
        "a user without rights": os.getuid() == os.getgid() == kernel.NOBODY,
        "no further groups": os.getgroups() in ([], [kernel.NOBODY]),
        "no capabilities": all(int(status[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapInh", "CapBnd")),
        "no new privileges": status.get("NoNewPrivs", "1") == "1",
        # gVisor's own kernel is the filter there, and it does not tell of mounts.
        "a seccomp filter": gvisor or status.get("Seccomp") == "2",
        "a read-only root": gvisor or bool(os.statvfs("/").f_flag & os.ST_RDONLY),
        "no network": [name for name in networks if name != "lo" and not _is_idle_tunnel(name)] == [],
    }
    missing = [name for name, stands in walls.items() if not stands]
    if missing:
        raise kernel.Missing(f"an engine that gives a container {', '.join(missing)}")
    if settings["runtime"] and not gvisor:
        raise kernel.Missing(f"gVisor behind the engine's runtime {settings['runtime']}, which is something else")
    return gvisor


def _is_idle_tunnel(name: str) -> bool:
    """One of the tunnel ends that some kernels put, switched off, into every new network namespace."""
    return name.startswith(("tunl", "sit", "ip6tnl", "gre", "erspan", "ip_vti", "ip6_vti", "ip6gre", "teql"))


class Nursery:
    """Forks workers ahead, hands them to the host, ends them when it says so, and tells how they ended.

    A host behind a relay that says nothing for `silence` seconds counts as gone.
    """

    def __init__(self, control: socket, kit: Any, door: socket | None, silence: float) -> None:
        self.control = control
        self.kit = kit
        self.door = door
        self.born = 0
        self.pids: dict[int, int] = {}
        self.numbers: dict[int, int] = {}
        self.told: dict[int, int] = {}
        self.ready: list[tuple[int, socket]] = []
        self.waiting: list[socket] = []
        self.lanes: dict[int, socket] = {}
        self.wake, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.silence = silence
        self.heard = monotonic()

    def serve(self, ahead: int) -> NoReturn:
        """Keep that many workers ahead, more as the host asks for them; end when the host is gone."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        poll = select.poll()
        for number in (self.wake, self.control, self.door):
            if number is not None:
                poll.register(number, select.POLLIN)
        for _ in range(ahead):
            self.bear()
        while True:
            told = {number for number, _ in poll.poll(self.silence * 250 if self.door else None)}
            if self.wake in told:
                os.read(self.wake, 4_096)
                self.bury()
            if self.control.fileno() in told:
                self.obey()
            if self.door is not None:
                if self.door.fileno() in told:
                    self.let_in(self.door)
                if monotonic() - self.heard > self.silence:
                    os._exit(0)

    def obey(self) -> None:
        """Do what the host says; without a host there is nothing left to do."""
        data = self.control.recv(MESSAGE)
        if not data:
            os._exit(0)
        self.heard = monotonic()
        said: dict[str, int] = json.loads(data)
        for _ in range(said.get("bear", 0)):
            self.bear()
        if "kill" in said:
            self.end(said["kill"])

    def end(self, number: int) -> None:
        """Kill a worker, if it has not ended, and let go of its lane."""
        pid = self.pids.get(number)
        if pid is not None:
            # Not yet waited for, so the number cannot be another process's.
            os.kill(pid, signal.SIGKILL)
        lane = self.lanes.pop(number, None)
        if lane is not None:
            lane.close()

    def bear(self) -> None:
        """Fork one worker and hand its channel to the host."""
        from sandbox.inside import worker

        host_end, worker_end = socketpair(AF_UNIX, SOCK_STREAM)
        heard, told = os.pipe() if self.door is None else (-1, -1)
        self.born += 1
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            worker.enter(self.kit, worker_end)
        worker_end.close()
        self.pids[self.born] = pid
        self.numbers[pid] = self.born
        if self.door is not None:
            self.ready.append((self.born, host_end))
            self.match()
            return
        self.told[self.born] = told
        try:
            send_fds(self.control, [json.dumps({"worker": self.born}).encode()], [host_end.fileno(), heard])
        except OSError:
            os._exit(0)
        host_end.close()
        os.close(heard)

    def let_in(self, door: socket) -> None:
        """Let a relay in; it waits for the next worker."""
        lane, _ = door.accept()
        if lane.recv(MESSAGE) == WORKER_LANE:
            self.waiting.append(lane)
            self.match()
        else:
            lane.close()

    def match(self) -> None:
        """Give waiting relays the channels of waiting workers."""
        while self.ready and self.waiting:
            number, host_end = self.ready[0]
            lane = self.waiting.pop(0)
            try:
                send_fds(lane, [json.dumps({"worker": number}).encode()], [host_end.fileno()])
            except OSError:
                lane.close()
                continue
            del self.ready[0]
            host_end.close()
            self.lanes[number] = lane

    def bury(self) -> None:
        """Tell how workers ended."""
        from sandbox.inside import zygote

        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self.numbers.pop(pid, None)
            if number is None:
                continue
            del self.pids[number]
            use = (status, int((used.ru_utime + used.ru_stime) * 1_000_000), used.ru_maxrss * 1024)
            try:
                if self.door is not None:
                    self.control.send(json.dumps({"ended": [number, *use]}).encode())
                else:
                    os.write(self.told[number], zygote.STATUS.pack(*use))
            except OSError:
                pass  # the host has let go of this worker, or of all of them, which `obey` finds out
            finally:
                if self.door is None:
                    os.close(self.told.pop(number))


if __name__ == "__main__":
    main()
