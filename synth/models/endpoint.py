"""Where an OpenAI-compatible server is and how it may be talked to, read from the environment."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from synth.models.keys import key_of
from synth.models.problem import ModelProblem

HOSTED = "https://api.openai.com/v1"
SECONDS = 300.0
TRIES = 4


@dataclass(frozen=True)
class Endpoint:
    """A model behind a base address. `key` is in no repr. `seconds` is the longest one reply may take, `tries` how often a
    failure that may pass is tried in all. `most_tokens` caps a reply (0: the server's own cap). `local`: on this machine."""

    model: str
    base_url: str = HOSTED
    key: str = field(default="", repr=False)
    seconds: float = SECONDS
    tries: int = TRIES
    most_tokens: int = 0
    ca_file: str = ""
    structured: bool = True

    @property
    def host(self) -> str:
        """Host and port as a message may show them: no user, no password, no query."""
        parts = urlsplit(self.base_url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else (parts.hostname or "")
        return f"{host}:{parts.port}" if parts.port else host

    @property
    def local(self) -> bool:
        """The server is on this machine, by its name or address: what it is sent stays here."""
        name = (urlsplit(self.base_url).hostname or "").rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def certificates(self) -> ssl.SSLContext | bool:
        """The authorities to trust: the usual ones, and those of `ca_file`. Raises ModelProblem for a file that holds none."""
        if not self.ca_file:
            return True
        context = ssl.create_default_context()
        path = Path(self.ca_file).expanduser()
        try:
            if path.is_dir():
                context.load_verify_locations(capath=str(path))
            else:
                context.load_verify_locations(cafile=str(path))
        except (OSError, ssl.SSLError) as error:
            why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ModelProblem(
                f"the certificates in {self.ca_file!r} cannot be used: {why}",
                "Set TARS_CA_FILE to a PEM file",
                "bad-settings",
            ) from None
        return context


def endpoint_of(model: str, environment: Mapping[str, str] | None = None) -> Endpoint:
    """OPENAI_BASE_URL with its key (see `keys`); TARS_MODEL_TIMEOUT in seconds, TARS_MODEL_TRIES, TARS_MODEL_MAX_TOKENS,
    TARS_MODEL_STRUCTURED=off, TARS_CA_FILE (else SSL_CERT_FILE). Raises ModelProblem for what cannot be meant."""
    said = os.environ if environment is None else environment
    base_url = said.get("OPENAI_BASE_URL", "").strip() or HOSTED
    _check_address(base_url)
    endpoint = Endpoint(
        model=model,
        base_url=base_url.rstrip("/"),
        seconds=_number(said, "TARS_MODEL_TIMEOUT", SECONDS, 0.1, 86_400),
        tries=int(_number(said, "TARS_MODEL_TRIES", TRIES, 1, 20)),
        most_tokens=int(_number(said, "TARS_MODEL_MAX_TOKENS", 0, 0, 10_000_000)),
        ca_file=said.get("TARS_CA_FILE", "") or said.get("SSL_CERT_FILE", ""),
        structured=said.get("TARS_MODEL_STRUCTURED", "auto").lower() not in ("off", "no", "0", "false"),
    )
    key = key_of(said, endpoint.host)
    if not key and endpoint.base_url == HOSTED:
        raise ModelProblem(
            f"openai:{model} needs a key",
            "Set OPENAI_API_KEY (or OPENAI_API_KEY_FILE), or OPENAI_BASE_URL for a server of your own",
            "authentication",
        )
    return replace(endpoint, key=key)


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
        parts = urlsplit("")
    if not good:
        shown = base_url.rpartition("@")[2][:80]
        raise ModelProblem(
            f"OPENAI_BASE_URL={shown!r} is not the address of a server",
            "Write it like http://localhost:8000/v1",
            "bad-settings",
        )
    if parts.username or parts.password:
        raise ModelProblem(
            "OPENAI_BASE_URL holds a user or a password", "Give the key in OPENAI_API_KEY instead", "bad-settings"
        )


def _number(said: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = said.get(name, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise ModelProblem(f"{name}={text!r} is not a number from {least:g} to {most:g}", "", "bad-settings")
    return number
