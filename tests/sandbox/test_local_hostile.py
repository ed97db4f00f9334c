"""Attacks on the walls themselves: the policy is off, so the code may import and call what it likes.

Each attack yields {"escaped": …} only when it got something it should not have. It may fail, be killed or time out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.backends.local import Local
from sandbox.broker import Broker, Grant
from sandbox.job import Job, Limits, RunResult
from tests.sandbox.processes import children, descendants, status

LIMITS = Limits(wall_seconds=3, cpu_seconds=2, memory_mb=64, records=10_000, record_bytes=100_000)

ATTACKS = {
    "read passwd": "yield {'escaped': open('/etc/passwd').read()}",
    "read itself": "yield {'escaped': open(__import__('sandbox').__file__).read()}",
    "read environ": "yield {'escaped': open('/proc/self/environ').read()}",
    "read maps": "yield {'escaped': open('/proc/self/maps').read()}",
    "read memory of 1": "yield {'escaped': open('/proc/1/mem', 'rb').read(1)}",
    "list root": "yield {'escaped': os.listdir('/')}",
    "list here": "yield {'escaped': os.listdir('.')}",
    "walk up": "yield {'escaped': os.listdir('../../../..')}",
    "stat": "yield {'escaped': str(os.stat('/'))}",
    "working folder": "yield {'escaped': os.getcwd()}",
    "write a file": "open('/tmp/x', 'w').write('x'); yield {'escaped': 1}",
    "make a folder": "os.mkdir('/x'); yield {'escaped': 1}",
    "memfd": "yield {'escaped': os.memfd_create('x')}",
    "device": "yield {'escaped': os.open('/dev/null', 0)}",
    "fifo": "os.mkfifo('/x'); yield {'escaped': 1}",
    "rename": "os.rename('/a', '/b'); yield {'escaped': 1}",
    "chroot": "os.chroot('/'); yield {'escaped': 1}",
    "environment": "yield from ({'escaped': v} for v in os.environ.values())",
    "environment bytes": "yield from ({'escaped': v} for v in os.environb.values())",
    "getenv": "libc.getenv.restype = ctypes.c_char_p; v = libc.getenv(b'PATH'); yield from ([{'escaped': v}] if v else [])",
    "stdin": "yield {'escaped': os.read(0, 10)}",
    "stderr": "yield {'escaped': os.write(2, b'x')}",
    "other descriptors": """
    for number in [*range(0, 3), *range(4, 300)]:
        try:
            os.fstat(number)
            yield {'escaped': number}
        except OSError:
            pass
        try:
            os.read(number, 1)
            yield {'escaped': number}
        except OSError:
            pass""",
    "duplicate the channel": "yield {'escaped': os.dup(3)}",
    "hand descriptors on": "import array; s = socket.socket(fileno=3); s.sendmsg([b'x']); yield {'escaped': 1}",
    "tcp": "yield {'escaped': str(socket.socket())}",
    "udp": "yield {'escaped': str(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))}",
    "unix": "yield {'escaped': str(socket.socket(socket.AF_UNIX))}",
    "netlink": "yield {'escaped': str(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))}",
    "vsock": "yield {'escaped': str(socket.socket(40, socket.SOCK_STREAM))}",
    "pair": "yield {'escaped': str(socket.socketpair())}",
    "resolve": "yield {'escaped': socket.gethostbyname('localhost')}",
    "pipe": "yield {'escaped': os.pipe()}",
    "epoll": "yield {'escaped': str(select.epoll())}",
    "fork": "pid = os.fork()\n    if pid == 0:\n        os._exit(0)\n    yield {'escaped': pid}",
    "fork bomb": "while True:\n        try:\n            os.fork()\n        except OSError:\n            break\n    yield {'a': 1}",
    "vfork by number": "yield from escaped(libc.syscall(58))",
    "clone by number": "yield from escaped(libc.syscall(56, 17, 0, 0, 0, 0))",
    "clone3 by number": "yield from escaped(libc.syscall(435, b'\\0' * 88, 88))",
    "thread": "t = threading.Thread(target=print); t.start(); yield {'escaped': 1}",
    "many threads": "import _thread\n    for _ in range(100):\n        _thread.start_new_thread(print, ())\n    yield {'escaped': 1}",
    "exec": "os.execv('/bin/sh', ['sh', '-c', 'true']); yield {'escaped': 1}",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {}); yield {'escaped': 1}",
    "system": "r = os.system('true'); yield from ([{'escaped': r}] if r == 0 else [])",
    "subprocess": "import subprocess; yield {'escaped': subprocess.run(['true']).returncode}",
    "kill one": "os.kill(1, 9); yield {'escaped': 1}",
    "kill all": "os.kill(-1, 9); yield {'escaped': 1}",
    "kill its group": "os.killpg(0, 9); yield {'escaped': 1}",
    "probe a neighbour": "yield from ({'escaped': p} for p in range(1, 40) if p != os.getpid() and not libc.kill(p, 0))",
    "pidfd of 1": "yield {'escaped': os.pidfd_open(1)}",
    "alarm": "signal.setitimer(signal.ITIMER_REAL, 1); yield {'escaped': 1}",
    "ignore signals": "signal.signal(signal.SIGXCPU, signal.SIG_IGN); yield {'escaped': 1}",
    "ptrace one": "yield from escaped(libc.ptrace(16, 1, 0, 0))",
    "ptrace me": "yield from escaped(libc.ptrace(0, 0, 0, 0))",
    "read another's memory": "yield from escaped(libc.process_vm_readv(1, b'x' * 16, 1, b'x' * 16, 1, 0))",
    "setuid": "os.setuid(0); yield {'escaped': 1}",
    "setgroups": "os.setgroups([0]); yield {'escaped': 1}",
    "new user namespace": "yield from escaped(libc.unshare(0x10000000))",
    "new mounts": "yield from escaped(libc.unshare(0x00020000))",
    "mount proc": "yield from escaped(libc.mount(b'proc', b'/', b'proc', 0, None))",
    "umount": "yield from escaped(libc.umount2(b'/', 2))",
    "pivot": "yield from escaped(libc.syscall(155, b'.', b'.'))",
    "learn the host name": "yield {'escaped': os.uname().nodename}",
    "learn the machine": "yield from escaped(libc.sysinfo(ctypes.create_string_buffer(200)))",
    "host name": "yield from escaped(libc.sethostname(b'x', 1))",
    "keyring": "yield from escaped(libc.syscall(250, 0, -3, 0))",
    "bpf": "yield from escaped(libc.syscall(321, 0, b'\\0' * 64, 64))",
    "io_uring": "yield from escaped(libc.syscall(425, 8, b'\\0' * 120))",
    "perf": "yield from escaped(libc.syscall(298, b'\\0' * 112, 0, -1, -1, 0))",
    "userfaultfd": "yield from escaped(libc.syscall(323, 0))",
    "seccomp off": "yield from escaped(libc.prctl(22, 0, 0, 0, 0))",
    "dumpable": "yield from escaped(libc.prctl(4, 1, 0, 0, 0))",
    "x32 call": "yield from escaped(libc.syscall(0x40000000 + 2, b'/etc/passwd', 0, 0))",
    "open by number": "yield from escaped(libc.syscall(2, b'/', 0, 0))",
    "openat2": "yield from escaped(libc.syscall(437, -100, b'/', b'\\0' * 24, 24))",
    "name_to_handle": "yield from escaped(libc.syscall(303, -100, b'/', b'\\0' * 200, b'\\0' * 8, 0))",
    "executable memory": "import mmap; mmap.mmap(-1, 4096, prot=7); yield {'escaped': 1}",
    "make it executable": """
    import mmap
    m = mmap.mmap(-1, 4096)
    a = ctypes.addressof(ctypes.c_char.from_buffer(m))
    yield from escaped(libc.mprotect(ctypes.c_void_p(a), ctypes.c_size_t(4096), 5))""",
    "map a file": "import mmap; mmap.mmap(3, 4096); yield {'escaped': 1}",
    "raise a limit": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); yield {'escaped': 1}",
    "raise descriptors": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99)); yield {'escaped': 1}",
    "limits of another": "import resource; resource.prlimit(1, resource.RLIMIT_AS); yield {'escaped': 1}",
    "nice": "os.nice(-5); yield {'escaped': 1}",
    "real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)); yield {'escaped': 1}",
    "shared memory": "yield from escaped(libc.shmget(1, 4096, 0o1600))",
    "message queue": "yield from escaped(libc.msgget(1, 0o1600))",
    "set the clock": "import time; time.clock_settime(0, 0); yield {'escaped': 1}",
    "syslog": "yield from escaped(libc.klogctl(3, ctypes.create_string_buffer(100), 100))",
    "reboot": "yield from escaped(libc.reboot(0x1234567))",
    "import from disk": "import tkinter; yield {'escaped': 1}",
    "import numpy": "import numpy; yield {'escaped': 1}",
    "duckdb reads a file": """
    import duckdb
    rows = duckdb.connect(config={'threads': 1, 'async_threads': 0}).execute("SELECT * FROM glob('/**')").fetchall()
    yield from ({'escaped': row[0]} for row in rows)""",
    "duckdb of the engine": "yield from ({'escaped': str(row)} for row in query([{'a': 1}], \"SELECT * FROM glob('/*')\"))",
    "arrow file system": "import pyarrow.fs as fs; yield {'escaped': str(fs.LocalFileSystem().get_file_info(fs.FileSelector('/')))}",
    "arrow memory map": "import pyarrow as pa; yield {'escaped': pa.memory_map('/etc/passwd').read()}",
    "the zygote's control": """
    import gc
    for thing in gc.get_objects():
        if type(thing).__name__ == '_Nursery':
            thing.control.send(b'+' * 60)
            yield {'escaped': 1}""",
    "credentials in memory": """
    import gc
    for thing in gc.get_objects():
        if isinstance(thing, dict) and 'CANARY_SECRET' in thing:
            yield {'escaped': thing['CANARY_SECRET']}""",
}

PREAMBLE = """
import ctypes, os, select, signal, socket, threading
libc = ctypes.CDLL(None, use_errno=True)

