"""A Docker engine that really runs, and the sandbox's image on it; for tests, and by hand: `python -m tests.docker_engine`.

An engine that answers already is used. Otherwise dockerd is started in a temporary folder, on a socket of its own, without
any network, and stopped by its pid with all that it started. No registry of images is asked: the base is a small Debian made
by debootstrap with the libraries of this very environment, kept in the user's cache for the next time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

from sandbox.docker_engine import engine
from sandbox.docker_link import NOBODY
from sandbox.image_build import LIBRARIES, build_image, find_image
from sandbox.job import SandboxUnavailable
from tests.services import ServiceMissing, free_port

BASE = "tars-test-base"
_RELEASE, _PYTHON = "bookworm", (3, 11)
_INSTALLED = "usr/local/lib/python3.11/dist-packages"
_UNNEEDED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/perl",
    "var/lib/apt/lists",
    "var/cache/apt",
)
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


class Daemon:
    """A dockerd of our own; `start` may be called again after it was killed.

    It listens on a socket and, as a remote engine would, on a port of loopback with TLS both ways, at `remote`; the client's
    certificates are in `certificates`. `runtimes` are programs that may run containers beside the usual one, by name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix://{folder}/docker.sock"
        self.runtimes: dict[str, list[str]] = {}
        # Whoever is in the socket's group may come in, as on any machine with Docker.
        folder.chmod(0o711)
        self.certificates = folder / "tls"
        self.remote = f"tcp://127.0.0.1:{free_port()}"
        _certify(self.certificates)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._end_left_over()
        # A containerd that died with its dockerd may still have a number where nobody reaps it; it would be waited for.
        for stale in ("docker.pid", "docker.sock", "exec/containerd/containerd.pid"):
            (self.folder / stale).unlink(missing_ok=True)
        runtimes = {name: {"path": path, "runtimeArgs": more} for name, (path, *more) in self.runtimes.items()}
        (self.folder / "daemon.json").write_text(json.dumps({"runtimes": runtimes}))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *_dockerd(self.folder), "--config-file", f"{self.folder}/daemon.json",
                    "--host", self.remote, "--tlsverify", "--tlscacert", f"{self.certificates}/ca.pem",
                    "--tlscert", f"{self.certificates}/server-cert.pem", "--tlskey", f"{self.certificates}/server-key.pem",
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, "PATH": _PATH}, start_new_session=True,
            )  # fmt: skip
        _wait_for(self.address, self.process, self.folder / "log")

    def kill(self) -> None:
        """End it as a crash would: the containers and their shims stay, until it is started again or stopped."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """End it and everything it started."""
        if self.process is not None:
            _end(self.process)
        self.process = None
        self._end_left_over()
        _clear(self.folder)

    def _end_left_over(self) -> None:
        for pid in _left_over(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def rootless_daemon() -> Iterator[str]:
    """The address of a dockerd that an ordinary user runs for itself, without any image."""
    if os.geteuid() != 0:
        raise ServiceMissing("the ordinary user's place can be taken by root only")
    for program, package in (("rootlesskit", "rootlesskit"), ("newuidmap", "uidmap"), ("dockerd", "docker.io")):
        _program(program, package)
    folder = Path(tempfile.mkdtemp(prefix="tars-rootless-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        folder.chmod(0o711)
        home = folder / "home"
        home.mkdir(mode=0o700)
        os.chown(home, NOBODY, NOBODY)
        (folder / "subids").write_text("nobody:100000:65536\n")
        script = folder / "start"
        script.write_text(_ROOTLESS)
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", script, folder, *_dockerd(home), "--rootless"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd=home,
                env={"PATH": _PATH, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
            )  # fmt: skip
        address = f"unix://{home}/docker.sock"
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        if process is not None:
            _end(process)
        for pid in _left_over(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _clear(folder)


# In a mount namespace of its own, so that the ranges of numbers that the user may give away are this engine's only.
_ROOTLESS = """set -e
folder=$1; shift
mount --bind "$folder/subids" /etc/subuid
mount --bind "$folder/subids" /etc/subgid
exec setpriv --reuid nobody --regid nogroup --clear-groups rootlesskit --net=host --copy-up=/etc --copy-up=/run \\
  --propagation=rslave --state-dir="$folder/home/rootlesskit" \\
  sh -c 'rm -f /run/docker /run/containerd /run/xtables.lock; exec "$@"' dockerd "$@"
