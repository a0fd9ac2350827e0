"""Dense search: an immutable Chroma generation, and an exact scan over what came after it.

The catalogue holds the vectors; Chroma only makes finding near ones fast. A generation is
built aside from the catalogue, never written again, and named by an atomically replaced
manifest. Passages added since lie in the tail, which is scanned exactly; passages deleted
since are dropped by the catalogue. So a change is searchable when its transaction commits,
and a kill at any moment leaves nothing to repair.
"""

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from rag.catalogue import Catalogue, CatalogueState
from rag.model_files import sha256
from rag.protocols import Vector, Vectors
from rag.types import Filters

COLLECTION = "passages"
MANIFEST = "current.json"
# Chroma takes at most 5461 rows a call.
ROWS_PER_CALL = 2000
# Up to here a scan in memory is as fast as the index, and exact.
EXACT_SCAN_ROWS = 20_000
# A generation is replaced when more than one row in so many was added or deleted since.
STALE_SHARE = 10


@dataclass(frozen=True, slots=True)
class Generation:
    """A manifest: which folder shows which passages of which catalogue.

    It shows every passage that had an id up to `last_passage` when it was built: `rows`
    of them. `files` are the sha256 of Chroma's index files, which never change again.
    """

    folder: str
    archive_id: str
    last_passage: int
    rows: int
    files: dict[str, str]


EMPTY = Generation(folder="", archive_id="", last_passage=0, rows=0, files={})


class VectorIndex:
    """Finds the passages nearest to a question's vector; thread-safe for searching."""

    def __init__(self, directory: Path, catalogue: Catalogue) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._generation = EMPTY
        self._collection: chromadb.Collection | None = None
        self._tail: tuple[CatalogueState, list[int], Vectors] | None = None
        self._open()

    @property
    def indexed_rows(self) -> int:
        """How many passages the Chroma generation shows."""
        return self._generation.rows

    def scanned_rows(self) -> int:
        """Return how many passages were added since, and are searched by an exact scan."""
        return len(self._current_tail()[0])

    def search(self, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities, at most `limit`."""
        if filters:
            return self._search_filtered(vector, limit, filters)
        ids, vectors = self._current_tail()
        found = best(ids, vectors, vector, limit)
        return largest(found | self._search_generation(vector, limit + self._deleted()), limit)

    def similarities(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine similarity of each passage among `ids` that exists."""
        known, vectors = self._catalogue.vectors(ids)
        return best(known, vectors, vector, len(known))

    def is_stale(self) -> bool:
        """Say whether so much has changed that a new generation pays."""
        behind = len(self._current_tail()[0]) + self._deleted()
        return behind > self._generation.rows // STALE_SHARE

    def rebuild(self) -> None:
        """Build a generation that shows the catalogue as it is now, and switch to it.

        Nothing is encoded again: the catalogue holds the vectors.
        """
        folder = self._directory / f"generation-{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        generation = build(folder, self._catalogue)
        write_atomically(self._directory / MANIFEST, json.dumps(asdict(generation)))
        self._open()

    # -- inside

    def _open(self) -> None:
        """Open the generation that the manifest names, or none when it cannot be trusted."""
        self._generation, self._collection, self._tail = EMPTY, None, None
        generation = read_manifest(self._directory / MANIFEST)
        if generation is None or generation.archive_id != self._catalogue.state().archive_id:
            return
        folder = self._directory / generation.folder
        if index_files(folder) != generation.files:
            return
        try:
            collection = open_client(folder).get_collection(COLLECTION, embedding_function=None)
            if collection.count() != generation.rows:
                return
        except (ChromaError, ValueError, OSError):
            return
        self._generation, self._collection = generation, collection
        for other in self._directory.glob("generation-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)

    def _search_generation(self, vector: Vector, limit: int) -> dict[int, float]:
        if self._collection is None or limit == 0:
            return {}
        found = self._collection.query(
            query_embeddings=vector[np.newaxis],
            n_results=min(limit, self._generation.rows),
            include=["distances"],
        )
        distances = found["distances"]
        assert distances is not None
        ids = [int(passage) for passage in found["ids"][0]]
        alive = self._catalogue.existing_passages(ids)
        return {
            passage: 1.0 - distance
            for passage, distance in zip(ids, distances[0], strict=True)
            if passage in alive
        }

    def _search_filtered(self, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        allowed = self._catalogue.matching_passages(filters)
        if len(allowed) <= EXACT_SCAN_ROWS:
            ids, vectors = self._catalogue.vectors(allowed)
            return best(ids, vectors, vector, limit)
        passing = set(allowed)
        wanted = limit
        while True:
            wanted *= 4
            near = self.search(vector, wanted, Filters())
            found = {passage: score for passage, score in near.items() if passage in passing}
            if len(found) >= limit or len(near) < wanted:
                return largest(found, limit)

    def _current_tail(self) -> tuple[list[int], Vectors]:
        state = self._catalogue.state()
        if self._tail is None or self._tail[0] != state:
            ids, vectors = self._catalogue.vectors_after(self._generation.last_passage)
            self._tail = (state, ids, vectors)
        return self._tail[1], self._tail[2]

    def _deleted(self) -> int:
        if not self._generation.rows:
            return 0
        alive = self._catalogue.count_passages_through(self._generation.last_passage)
        return self._generation.rows - alive


def build(folder: Path, catalogue: Catalogue) -> Generation:
    """Write a new generation into an empty folder; return its manifest."""
    archive_id = catalogue.state().archive_id
    ids, vectors = catalogue.vectors_after(0)
    if not ids:
        return Generation(folder.name, archive_id, 0, 0, {})
    client = open_client(folder)
    collection = client.create_collection(
        COLLECTION,
        embedding_function=None,
        configuration={
            "hnsw": {
                "space": "cosine",
                # One save, at the last row: all vectors lie in the index files then.
                "sync_threshold": max(len(ids), 2),
                "batch_size": min(max(len(ids), 2), 100),
            }
        },
    )
    for first in range(0, len(ids), ROWS_PER_CALL):
        rows = slice(first, first + ROWS_PER_CALL)
        collection.add(ids=[str(passage) for passage in ids[rows]], embeddings=vectors[rows])
    client.close()  # type: ignore[attr-defined]  # the annotated base class lacks it
    return Generation(folder.name, archive_id, ids[-1], len(ids), index_files(folder))


def open_client(folder: Path) -> chromadb.api.ClientAPI:
    """Open an embedded Chroma without telemetry."""
    settings = ChromaSettings(anonymized_telemetry=False)
    return chromadb.PersistentClient(str(folder), settings=settings)


def index_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of Chroma's index files: all but its database, which reading changes."""
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(folder.glob("*/*"))
        if file.is_file()
    }


def read_manifest(file: Path) -> Generation | None:
    """Return the manifest, None when there is none that can be read."""
    try:
        return Generation(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_atomically(file: Path, text: str) -> None:
    """Replace the file's content so that a kill or power cut leaves the old or the new one."""
    aside = file.with_suffix(".tmp")
    with aside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(file)


def best(ids: list[int], vectors: Vectors, vector: Vector, limit: int) -> dict[int, float]:
    """Return the `limit` ids whose vectors have the largest dot products, with these."""
    if not ids:
        return {}
    scores = vectors @ vector
    top = np.argsort(-scores, kind="stable")[:limit]
    return {ids[row]: float(scores[row]) for row in top}


def largest(scores: dict[int, float], limit: int) -> dict[int, float]:
    """Return the `limit` largest scores with their ids."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit])
