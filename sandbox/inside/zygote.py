"""The zygote: started by the host with nothing in its hands, it walls itself in and forks a worker per job, ahead of time.

Two processes run this program. The keeper stays outside: it makes the namespaces and a cgroup, and ends everything when
the host is gone. The zygote is process 1 inside: it loads the libraries, gives up every file, capability and way out,
proves that from inside a worker, and then forks workers and tells the host how they ended.

It speaks to the host in small JSON messages over one socket; with each worker come three descriptors: the host's end of
the worker's channel, a pidfd to end it by, and a pipe on which its exit status will be written.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import sys
from socket import AF_UNIX, SOCK_STREAM, send_fds, socket, socketpair
from typing import Any, NoReturn

CONTROL = 3
STATUS = struct.Struct("<iQQ")
"""A worker's end: wait status, CPU microseconds, largest resident size in bytes."""

_BLOCKED = frozenset({"numpy", "pandas", "polars", "pytz", "torch", "tensorflow", "IPython", "scipy", "fsspec", "site"})
PIDS = 256
"""The most processes of one zygote, workers that are ending included."""
_SHARE_OF_MEMORY = 0.75


class _Blocked:
    """Keeps optional libraries out of the sandbox: less to attack, and a faster start."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse the blocked ones, leave the others to the next finder."""
        if name.partition(".")[0] in _BLOCKED:
            raise ModuleNotFoundError(f"{name} is not in the sandbox", name=name)


def main() -> NoReturn:
    """Be the keeper; the zygote is its only child."""
    settings = json.loads(sys.argv[1])
    sys.path[:] = settings["path"]
    blocked: Any = _Blocked()
    sys.meta_path.insert(0, blocked)
    from sandbox.inside import kernel

    kernel.close_from(CONTROL + 1)
    control = socket(fileno=CONTROL)
    try:
        keep(control, settings)
    except kernel.Missing as missing:
        control.send(json.dumps({"unavailable": str(missing)}).encode())
    sys.exit(1)


def keep(control: socket, settings: dict[str, Any]) -> NoReturn:
    """Start the zygote in its namespaces, and end it when the host ends."""
    from sandbox.inside import kernel

    kernel.architecture()
    host = os.pidfd_open(os.getppid())
    root = os.getuid() == 0
    apart = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
    group = _Cgroup()
    if root:
        kernel.unshare(apart, "namespaces")
    else:
        _become_nobody(apart)
    kernel.forget_host_name()
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        if not os.read(ready, 1):
            os._exit(1)
        os.close(ready)
        os.close(host)
        try:
            be_zygote(control, settings, root, group.kinds)
        except kernel.Missing as missing:
            control.send(json.dumps({"unavailable": str(missing)}).encode())
        os._exit(1)
    control.close()
    os.close(ready)
    group.take(pid)
    os.write(go, b"!")
    zygote = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(host, select.POLLIN)
    poll.register(zygote, select.POLLIN)
    poll.poll()
    signal.pidfd_send_signal(zygote, signal.SIGKILL)
    os.waitpid(pid, 0)
    group.remove()
    os._exit(0)


