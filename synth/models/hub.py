"""Models in the user's home: added from a folder, or fetched from a hub, by huggingface_hub's client, resumed and checked by hash.

The hub is the one that HF_ENDPOINT names; a token is sent only where HF_TOKEN gives one. Telemetry is off. Only a model's own
files are fetched: its configuration, its tokenizer, and the graphs of one precision.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from corpus.home import HomeUnusable, home_of, locked, opened, write_atomically
from synth.errors import BadRequest, HomeProblem
from synth.models.onnx_folder import Choice, choices_among, folder_of
from synth.models.problem import ModelProblem
from synth.models.wire import shown

HUB = "https://huggingface.co"
TRIES = 3
"""So often a file is begun or resumed before the fetching gives up."""

BLOCK = 65_536

_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}")
_SMALL = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
)


@dataclass(frozen=True)
class Added:
    """A model that the user's home knows. `origin` is the repository it was fetched from, with the commit; "" for a folder."""

    name: str
    folder: Path
    precision: str = ""
    origin: str = ""


def added(environment: Mapping[str, str]) -> dict[str, Added]:
    """The models that were added, by name. An entry that cannot be read is left out."""
    found = {}
    for file in sorted((home_of(environment) / "models").glob("*.toml")):
        try:
            said = tomllib.loads(file.read_text(encoding="utf-8"))
            found[file.stem] = Added(
                file.stem, Path(said["folder"]), str(said.get("precision", "")), str(said.get("origin", ""))
            )
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError):
            continue
    return found


def add(
    what: str,
    environment: Mapping[str, str],
    name: str = "",
    precision: str = "",
    revision: str = "",
    progress: Callable[[str], None] = lambda _text: None,
) -> Added:
    """Make a folder known under a name, or fetch OWNER/REPO and make that known. Raises ModelProblem, BadRequest, HomeProblem."""
    path = Path(what).expanduser()
    is_folder = path.is_dir()
    if not is_folder and not _REPO.fullmatch(what):
        raise BadRequest(f"{what!r} is neither a folder nor a repository", "Write a folder, or OWNER/REPO")
    name = name or (path.resolve().name if is_folder else what.rpartition("/")[2])
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{name!r} cannot be a model's name", "Give one: --name NAME (letters, digits, . _ -)")
    models = _models(environment)
    with locked(models / ".lock"):
        if is_folder:
            folder_of(path.resolve(), precision)
            made = Added(name, path.resolve(), precision)
        else:
            made = fetched(what, models / name, environment, name, precision, revision, progress)
        import tomli_w

        said = {"folder": str(made.folder), "precision": made.precision, "origin": made.origin}
        write_atomically(models / f"{name}.toml", tomli_w.dumps(said).encode())
    return made


def fetched(
    repo: str,
    folder: Path,
    environment: Mapping[str, str],
    name: str,
    precision: str = "",
    revision: str = "",
    progress: Callable[[str], None] = lambda _text: None,
) -> Added:
    """The model's files in `folder`, whole and checked. What was fetched before, also in part, is not fetched again."""
    hub = _Hub(environment)
    commit, files = hub.listed(repo, revision)
    choice = _chosen(repo, files, precision)
    wanted = [f for f in files if f.path in _SMALL or any(_belongs(f.path, graph) for graph in choice.graphs)]
    missing = {"config.json", "tokenizer.json"} - {f.path for f in wanted}
    if missing:
        raise ModelProblem(
            f"{repo} has no {' and no '.join(sorted(missing))}",
            "Choose a repository with an ONNX export",
            "no-such-model",
        )
    left = sum(f.size for f in wanted if not (folder / f.path).is_file())
    free = shutil.disk_usage(folder.parent).free
    if left > free:
        raise ModelProblem(
            f"{repo} needs {left / 1e6:.0f} MB on disk, and {free / 1e6:.0f} MB are free in {folder.parent}",
            "Free some, or set TARS_HOME to another disk",
            "too-little-memory",
        )
    for number, file in enumerate(wanted, 1):
        progress(f"{file.path} ({file.size / 1e6:.1f} MB), {number} of {len(wanted)}")
        hub.fetch(repo, commit, file, folder / file.path)
    folder_of(folder, choice.suffix)
    return Added(name, folder, choice.suffix, f"{repo}@{commit}")


