"""Real database servers for the tests: PostgreSQL and MariaDB in a temporary folder, on loopback, stopped by their own pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "s3cret-pw"


class ServiceMissing(Exception):
    """The server's programs are not installed here; the message says which package has them."""


@dataclass(frozen=True)
class Server:
    """A running server and its administrator (`tars` with PASSWORD, database `tars`)."""

    scheme: str
    port: int
    folder: Path

    def url(self, database: str = "tars", user: str = "tars", password: str = PASSWORD) -> str:
        """The address of one database, credentials and all."""
        return f"{self.scheme}://{user}:{password}@127.0.0.1:{self.port}/{database}"


def free_port() -> int:
    """A TCP port of loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of our own, ready for queries; gone afterwards with its folder."""
    binaries = _newest(Path("/usr/lib/postgresql").glob("*/bin/postgres"), "postgresql")
    folder, user = _folder("tars-postgres-")
    data, port = folder / "data", free_port()
    try:
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        _run([
            *user, str(binaries / "initdb"), "-D", str(data), "-U", "tars", "-A", "scram-sha-256", "-E", "UTF8",
            "--locale=C.UTF-8", f"--pwfile={password_file}", "--no-sync",
        ])  # fmt: skip
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off",
            "shared_buffers": "32MB", "max_connections": 40,
        }  # fmt: skip
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        server = Server("postgresql", port, folder)
        with _running([*user, str(binaries / "postgres"), "-D", str(data), *options], folder / "log", signal.SIGINT):
            _wait(lambda: _postgres_execute(server.url("postgres"), "CREATE DATABASE tars"), folder / "log")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mariadb_server() -> Iterator[Server]:
    """A MariaDB of our own, ready for queries; gone afterwards with its folder."""
    program, installer = shutil.which("mariadbd", path=_PATH), shutil.which("mariadb-install-db", path=_PATH)
    if program is None or installer is None:
        raise ServiceMissing("no mariadbd here; apt package: mariadb-server")
    folder, user = _folder("tars-mariadb-")
    data, port = folder / "data", free_port()
    try:
        _run([
            *user, installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
            "--skip-test-db", f"--tmpdir={folder}",
        ])  # fmt: skip
        first = folder / "first.sql"
        first.write_text(
            # The server reads this file a statement a line.
            f"CREATE DATABASE tars;\nCREATE USER tars@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO tars@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        first.chmod(0o644)
        command = [
            *user, program, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", "--bind-address=127.0.0.1",
            f"--port={port}", f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}", f"--init-file={first}",
            "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", "--skip-log-bin",
        ]  # fmt: skip
        server = Server("mysql", port, folder)
        with _running(command, folder / "log", signal.SIGTERM):
            _wait(lambda: _mysql_ping(server), folder / "log")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/bin"])


def _newest(found: Iterator[Path], package: str) -> Path:
    folders = sorted((path.parent for path in found), key=lambda path: float(path.parent.name))
    if not folders:
        raise ServiceMissing(f"no server here; apt package: {package}")
    return folders[-1]


def _folder(prefix: str) -> tuple[Path, list[str]]:
    """A folder for the server, and the words that start a command as its owner (these servers refuse to be root)."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    if os.geteuid() != 0:
        return folder, []
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder, ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120)
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stdout[-2000:]} {done.stderr[-2000:]}")


@contextmanager
def _running(command: list[str], log: Path, goodbye: signal.Signals) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/")
    try:
        yield
    finally:
        process.send_signal(goodbye)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(answers: Callable[[], None], log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return answers()
        except Exception as problem:
            if time.monotonic() > end:
                raise RuntimeError(f"the server did not answer: {problem}; {log.read_text()[-2000:]}") from problem
            time.sleep(0.1)


def _postgres_execute(url: str, sql: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(sql.encode())


def _mysql_ping(server: Server) -> None:
    import pymysql

    pymysql.connect(
        host="127.0.0.1", port=server.port, user="tars", password=PASSWORD, database="tars", connect_timeout=5
    ).close()


def main() -> None:
    """Start every server that is installed, print where each is, and keep them until Ctrl-C."""
    with ExitStack() as running:
        for name, start in (("PostgreSQL", postgres_server), ("MariaDB", mariadb_server)):
            try:
                server = running.enter_context(start())
            except ServiceMissing as missing:
                print(f"{name}: {missing}")
                continue
            print(f"{name}: {server.url()}", flush=True)
        print("Ctrl-C stops them", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
