"""What we ask of the Linux kernel by system call: namespaces, an empty root, Landlock and a seccomp allow-list.

Standard library only; nothing here is imported by the host.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
NOBODY = 65534

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_MS_REC, _MS_PRIVATE, _MNT_DETACH = 16384, 1 << 18, 2
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_DUMPABLE = 1, 38, 24, 22, 4
_PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 28, 47, 4

# Numbers that are the same on every architecture since Linux 5.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF, _CLOSE_RANGE = 444, 446, 436

_ARCHITECTURES = {
    "x86_64": (0xC000003E, 0, {"pivot_root": 155, "capset": 126}),
    "aarch64": (0xC00000B7, 1, {"pivot_root": 41, "capset": 91}),
}

# What a running closure may ask of the kernel: (x86_64, aarch64); -1 where the architecture has no such call.
_ALLOWED = {
    "futex": (202, 98), "brk": (12, 214), "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233),
    "exit": (60, 93), "exit_group": (231, 94), "rt_sigreturn": (15, 139), "rt_sigprocmask": (14, 135),
    "restart_syscall": (219, 128), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "gettimeofday": (96, 169), "time": (201, -1),
    "getrandom": (318, 278), "getpid": (39, 172), "gettid": (186, 178), "getuid": (102, 174),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168), "getrusage": (98, 165),
    "times": (100, 153), "membarrier": (324, 283), "rseq": (334, 293),
}  # fmt: skip
_ON_THE_CHANNEL = {"read": (0, 63), "write": (1, 64), "sendto": (44, 206), "recvfrom": (45, 207)}
# What a closure may have none of, answered as a limit that is used up: EAGAIN for processes and threads, EMFILE for files.
_NONE_LEFT = {
    "fork": (57, -1, 11), "vfork": (58, -1, 11), "clone": (56, 220, 11), "clone3": (435, 435, 11),
    "open": (2, -1, 24), "creat": (85, -1, 24), "openat": (257, 56, 24), "openat2": (437, 437, 24),
    "memfd_create": (319, 279, 24),
}  # fmt: skip
_MMAP, _MPROTECT, _PRLIMIT = (9, 222), (10, 226), (302, 261)
_PROT_EXEC, _MAP_ANONYMOUS = 4, 0x20


class Missing(Exception):
    """The kernel, or the way we were started, lacks something the sandbox cannot do without."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise Missing(f"{what}: {os.strerror(number)}")
    return result


def architecture() -> tuple[int, int, dict[str, int]]:
    """The seccomp number of this machine, its column in the tables and its own call numbers."""
    try:
        return _ARCHITECTURES[platform.machine()]
    except KeyError:
        raise Missing(f"a system call table for {platform.machine()}") from None


def is_gvisor() -> bool:
    """Whether the kernel is gVisor's: its log says so, and Linux shows its own to nobody without rights."""
    log = ctypes.create_string_buffer(65_536)
    length = _libc().klogctl(3, log, len(log))
    return b"Starting gVisor" in log.raw[: max(length, 0)]


def unshare(flags: int, what: str) -> None:
    """Leave the namespaces named by the flags."""
    _checked(_libc().unshare(ctypes.c_int(flags)), what)


def prctl(option: int, value: int, what: str, third: int = 0) -> None:
    """One prctl that has to work."""
    _checked(_libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), 0, 0), what)


def _mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int, data: bytes | None) -> None:
    result = _libc().mount(source, target, kind, ctypes.c_ulong(flags), data)
    _checked(result, f"mounting {target.decode()}")


def forget_host_name() -> None:
    """Give this UTS namespace a name of its own: a copy of the host's came with it."""
    _checked(_libc().sethostname(b"sandbox", 7), "naming the sandbox")


