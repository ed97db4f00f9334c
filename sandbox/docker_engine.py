"""The Docker engine: where it is, whether it may be used, and in plain words what is missing when not."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.job import SandboxUnavailable

if TYPE_CHECKING:
    from docker import APIClient
    from docker.tls import TLSConfig

ANSWER_SECONDS = 30
GVISOR = "runsc"


@dataclass(frozen=True)
class Engine:
    """An engine that answered: its client, its address and what it says of itself."""

    api: APIClient
    address: str
    info: Mapping[str, Any]

    @property
    def same_kernel(self) -> bool:
        """Whether a socket in a folder of this machine can reach into a container of that engine."""
        return self.address.startswith("unix://") and self.info.get("KernelVersion") == platform.release()

    @property
    def runtime(self) -> str:
        """The engine's name for gVisor where it has it, else empty: the engine's own."""
        return GVISOR if GVISOR in self.info.get("Runtimes", {}) else ""


def engine(address: str | None = None, environment: Mapping[str, str] = os.environ) -> Engine:
    """The engine at that address; else at DOCKER_HOST; else the first there is of the system's, the user's and Docker Desktop's.

    Raises SandboxUnavailable with what is missing and the next step.
    """
    if find_spec("docker") is None:
        raise SandboxUnavailable("the docker sandbox needs the Docker SDK: pip install 'tars-closures[docker]'")
    address = address or environment.get("DOCKER_HOST") or _usual(environment)
    if address.startswith("ssh://"):
        raise SandboxUnavailable(
            f"the docker sandbox cannot use {address}: forward the engine's socket (ssh -L) and set DOCKER_HOST to it"
        )
    from docker.tls import TLSConfig

    with engine_errors(address):
        tls: TLSConfig | bool = False
        folder = environment.get("DOCKER_CERT_PATH") or str(Path.home() / ".docker")
        if environment.get("DOCKER_TLS_VERIFY"):
            pair = (f"{folder}/cert.pem", f"{folder}/key.pem")
            tls = TLSConfig(client_cert=pair, ca_cert=f"{folder}/ca.pem", verify=True)
        api = _client(address, tls)
        found = Engine(api, address, api.info())
    _check(found)
    return found


def _client(address: str, tls: TLSConfig | bool) -> APIClient:
    from docker import APIClient

    class Client(APIClient):  # type: ignore[misc]  # the SDK has no types
        """A client that takes its trust from the engine's certificates alone.

        The environment's proxies and its bundle of authorities (REQUESTS_CA_BUNDLE) are for the web, and would win over them.
        """

        trust_env = property(lambda self: False, lambda self, value: None)

    return Client(address, version="auto", timeout=ANSWER_SECONDS, tls=tls)


def _usual(environment: Mapping[str, str]) -> str:
    home = environment.get("HOME", "")
    runtime = environment.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    first = "/var/run/docker.sock"
    for place in (
        first,
        f"{runtime}/docker.sock",
        f"{home}/.docker/run/docker.sock",
        f"{home}/.docker/desktop/docker.sock",
    ):
        if os.access(place, os.R_OK | os.W_OK):
            return f"unix://{place}"
    return f"unix://{first}"


def _check(found: Engine) -> None:
    """Refuse an engine whose containers would lack a wall."""
    if found.info.get("OSType") != "linux":
        raise SandboxUnavailable(f"the docker sandbox needs Linux containers; {found.address} runs another kind")
    if not found.runtime and not any(_is_filter(option) for option in found.info.get("SecurityOptions") or []):
        raise SandboxUnavailable(
            f"the engine at {found.address} runs containers without seccomp: use one with its default profile"
        )


def _is_filter(option: str) -> bool:
    return option.startswith("name=seccomp") and not option.endswith("profile=unconfined")


@contextlib.contextmanager
def engine_errors(address: str) -> Iterator[None]:
    """Turn what the engine's client raises into SandboxUnavailable."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException, OSError) as error:
        raise SandboxUnavailable(_words(address, error)) from None


def _words(address: str, error: BaseException) -> str:
    causes = list(_causes(error))
    text = " ".join(map(str, causes))
    if any(isinstance(cause, PermissionError) for cause in causes) or "Permission denied" in text:
        return f"this user may not use the Docker engine at {address}: join the group docker, or use a rootless engine"
    missing = (
        "No such file",
        "Connection refused",
        "Connection aborted",
        "Max retries",
        "timed out",
        "Error while fetching",
    )
    if any(word in text for word in missing):
        return f"no Docker engine answers at {address}: start it, or set DOCKER_HOST to where one runs"
    explanation = getattr(error, "explanation", None)
    return f"the Docker engine at {address} refused: {str(explanation or error)[:500]}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