def _become_nobody(apart: int) -> None:
    """An ordinary user's way into new namespaces: a user namespace of its own, where it is nobody."""
    from sandbox.inside import kernel

    user, group = os.getuid(), os.getgid()
    kernel.unshare(kernel.CLONE_NEWUSER | apart, "user namespaces (see user.max_user_namespaces, or AppArmor's rules)")
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{kernel.NOBODY} {user} 1"),
            ("gid_map", f"{kernel.NOBODY} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError as error:
        raise kernel.Missing(f"user namespaces: {error.strerror}") from None


def be_zygote(control: socket, settings: dict[str, Any], root: bool, groups: list[str]) -> NoReturn:
    """Load, wall in, prove, serve."""
    from sandbox.inside import kernel

    if len(os.listdir("/proc/self/task")) != 1:
        raise kernel.Missing("a process without threads to start from")
    import gc

    from sandbox.inside import worker

    kit = worker.Kit(_virtual_bytes())
    kit.base_bytes = _virtual_bytes()
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise kernel.Missing(f"libraries that start no threads of their own (there are {threads - 1})")
    os.environ.clear()
    sys.path.clear()
    sys.argv.clear()
    kernel.empty_root()
    if root:
        os.setgroups([])
        os.setresgid(kernel.NOBODY, kernel.NOBODY, kernel.NOBODY)
        os.setresuid(kernel.NOBODY, kernel.NOBODY, kernel.NOBODY)
        kernel.unshare(kernel.CLONE_NEWUSER, "user namespaces")
    kernel.drop_capabilities()
    kernel.die_with_parent()
    landlock = kernel.landlock()
    gc.collect()
    gc.freeze()
    tried, got_through = _prove(kit)
    if got_through:
        raise kernel.Missing(f"a wall that holds: from inside one could {', '.join(got_through)}")
    facts = {"landlock": landlock, "cgroup": groups, "attacks": tried, "root": root}
    control.send(json.dumps({"ready": facts}).encode())
    _Nursery(control, kit).serve(int(settings["ahead"]))


def _virtual_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _prove(kit: Any) -> tuple[list[str], list[str]]:
    """Attack the walls from inside a worker: the attacks that were tried, and those that got through."""
    from sandbox.inside import kernel, worker

    heard, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        worker.self_check(kit, told)
    os.close(told)
    text = b""
    while piece := os.read(heard, 65_536):
        text += piece
    os.close(heard)
    os.waitpid(pid, 0)
    lines = text.decode().splitlines()
    tried = list(worker.attacks())
    if not lines or lines[0] != str(len(tried)):
        raise kernel.Missing(f"a seccomp filter that lets the self-check report ({' '.join(lines[1:]) or 'no answer'})")
    return tried, lines[1:]


class _Nursery:
    """Forks workers ahead and tells the host of their births and ends."""

    def __init__(self, control: socket, kit: Any) -> None:
        self.control = control
        self.kit = kit
        self.poll = select.poll()
        self.ends: dict[int, tuple[int, int]] = {}

    def serve(self, ahead: int) -> NoReturn:
        """Keep that many workers ahead; one more for each byte from the host; end when the host lets go."""
        self.poll.register(self.control, select.POLLIN)
        for _ in range(ahead):
            self.bear()
        while True:
            for number, _ in self.poll.poll():
                if number in self.ends:
                    self.bury(number)
                    continue
                wanted = self.control.recv(64)
                if not wanted:
                    os._exit(0)
                for _ in wanted:
                    self.bear()

    def bear(self) -> None:
        """Fork one worker and hand its descriptors to the host."""
        from sandbox.inside import worker

        host_end, worker_end = socketpair(AF_UNIX, SOCK_STREAM)
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            worker.enter(self.kit, worker_end)
        worker_end.close()
        pidfd = os.pidfd_open(pid)
        try:
            send_fds(self.control, [b'{"worker": 1}'], [host_end.fileno(), pidfd, heard])
        except OSError:
            os._exit(0)
        host_end.close()
        os.close(heard)
        self.ends[pidfd] = (pid, told)
        self.poll.register(pidfd, select.POLLIN)

    def bury(self, pidfd: int) -> None:
        """Write down how a worker ended."""
        pid, told = self.ends.pop(pidfd)
        self.poll.unregister(pidfd)
        _, status, used = os.wait4(pid, 0)
        os.close(pidfd)
        cpu = int((used.ru_utime + used.ru_stime) * 1_000_000)
        try:
            os.write(told, STATUS.pack(status, cpu, used.ru_maxrss * 1024))
        except OSError:
            pass
        finally:
            os.close(told)


class _Cgroup:
    """A control group around the zygote and all its workers, where this user may make one; a backstop to the rlimits."""

    def __init__(self) -> None:
        self.folders: list[str] = []
        self.kinds: list[str] = []
        memory = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * _SHARE_OF_MEMORY)
        wanted = {
            "memory": {"memory.max": memory, "memory.swap.max": 0, "memory.limit_in_bytes": memory},
            "pids": {"pids.max": PIDS},
        }
        for kinds, parent in _own_groups():
            folder = f"{parent}/tars-{os.getpid()}"
            try:
                _sweep(parent)
                os.mkdir(folder)
            except OSError:
                continue
            self.folders.append(folder)
            for kind, values in wanted.items():
                if kinds and kind not in kinds:
                    continue
                done = [_written(f"{folder}/{name}", str(value)) for name, value in values.items()]
                if any(done):
                    self.kinds.append(kind)

    def take(self, pid: int) -> None:
        """Put a process, and so its later children, into the group."""
        for folder in self.folders:
            _written(f"{folder}/cgroup.procs", str(pid))

    def remove(self) -> None:
        """Take the empty group away."""
        for folder in self.folders:
            for _ in range(50):
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    select.select([], [], [], 0.02)


def _own_groups() -> list[tuple[set[str], str]]:
    """The control groups this process is in: (controllers, folder); no controllers named means version 2."""
    mounts: list[tuple[set[str], str]] = []
    found: list[tuple[set[str], str]] = []
    try:
        with open("/proc/self/mounts") as file:
            for line in file:
                _, folder, kind, options, *_ = line.split()
                if kind == "cgroup":
                    mounts.append((set(options.split(",")), folder))
                elif kind == "cgroup2":
                    mounts.append((set(), folder))
        with open("/proc/self/cgroup") as file:
            own = [line.rstrip("\n").split(":", 2) for line in file]
    except (OSError, ValueError):
        return []
    for _, controllers, path in own:
        kinds = set(filter(None, controllers.split(",")))
        for mounted, folder in mounts:
            if (kinds and kinds & {"memory", "pids"} and kinds <= mounted) or (not kinds and not mounted):
                found.append((kinds, folder + path.rstrip("/")))
                break
    return found


def _sweep(parent: str) -> None:
    """Remove groups that a killed keeper left; one with processes in it stays by itself."""
    for name in os.listdir(parent):
        if name.startswith("tars-"):
            try:
                os.rmdir(f"{parent}/{name}")
            except OSError:
                continue


def _written(path: str, text: str) -> bool:
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