def empty_root() -> None:
    """Make an empty, read-only folder the whole file system of this mount namespace."""
    _, _, numbers = architecture()
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    _mount(b"tmpfs", b"/tmp", b"tmpfs", flags, b"size=4k,nr_inodes=2,mode=555")
    os.chdir("/tmp")
    _checked(_libc().syscall(numbers["pivot_root"], b".", b"."), "pivot_root")
    _checked(_libc().umount2(b".", _MNT_DETACH), "letting go of the old root")
    os.chdir("/")
    _mount(None, b"/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags, None)


def drop_capabilities() -> None:
    """Keep no capability, not even one to win back, and no way to gain one by executing a file."""
    _, _, numbers = architecture()
    for capability in range(64):
        if _libc().prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break
    _libc().prctl(_PR_SET_SECUREBITS, ctypes.c_ulong(0b101111), 0, 0, 0)
    _libc().prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
    header = struct.pack("=Ii", 0x20080522, 0)
    _checked(_libc().syscall(numbers["capset"], header, bytes(24)), "dropping capabilities")
    prctl(_PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
    prctl(_PR_SET_DUMPABLE, 0, "closing the process to debuggers")


def die_with_parent() -> None:
    """Be killed when the parent is gone."""
    prctl(_PR_SET_PDEATHSIG, 9, "asking to die with the parent")


def landlock() -> int:
    """Forbid every file, network and signal access that this kernel's Landlock knows. Gives its version, 0 for none."""
    libc = _libc()
    version: int = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return 0
    files = (1 << min(13 + (version >= 2) + (version >= 3) + (version >= 5), 16)) - 1
    rules = struct.pack("=QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _checked(libc.syscall(_LANDLOCK_CREATE_RULESET, rules, size, 0), "a Landlock rule set")
    _checked(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)
    return version


def close_from(first: int) -> None:
    """Close every descriptor from `first` on."""
    if _libc().syscall(_CLOSE_RANGE, first, 0xFFFFFFFF, 0) < 0:
        os.closerange(first, 65536)


def limit_ahead(descriptors: int) -> None:
    """The hard limits of this process that are the same for every job."""
    fixed = {
        resource.RLIMIT_NOFILE: descriptors,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, amount in fixed.items():
        try:
            resource.setrlimit(which, (amount, amount))
        except ValueError:
            # gVisor's kernel has message queues that cannot be limited; the filter lets nobody open one.
            if which != resource.RLIMIT_MSGQUEUE:
                raise


def limit(address_space: int, cpu_seconds: int) -> None:
    """The hard limits of one job; bytes, and seconds from the start of the process."""
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


def _program(channel: int) -> bytes:
    """The allow-list as BPF. Whatever it does not name answers EPERM, or that none is left; another architecture's calls kill."""
    audit, column, _ = architecture()
    load, jump_eq, jump_ge, jump_set, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 1, 0x80000000
    number, machine = 0, 4

    def argument(index: int) -> int:
        return 16 + 8 * index  # the low half; both architectures are little-endian

    code: list[tuple[int, int, int, int]] = [
        (load, 0, 0, machine),
        (jump_eq, 1, 0, audit),
        (give, 0, 0, kill),
        (load, 0, 0, number),
        (jump_ge, 0, 1, 0x40000000),
        (give, 0, 0, kill),
    ]
    for numbers in _ON_THE_CHANNEL.values():
        code += [
            (jump_eq, 0, 4, numbers[column]),
            (load, 0, 0, argument(0)),
            (jump_eq, 0, 1, channel),
            (give, 0, 0, allow),
            (give, 0, 0, refuse),
        ]
    code += [
        (jump_eq, 0, 6, _MMAP[column]),
        (load, 0, 0, argument(2)),
        (jump_set, 2, 0, _PROT_EXEC),
        (load, 0, 0, argument(3)),
        (jump_set, 1, 0, _MAP_ANONYMOUS),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
        (jump_eq, 0, 4, _MPROTECT[column]),
        (load, 0, 0, argument(2)),
        (jump_set, 0, 1, _PROT_EXEC),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
    ]
    # Of its own limits only, and a hard limit can only be lowered: a job's limits are set behind the filter.
    code += [
        (jump_eq, 0, 4, _PRLIMIT[column]),
        (load, 0, 0, argument(0)),
        (jump_eq, 0, 1, 0),
        (give, 0, 0, allow),
        (give, 0, 0, refuse),
    ]
    for numbers in _ALLOWED.values():
        if numbers[column] >= 0:
            code += [(jump_eq, 0, 1, numbers[column]), (give, 0, 0, allow)]
    for *numbers_of, error in _NONE_LEFT.values():
        if numbers_of[column] >= 0:
            code += [(jump_eq, 0, 1, numbers_of[column]), (give, 0, 0, 0x00050000 | error)]
    code.append((give, 0, 0, refuse))
    return b"".join(struct.pack("=HBBI", *line) for line in code)


class Filter:
    """A seccomp filter made ahead of time, so that putting it on is one system call."""

    def __init__(self, channel: int) -> None:
        program = _program(channel)
        self._kept = ctypes.create_string_buffer(program, len(program))
        self._header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(self._kept)))
        self._prctl = _libc().prctl

    def put_on(self) -> None:
        """From here on only the allowed calls work, for good."""
        _checked(
            self._prctl(_PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.c_void_p(ctypes.addressof(self._header)), 0, 0),
            "a seccomp filter",
        )
