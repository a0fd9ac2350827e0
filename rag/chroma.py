"""Chroma, the only file that knows it: write an index, try it out, search it.

An index is written once, by a child process, and only read from then on: Chroma holds the
interpreter while it writes, and its files break when it is killed in the middle of a save. What
damaged files do to it, crashing among it, is found out by a child process as well.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rag.protocols import Vector
from rag.rows import Rows

COLLECTION = "passages"
# Chroma takes at most 5461 rows a call.
ROWS_PER_CALL = 2000
# Chroma cannot bind more than 32766 values.
IDS_PER_PAGE = 20_000
# Of so many passages, spread evenly, a trial asks for the nearest: it is each itself.
TRIED = 50
# Few rows of a sound HNSW index cannot be reached.
LEAST_SHARE_FOUND = 0.9
SAME = 1e-3


class IndexBroken(Exception):
    """Chroma cannot read its files, or they do not hold what they should."""


class ChromaIndex:
    """A written index, opened for searching from any number of threads.

    Raises:
        IndexBroken: it does not open, or does not hold so many rows.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._rows = rows
        self._searching = 0
        self._closed = False
        self._changed = threading.Condition()
        with translating_breakage():
            self._client = open_client(folder)
            try:
                self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
                if self._collection.count() != rows:
                    raise IndexBroken(f"{folder}: does not hold {rows} rows")
            except BaseException:
                self._client.close()
                raise

    def nearest(self, vector: Vector, limit: int) -> dict[int, float] | None:
        """Return the nearest passages with their cosines, None when it was closed meanwhile."""
        with self._changed:
            if self._closed:
                return None
            self._searching += 1
        try:
            with translating_breakage():
                found = self._collection.query(
                    query_embeddings=vector[np.newaxis],
                    n_results=min(limit, self._rows),
                    include=["distances"],
                )
        finally:
            with self._changed:
                self._searching -= 1
                self._changed.notify_all()
        return {
            int(passage): 1.0 - distance
            for passage, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        }

    def close(self) -> None:
        """Wait for the searches under way and let go of the files."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.wait_for(lambda: self._searching == 0)
        self._client.close()


def write_index(folder: Path, rows: Rows) -> None:
    """Write an index of the rows into the folder, and close it: all vectors are saved then."""
    parent = os.getppid()
    client = open_client(folder)
    collection = client.create_collection(
        COLLECTION,
        embedding_function=None,
        configuration={
            "hnsw": {
                "space": "cosine",
                # One save, at the last row: all vectors lie in the index files then.
                "sync_threshold": max(len(rows), 2),
                "batch_size": min(max(len(rows), 2), 100),
            }
        },
    )
    for first in range(0, len(rows), ROWS_PER_CALL):
        if os.getppid() != parent:
            raise SystemExit("whoever wanted the index is gone")
        chosen = slice(first, first + ROWS_PER_CALL)
        collection.add(
            ids=[str(passage) for passage in rows.ids[chosen]],
            embeddings=np.array(rows.vectors[chosen]),
        )
    client.close()


def try_index(folder: Path, rows: Rows) -> None:
    """Make sure that the index holds the rows' passages and finds them; raise IndexBroken.

    Damaged files may end the process: it is a child's work.
    """
    with translating_breakage():
        client = open_client(folder)
        try:
            collection = client.get_collection(COLLECTION, embedding_function=None)
            held: set[str] = set()
            for first in range(0, len(rows) + 1, IDS_PER_PAGE):
                page = collection.get(include=[], limit=IDS_PER_PAGE, offset=first)
                held.update(page["ids"])
            if held != {str(passage) for passage in rows.ids}:
                raise IndexBroken(f"{folder}: does not hold the passages that it was built from")
            tried = np.unique(np.linspace(0, len(rows) - 1, TRIED).astype(int))
            found = collection.query(
                query_embeddings=np.array(rows.vectors[tried]), n_results=1, include=["distances"]
            )
        finally:
            client.close()
    distances = found["distances"] or []
    same = sum(bool(row) and abs(row[0]) < SAME for row in distances)
    if same < LEAST_SHARE_FOUND * len(tried):
        raise IndexBroken(f"{folder}: finds {same} of {len(tried)} of its own passages")


@contextmanager
def translating_breakage() -> Iterator[None]:
    """Turn Chroma's failures over its files into IndexBroken, panics of its Rust code too."""
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, ValueError, OSError) as error:
        raise IndexBroken(str(error)) from error
    except BaseException as error:
        # A panic is no Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexBroken(str(error)) from error


def open_client(folder: Path):  # type: ignore[no-untyped-def]  # its classes wait to be imported
    """Open an embedded Chroma without telemetry."""
    # It takes a second to import, and a single question does without.
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