def escaped(result):
    if result >= 0:
        yield {"escaped": result}

def closure(source):
    yield {"begun": 1}
    """


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    os.environ["CANARY_SECRET"] = "canary-5c1d"
    sandbox = Local(policy=False)
    yield sandbox
    sandbox.close()
    del os.environ["CANARY_SECRET"]


def hostile(body: str, limits: Limits = LIMITS) -> Job:
    return Job(PREAMBLE + body.strip("\n").lstrip(" ") + "\n", limits=limits)


def attack(local: Local, body: str, capability: object = None, limits: Limits = LIMITS) -> RunResult:
    return local.run(hostile(body, limits), Broker(capability))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_gets_nothing(local: Local, name: str) -> None:
    result = attack(local, ATTACKS[name])

    assert not [record for record in result.records if "escaped" in record], result
    assert "canary" not in repr(result)
    if result.status == "error":
        assert result.fault is not None
        assert result.fault.type not in {"SyntaxError", "NameError", "AttributeError", "IndentationError"}, result.fault


def test_the_sandbox_is_well_after_all_attacks(local: Local) -> None:
    result = attack(local, "yield {'a': 2}")

    assert result.status == "ok"
    assert result.records == ({"begun": 1}, {"a": 2})


# ------------------------------------------------------------------------------------------------ ways to end a run


@pytest.mark.parametrize(
    "body",
    [
        "os._exit(0)",
        "os._exit(3)",
        "os.abort()",
        "ctypes.string_at(0)",
        "ctypes.memset(ctypes.addressof(ctypes.c_char.from_address(id(None))), 0, 10_000_000)",
        "os.write(3, b'\\xff' * 100)",
        "libc.syscall(60, 0)",
    ],
)
def test_a_process_that_ends_itself_has_crashed(local: Local, body: str) -> None:
    result = attack(local, body)

    assert result.status in ("crashed", "limit"), result
    assert result.fault is not None


@pytest.mark.parametrize(
    "body", ["raise SystemExit(0)", "raise KeyboardInterrupt", "raise GeneratorExit", "exit = quit = 1 / 0"]
)
def test_exceptions_that_end_programs_are_faults_here(local: Local, body: str) -> None:
    result = attack(local, body)

    assert result.status == "error"
    assert result.fault is not None
    assert result.fault.line is not None


def test_a_message_that_cannot_be_printed_is_no_obstacle(local: Local) -> None:
    result = attack(
        local,
        """
    class Odd(Exception):
        def __str__(self):
            raise MemoryError
    raise Odd()""",
    )

    assert result.status == "error"
    assert result.fault is not None
    assert (result.fault.type, result.fault.message) == ("Odd", "")


def test_a_message_of_megabytes_is_cut_and_made_printable(local: Local) -> None:
    result = attack(local, "raise ValueError('\\x1b[31m' + 'x' * 10_000_000)")

    assert result.fault is not None
    assert len(result.fault.message) < 2_100
    assert result.fault.message.startswith("\\x1b[31m")


# --------------------------------------------------------------------------------------------- forging the channel

FORGE = """
    import struct
    from sandbox import channel as wire

    def forge(kind, payload=b""):
        os.write(3, struct.pack("<IB", len(payload), kind) + payload)
    """


@pytest.mark.parametrize(
    "body",
    [
        "forge(wire.END, wire.pack({'records': 7, 'cpu': 0, 'memory': 0})); os._exit(0)",
        "forge(wire.END, wire.pack({'records': 1, 'cpu': -1, 'memory': 2**63})); os._exit(0)",
        "forge(wire.END, wire.pack({'records': 1})); os._exit(0)",
        "forge(wire.END, wire.pack(1)); os._exit(0)",
        "forge(wire.END, b'garbage'); os._exit(0)",
        "forge(wire.END, b''); os._exit(0)",
        "forge(wire.RECORDS, b'\\xdd\\xff\\xff\\xff\\xff'); os._exit(0)",
        "forge(wire.RECORDS, b'\\xc1' * 100); os._exit(0)",
        "os.write(3, struct.pack('<IB', 0xffffffff, wire.RECORDS)); os._exit(0)",
        "os.write(3, struct.pack('<IB', 0xffffffff, wire.FAULT)); os._exit(0)",
        "forge(wire.FAULT, wire.pack({'type': 5, 'message': [1], 'line': 'x', 'limit': '__class__'})); os._exit(0)",
        "forge(wire.FAULT, wire.pack([1])); os._exit(0)",
        "forge(wire.FAULT, wire.pack({'type': 'X', 'message': 'm', 'line': -5, 'limit': 7})); os._exit(0)",
        "forge(wire.CALL, wire.pack([1, 'records', {}, []])); os._exit(0)",
        "forge(wire.CALL, wire.pack(5)); os._exit(0)",
        "forge(wire.CALL, b'\\xc1'); os._exit(0)",
        "forge(wire.NEXT, b'\\xc1'); os._exit(0)",
        "forge(wire.NEXT, wire.pack([1])); os._exit(0)",
        "forge(wire.DROP, wire.pack('x')); os._exit(0)",
        "forge(wire.DROP, b'\\xc1'); os._exit(0)",
        "forge(wire.OUT, b'x' * 70_000); os._exit(0)",
        "forge(wire.ZONE, b'../../../../etc/passwd'); os._exit(0)",
        "forge(wire.ZONE, b'\\xff' * 1000); os._exit(0)",
        "forge(99); os._exit(0)",
        "forge(0); os._exit(0)",
        "forge(wire.JOB, b'x' * 100); os._exit(0)",
        "os.write(3, b'\\x00'); os._exit(0)",
    ],
)
def test_a_forged_frame_is_never_success(local: Local, body: str) -> None:
    result = attack(local, FORGE + body)

    assert result.status in ("crashed", "error", "limit"), result
    assert "root:" not in repr(result)
    assert result.limit is None or result.limit in Limits.__dataclass_fields__


def test_a_process_that_stays_after_its_last_word_is_ended() -> None:
    others = set(children(os.getpid()))
    sandbox = Local(policy=False)
    try:
        sandbox.facts()
        (keeper,) = set(children(os.getpid())) - others
        while len(waiting := {keeper, *descendants(keeper)}) < 4:  # keeper, zygote, two workers
            time.sleep(0.02)
        end = "forge(wire.END, wire.pack({'records': 0, 'cpu': 0, 'memory': 0}))\n    while True:\n        pass"
        code = PREAMBLE.replace('yield {"begun": 1}', "") + FORGE.lstrip() + end

        result = sandbox.run(Job(code, limits=LIMITS), Broker(None))

        assert result.records == ()
        deadline = time.monotonic() + 5
        while waiting <= {keeper, *descendants(keeper)} and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(waiting - {keeper, *descendants(keeper)}) == 1
    finally:
        sandbox.close()


class Counted:
    """Counts how often it was asked."""

    asked = 0

    def lines(self) -> Iterator[list[str]]:
        self.asked += 1
        while True:
            yield ["x"] * 100

    def read(self, offset: int = 0, size: int = 65536) -> bytes:
        self.asked += 1
        return b"x"


def test_forged_calls_are_metered_like_all_others(local: Local) -> None:
    counted = Counted()
    broker = Broker(counted, Grant(calls=50))
    calls = "for n in range(100):\n        forge(wire.CALL, wire.pack([n, 'read', [], {}]))\n    "

    result = local.run(hostile(FORGE + calls + "__import__('time').sleep(0.5)\n    os._exit(0)"), broker)

    assert result.status == "crashed"
    assert counted.asked <= 50
    assert broker.meter.breached == "calls"


def test_only_so_many_answers_are_open_at_once(local: Local) -> None:
    body = "open_ = [source.lines() for _ in range(100)]\n    yield {'escaped': len(open_)}"

    result = attack(local, body, Counted())

    assert result.status == "error"
    assert result.fault is not None
    assert result.fault.type == "SourceError"


def test_a_closure_that_asks_and_does_not_read_ends_with_its_time(local: Local) -> None:
    body = FORGE + "while True:\n        forge(wire.CALL, wire.pack([1, 'lines', [], {}]))"

    result = attack(local, body, Counted(), Limits(wall_seconds=0.5))

    assert result.status == "limit", result
    assert result.limit == "wall_seconds"


# ----------------------------------------------------------------------------------------------------- leftovers


def test_what_one_job_changes_the_next_does_not_see(local: Local) -> None:
    change = """
    import builtins, json, sandbox.inside.guards
    builtins.sorted = lambda x: 666
    json.dumps = None
    sandbox.inside.guards.namespace = None
    os.environ['LEFT'] = 'x'
    query.__func__.__globals__['left'] = 'x'
    yield {"sorted": sorted([])}"""
    look = """
    import json
    yield {"sorted": sorted([]), "json": json.dumps(1), "left": 'LEFT' in os.environ or 'left' in query.__func__.__globals__}"""

    first = attack(local, change)
    second = attack(local, look)

    assert first.records[1:] == ({"sorted": 666},)
    assert second.records[1:] == ({"sorted": [], "json": "1", "left": False},)


def test_no_two_jobs_share_a_process(local: Local) -> None:
    pids = [attack(local, "yield {'pid': os.getpid()}").records[1]["pid"] for _ in range(5)]

    assert len(set(pids)) == 5


def test_the_confinement_is_in_force_in_the_kernels_eyes() -> None:
    others = set(children(os.getpid()))
    sandbox = Local()
    try:
        sandbox.facts()
        (keeper,) = set(children(os.getpid())) - others
        workers: list[int] = []
        deadline = time.monotonic() + 5
        while len(workers) < 2 and time.monotonic() < deadline:
            workers = [pid for pid in descendants(keeper) if "Seccomp:\t2" in status(pid)]

        assert len(workers) == 2
        for pid in workers:
            told = dict(line.split(":\t", 1) for line in status(pid).splitlines() if ":\t" in line)
            assert told["NoNewPrivs"] == "1"
            assert {told[name] for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {"0" * 16}
            assert told["Uid"].split()[0] != "0"
            for kind in ("fd", "environ", "mem", "root"):
                assert _is_closed_to_others(Path(f"/proc/{pid}/{kind}"))
            if os.getuid() == 0:
                assert os.listdir(f"/proc/{pid}/fd") == ["3"]
                assert Path(f"/proc/{pid}/environ").read_bytes().count(b"CANARY") == 0
                for kind in ("user", "pid", "net", "mnt", "ipc", "uts"):
                    assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
                assert os.listdir(f"/proc/{pid}/root/") == []
    finally:
        sandbox.close()


def _is_closed_to_others(path: Path) -> bool:
    """Whether only root may look: not even the user whose sandbox it is."""
    if os.getuid() == 0:
        return path.lstat().st_uid == 0
    try:
        os.close(os.open(path, os.O_RDONLY))
    except PermissionError:
        return True
    return False