@dataclass(frozen=True)
class _File:
    """A file of a repository. `sha256` is told of large ones, of the others the id that git gives their content."""

    path: str
    size: int
    sha256: str
    git_id: str

    @property
    def hash(self) -> str:
        """Either, as it is known."""
        return self.sha256 or self.git_id

    def is_in(self, path: Path) -> bool:
        """Whether a file holds exactly this content."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        whole = hashlib.sha256() if self.sha256 else hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                whole.update(block)
        return whole.hexdigest() == self.hash


class _Hub:
    """A server that speaks the hub's protocol."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        try:
            constants: Any = importlib.import_module("huggingface_hub.constants")
            self._client = importlib.import_module("huggingface_hub")
            self._files = importlib.import_module("huggingface_hub.file_download")
            self._errors = importlib.import_module("huggingface_hub.errors")
        except ImportError:
            raise ModelProblem(
                "huggingface_hub is not installed", "Install it: pip install 'tars-closures[onnx]'", "missing-extra"
            ) from None
        # These are read once, when the package is imported, which may have happened long ago.
        constants.HF_HUB_DISABLE_TELEMETRY = True
        constants.HF_HUB_DISABLE_XET = True
        # What came of a block before a connection broke is lost, so blocks are small.
        constants.DOWNLOAD_CHUNK_SIZE = BLOCK
        self.endpoint = environment.get("HF_ENDPOINT", "").rstrip("/") or HUB
        self._token: str | bool = environment.get("HF_TOKEN", "").strip() or False
        utils: Any = importlib.import_module("huggingface_hub.utils")
        utils.disable_progress_bars()
        utils.logging.set_verbosity_error()
        self._headers = utils.build_hf_headers(token=self._token, library_name="tars")

    def listed(self, repo: str, revision: str) -> tuple[str, list[_File]]:
        """The commit, and its files with their sizes and hashes."""
        api = self._client.HfApi(endpoint=self.endpoint, token=self._token, library_name="tars")
        try:
            info = api.model_info(repo, revision=revision or None, files_metadata=True, timeout=30.0)
        except Exception as error:  # the client's own, and those of the HTTP library under it
            raise self._problem(error, repo) from None
        files = []
        for one in info.siblings or ():
            lfs: Any = one.lfs
            sha256 = str(lfs.sha256) if lfs else ""
            if one.size is not None and (sha256 or one.blob_id):
                files.append(_File(one.rfilename, int(one.size), sha256, str(one.blob_id or "")))
        return str(info.sha or revision or "main"), files

    def fetch(self, repo: str, commit: str, file: _File, target: Path) -> None:
        """One file, whole, with the hash that was promised. A part that is there is gone on with."""
        if file.is_in(target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{file.hash[:12]}.part")
        problem: Exception | None = None
        for _ in range(TRIES):
            had = part.stat().st_size if part.exists() else 0
            if had > file.size:
                part.unlink()
                had = 0
            try:
                with part.open("ab") as stream:
                    self._into(stream, repo, commit, file, had)
            except Exception as error:  # as above
                problem = error
                if isinstance(error, self._errors.HfHubHTTPError):
                    break
                continue
            if file.is_in(part):
                part.replace(target)
                return
            part.unlink(missing_ok=True)
            problem = None
        if problem is not None:
            raise self._problem(problem, repo)
        raise ModelProblem(
            f"{file.path} of {repo} does not have the hash that {self.endpoint} promised",
            "Try again; if it stays so, do not use this model",
            "corrupt-model",
        )

    def _into(self, stream: BinaryIO, repo: str, commit: str, file: _File, had: int) -> None:
        url = self._client.hf_hub_url(repo, file.path, revision=commit, endpoint=self.endpoint)
        if had < file.size or file.size == 0:
            self._files.http_get(url, stream, resume_size=had, headers=dict(self._headers), expected_size=file.size)

    def _problem(self, error: Exception, repo: str) -> ModelProblem:
        """What went wrong between us and the hub, in words."""
        kinds = self._errors
        if isinstance(error, kinds.GatedRepoError):
            return ModelProblem(
                f"{repo} is given out only to those who accepted its terms",
                f"Accept them at {self.endpoint}/{repo}, and set HF_TOKEN",
                "authorisation",
            )
        if isinstance(error, kinds.RevisionNotFoundError):
            return ModelProblem(f"{repo} has no such revision", "Check --revision", "no-such-model")
        if isinstance(error, (kinds.RepositoryNotFoundError, kinds.EntryNotFoundError)):
            return ModelProblem(
                f"{self.endpoint} has no {repo}, or shows it only with a token",
                "Check the name; set HF_TOKEN",
                "no-such-model",
            )
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            return ModelProblem(f"{self.endpoint} refused ({status})", "Check HF_TOKEN", "authentication")
        if isinstance(status, int):
            return ModelProblem(f"{self.endpoint} answered {status}", "Try again later", "server-error", True)
        return ModelProblem(
            f"{repo} could not be fetched from {self.endpoint}: {shown(str(error) or type(error).__name__, 160)}",
            "Check the network and HF_ENDPOINT; what was fetched is kept, and the next try goes on from there",
            "no-server",
            True,
        )


def _chosen(repo: str, files: list[_File], precision: str) -> Choice:
    graphs = [Path(f.path) for f in files if f.path.endswith(".onnx") and _is_near(f.path)]
    choices = choices_among(sorted(graphs, key=lambda g: len(g.parts), reverse=True))
    for choice in choices:
        if precision in ("", choice.suffix, choice.precision):
            return choice
    there = ", ".join(c.suffix or "fp32" for c in choices)
    if there:
        raise ModelProblem(f"{repo} has no precision {precision!r}", f"There are: {there}", "no-such-model")
    raise ModelProblem(
        f"{repo} has no onnx/model.onnx",
        "Choose a repository with an ONNX export (often onnx-community/…)",
        "no-such-model",
    )


def _is_near(path: str) -> bool:
    """In the repository's root or in its `onnx` folder: nothing else is fetched, so no path can lead out of the model's folder."""
    return str(PurePosixPath(path).parent) in (".", "onnx") and ".." not in path


def _belongs(path: str, graph: Path) -> bool:
    """The graph itself, or a file with its weights."""
    name = graph.as_posix()
    return _is_near(path) and (path == name or path.startswith((f"{name}_data", f"{name}.data")))


def _models(environment: Mapping[str, str]) -> Path:
    try:
        models = opened(home_of(environment)) / "models"
        models.mkdir(exist_ok=True)
    except (HomeUnusable, OSError) as error:
        raise HomeProblem(str(error)) from error
    return models


def sizes(models: Mapping[str, Added]) -> Iterator[dict[str, object]]:
    """A line for each model: what it is and whether it is still there."""
    for one in models.values():
        try:
            folder = folder_of(one.folder, one.precision)
        except ModelProblem as problem:
            yield {"name": one.name, "state": problem.message, "folder": str(one.folder), "origin": one.origin}
            continue
        yield {
            "name": one.name,
            "architecture": folder.architecture,
            "precision": folder.choice.precision,
            "mb": round(folder.choice.bytes / 1e6, 1),
            "context": folder.context,
            "state": "ready",
            "folder": str(one.folder),
            "origin": one.origin,
        }
