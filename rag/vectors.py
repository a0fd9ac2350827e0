"""Dense search: an immutable Chroma generation, and an exact scan over what came after it.

The catalogue holds the vectors; Chroma only makes finding near ones fast. A generation is
built aside from the catalogue, never written again, and named by an atomically replaced
manifest. Passages added since lie in the tail, which is scanned exactly; passages deleted
since are dropped by the catalogue. So a change is searchable when its transaction commits,
and a kill at any moment leaves nothing to repair.
"""

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from rag.catalogue import Catalogue, CatalogueState
from rag.errors import NotUsable
from rag.generation import (
    EMPTY,
    Generation,
    index_files,
    manifest_text,
    read_manifest,
    write_atomically,
)
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
class Shown:
    """A generation, opened."""

    generation: Generation
    client: chromadb.api.ClientAPI
    collection: chromadb.Collection


@dataclass(frozen=True, slots=True)
class Tail:
    """The passages behind a generation's last, in the catalogue's `state`.

    `deleted` counts the generation's own passages that are gone by then.
    """

    state: CatalogueState
    generation: Generation
    ids: list[int]
    vectors: Vectors
    deleted: int


class VectorIndex:
    """Finds the passages nearest to a question's vector; thread-safe for searching."""

    def __init__(self, directory: Path, catalogue: Catalogue) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._shown: Shown | None = None
        self._tail: Tail | None = None
        self._open()

    @property
    def indexed_rows(self) -> int:
        """How many passages the Chroma generation shows."""
        return generation_of(self._shown).rows

    def scanned_rows(self) -> int:
        """Return how many passages were added since, and are searched by an exact scan."""
        return len(self._tail_behind(generation_of(self._shown)).ids)

    def close(self) -> None:
        """Let go of Chroma's files; what is searched afterwards is scanned."""
        shown, self._shown = self._shown, None
        if shown is not None:
            close_client(shown.client)

    def search(self, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities, at most `limit`."""
        if filters:
            return self._search_filtered(vector, limit, filters)
        shown = self._shown
        tail = self._tail_behind(generation_of(shown))
        found = best(tail.ids, tail.vectors, vector, limit)
        if shown is None or limit == 0:
            return found
        try:
            wanted = limit + tail.deleted
            return largest(found | self._search_generation(shown, vector, wanted), limit)
        except IndexBroken:
            # From now on everything is scanned: slower, and right. The next rebuild heals it.
            self._shown = None
            return self.search(vector, limit, filters)

    def similarities(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine similarity of each passage among `ids` that exists."""
        known, vectors = self._catalogue.vectors(ids)
        return best(known, vectors, vector, len(known))

    def is_stale(self) -> bool:
        """Say whether so much has changed that a new generation pays."""
        generation = generation_of(self._shown)
        tail = self._tail_behind(generation)
        return len(tail.ids) + tail.deleted > generation.rows // STALE_SHARE

    def rebuild(self) -> None:
        """Build a generation that shows the catalogue as it is now, and switch to it.

        Nothing is encoded again: the catalogue holds the vectors.

        Raises:
            NotUsable: it cannot be written; what is stored is searched without it.
        """
        folder = self._directory / f"generation-{uuid.uuid4().hex}"
        try:
            with translating_breakage():
                folder.mkdir(parents=True)
                generation = build(folder, self._catalogue)
                write_atomically(self._directory / MANIFEST, manifest_text(generation))
        except IndexBroken as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise NotUsable(
                f"{self._directory}: the vector index cannot be written ({error}); all articles are"
                " stored and searched without it, more slowly; index again when it is mended"
            ) from error
        self._open()
        self._remove_generations_but(folder)

    # -- inside

    def _open(self) -> None:
        """Open the generation that the manifest names, or none when it cannot be trusted."""
        self.close()
        generation = read_manifest(self._directory / MANIFEST)
        if generation is None or not generation.rows or not self._is_of_catalogue(generation):
            return
        folder = self._directory / generation.folder
        try:
            self._shown = show(folder, generation)
        except IndexBroken:
            return
        self._remove_generations_but(folder)

    def _remove_generations_but(self, folder: Path) -> None:
        for other in self._directory.glob("generation-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)

    def _is_of_catalogue(self, generation: Generation) -> bool:
        """Say whether it shows this catalogue, and not one that was since set back."""
        state = self._catalogue.state()
        return generation.archive_id == state.archive_id and generation.version <= state.version

    def _search_generation(self, shown: Shown, vector: Vector, limit: int) -> dict[int, float]:
        with translating_breakage():
            found = shown.collection.query(
                query_embeddings=vector[np.newaxis],
                n_results=min(limit, shown.generation.rows),
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
            if len(found) >= limit:
                return largest(found, limit)
            if len(near) < wanted:
                # Some rows of the index cannot be reached; the rest is found without it.
                return best(*self._catalogue.vectors(allowed), vector, limit)

    def _tail_behind(self, generation: Generation) -> Tail:
        tail, last = self._tail, generation.last_passage
        with self._catalogue.reading():
            state = self._catalogue.state()
            if tail is None or (tail.state, tail.generation) != (state, generation):
                deleted = generation.rows - self._catalogue.count_passages_through(last)
                tail = Tail(state, generation, *self._catalogue.vectors_after(last), deleted)
        self._tail = tail
        return tail


class IndexBroken(Exception):
    """Chroma cannot read its files; the catalogue can do without."""


def generation_of(shown: Shown | None) -> Generation:
    """Return the generation that is shown, EMPTY when none is."""
    return EMPTY if shown is None else shown.generation


def build(folder: Path, catalogue: Catalogue) -> Generation:
    """Write a new generation into an empty folder; return its manifest."""
    with catalogue.reading():
        state = catalogue.state()
        ids, vectors = catalogue.vectors_after(0)
    if not ids:
        return Generation(folder.name, state.archive_id, state.version, 0, 0, {})
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
    close_client(client)
    files = index_files(folder)
    return Generation(folder.name, state.archive_id, state.version, ids[-1], len(ids), files)


def show(folder: Path, generation: Generation) -> Shown:
    """Open a generation whose index files are as recorded; raise IndexBroken on any doubt."""
    with translating_breakage():
        if index_files(folder) != generation.files:
            raise IndexBroken(f"{folder}: its files are not those that were built")
        client = open_client(folder)
    try:
        with translating_breakage():
            collection = client.get_collection(COLLECTION, embedding_function=None)
            if collection.count() != generation.rows:
                raise IndexBroken(f"{folder}: does not hold {generation.rows} rows")
    except IndexBroken:
        close_client(client)
        raise
    return Shown(generation, client, collection)


@contextmanager
def translating_breakage() -> Iterator[None]:
    """Turn Chroma's failures over its files into IndexBroken, panics of its Rust code too."""
    try:
        yield
    except (ChromaError, ValueError, OSError) as error:
        raise IndexBroken(str(error)) from error
    except BaseException as error:
        # A panic is no Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexBroken(str(error)) from error


def open_client(folder: Path) -> chromadb.api.ClientAPI:
    """Open an embedded Chroma without telemetry."""
    settings = ChromaSettings(anonymized_telemetry=False)
    return chromadb.PersistentClient(str(folder), settings=settings)


def close_client(client: chromadb.api.ClientAPI) -> None:
    """Close an embedded Chroma and its files."""
    client.close()  # type: ignore[attr-defined]  # the annotated base class lacks it


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
