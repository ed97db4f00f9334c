"""The index: Chroma over what passed. It follows the ledger, and is made again from it when anything is wrong with it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.embedding import embedded
from corpus.home import locked
from corpus.ledger import Ledger, Outcome

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection


@dataclass(frozen=True)
class Match:
    """A closure that answered a request like this one; `score` is 1 for the same words and shape, 0 for nothing in common."""

    closure_id: str
    request: str
    kind: str
    score: float


class Index:
    """An embedded Chroma in a folder, caught up with the ledger before every search."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder = folder
        self.ledger = ledger
        self._client: ClientAPI | None = None

    def search(self, request: str, shape: str, columns: tuple[str, ...], limit: int) -> list[Match]:
        """The closures that fit best, best first, only of the shape asked for."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.folder.with_suffix(".lock")):
            collection = self._caught_up()
            if not collection.count():
                return []
            found = collection.query(
                query_embeddings=[embedded(_text(request, columns))],  # type: ignore[arg-type]  # a list of floats is one
                n_results=limit,
                where={"shape": shape},
                include=["metadatas", "distances"],
            )
        metadatas, distances = (found["metadatas"] or [[]])[0], (found["distances"] or [[]])[0]
        return [
            Match(str(m["closure_id"]), str(m["request"]), str(m["kind"]), round(1 - d, 4))
            for m, d in zip(metadatas, distances, strict=True)
        ]

    def rebuild(self) -> int:
        """Make the index again from the ledger; how many closures it holds."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.folder.with_suffix(".lock")):
            return self._rebuilt().count()

    def _caught_up(self) -> Collection:
        try:
            collection = self._collection()
            self._follow(collection)
        except Exception:  # whatever is wrong with a cache, the cure is the same
            collection = self._rebuilt()
        return collection

    def _rebuilt(self) -> Collection:
        self._client = None
        shutil.rmtree(self.folder, ignore_errors=True)
        collection = self._collection()
        self._follow(collection)
        return collection

    def _follow(self, collection: Collection) -> None:
        metadata = dict(collection.metadata or {})
        last = int(metadata.get("ledger", 0))
        news = self.ledger.outcomes(after=last)
        passed = {o.closure_id: o for o in news if o.status == "ok" and o.closure_id}
        if passed:
            collection.upsert(
                ids=list(passed),
                embeddings=[embedded(_text(o.request, o.columns)) for o in passed.values()],  # type: ignore[arg-type]  # as above
                metadatas=[_metadata(o) for o in passed.values()],
            )
        if news:
            collection.modify(metadata={"ledger": news[-1].number})

    def _collection(self) -> Collection:
        if self._client is None:
            import chromadb
            from chromadb.api.shared_system_client import SharedSystemClient
            from chromadb.config import Settings

            # A second client on a folder that was made anew would go on with the old one.
            SharedSystemClient.clear_system_cache()
            self._client = chromadb.PersistentClient(str(self.folder), settings=Settings(anonymized_telemetry=False))
        return self._client.get_or_create_collection(
            "closures", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )


def _text(request: str, columns: tuple[str, ...]) -> str:
    return f"{request} {' '.join(columns)}"


def _metadata(outcome: Outcome) -> dict[str, str]:
    return {"closure_id": outcome.closure_id, "request": outcome.request, "kind": outcome.kind, "shape": outcome.shape}