"""


def _dockerd(folder: Path) -> list[str]:
    """The command of an engine that keeps everything in a folder and changes no network."""
    return [
        _program("dockerd", "docker.io"), "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec",
        "--pidfile", f"{folder}/docker.pid", "--host", f"unix://{folder}/docker.sock", "--storage-driver", "overlay2",
        "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--log-level", "warn",
    ]  # fmt: skip


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until an engine answers. ServiceMissing when it ends or does not answer in time."""
    deadline = time.monotonic() + 60
    while True:
        try:
            engine(address)
            return
        except SandboxUnavailable as problem:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text()[-2_000:]
                raise ServiceMissing(f"dockerd does not run here: {problem}; {said}") from None
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _left_over(folder: Path) -> list[int]:
    """Processes of an engine: containerd, its shims and gVisor's, where they name its folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                known = b"containerd" in words[0] or b"runsc" in words[0]
                if known and any(os.fsencode(folder) in word for word in words):
                    found.append(int(entry.name))
    return found


def _clear(folder: Path) -> None:
    for mounted in reversed(_mounted_below(folder)):
        subprocess.run(["umount", "--lazy", mounted], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _certify(folder: Path) -> None:
    """An authority of a day, with a certificate for the engine and one for its client."""
    folder.mkdir(mode=0o700)
    openssl = _program("openssl", "openssl")
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    signed = ["-CA", "ca.pem", "-CAkey", "ca-key.pem"]
    for name, prefix, extra in (
        ("authority", "ca", ["-out", "ca.pem"]),
        ("engine", "server", ["-out", "server-cert.pem", *signed, "-addext", "subjectAltName=IP:127.0.0.1"]),
        ("client", "client", ["-out", "cert.pem", *signed, "-addext", "extendedKeyUsage=clientAuth"]),
    ):
        key = "key.pem" if prefix == "client" else f"{prefix}-key.pem"
        command = [openssl, "req", "-x509", *made, "-keyout", key, "-subj", f"/CN={name}", *extra]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _mounted_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}/")]


@contextmanager
def docker_engine() -> Iterator[str]:
    """The address of an engine that has the sandbox's image. ServiceMissing says what is not installed here."""
    with contextlib.suppress(SandboxUnavailable):
        address = engine().address
        provide_image(address)
        yield address
        return
    with own_daemon() as daemon:
        provide_image(daemon.address)
        yield daemon.address


@contextmanager
def own_daemon() -> Iterator[Daemon]:
    """A dockerd of our own, without any image."""
    if os.geteuid() != 0:
        raise ServiceMissing("no Docker engine answers, and dockerd can be started by root only")
    _program("dockerd", "docker.io")
    daemon = Daemon(Path(tempfile.mkdtemp(prefix="tars-dockerd-", dir="/tmp")))
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


def provide_image(address: str) -> None:
    """Have the sandbox's image on that engine."""
    found = engine(address)
    try:
        find_image(found)
    except SandboxUnavailable:
        if not found.api.images(name=BASE):
            with base_archive().open("rb") as archive:
                found.api.import_image_from_data(archive, repository=BASE, tag="latest")
        build_image(f"{BASE}:latest", address=address, network="none")


def base_archive() -> Path:
    """The base image's file system as a tar file; made by debootstrap once and kept."""
    packages = [distribution(name) for name in ("pip", *LIBRARIES)]
    what = " ".join(f"{package.name}={package.version}" for package in packages)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tars-tests"
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"base-{hashlib.sha256(what.encode()).hexdigest()[:16]}.tar"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _make_base(archive)
    return archive


def _make_base(archive: Path) -> None:
    program = _program("debootstrap", "debootstrap")
    if sys.version_info[:2] != _PYTHON:
        raise ServiceMissing(
            f"the base image is made with Debian {_RELEASE}'s Python {_PYTHON}; this one's wheels do not fit"
        )
    with tempfile.TemporaryDirectory(prefix="tars-base-", dir="/tmp") as folder:
        root = Path(folder, "root")
        done = subprocess.run(
            [program, "--variant=minbase", "--include=python3", _RELEASE, str(root)],
            capture_output=True, text=True, env={**os.environ, "PATH": _PATH}, timeout=900,
        )  # fmt: skip
        if done.returncode:
            raise ServiceMissing(f"debootstrap failed: {done.stdout[-1_000:]} {done.stderr[-1_000:]}")
        for name in _UNNEEDED:
            shutil.rmtree(root / name, ignore_errors=True)
        for name in ("pip", *LIBRARIES):
            _copy_package(name, root / _INSTALLED)
        unfinished = archive.with_suffix(".part")
        with tarfile.open(unfinished, "w") as tar:
            for entry in sorted(root.iterdir()):
                if entry.name not in ("dev", "proc", "sys"):
                    tar.add(entry, entry.name)
        unfinished.replace(archive)


def _copy_package(name: str, target: Path) -> None:
    """The files of an installed package, less its tests and headers."""
    for file in distribution(name).files or []:
        if file.parts[0] == ".." or {"tests", "include", "__pycache__"} & set(file.parts):
            continue
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.locate(), copy)


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise ServiceMissing(f"no {name} here; apt package: {package}")
    return found


def main(report: Callable[[str], None] = print) -> None:
    """Keep an engine with the image until Enter is pressed or the input ends."""
    with docker_engine() as address:
        report(f"DOCKER_HOST={address}")
        sys.stdin.read(1)


if __name__ == "__main__":
    main()
