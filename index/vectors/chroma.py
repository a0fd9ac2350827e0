"""Chroma, the only file that knows it: write an index, try it out, search it.

An index is written once, by a child process, and only read from then on: Chroma holds the
interpreter while it writes, and its files break when it is killed in the middle of a save. What
damaged files do to it, crashing among it, is found out by a child process as well. An index on
a server is written and read in the same way; see chroma_server.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from citewire.index.embedding import Vector, Vectors
from citewire.index.errors import VectorServerAway
from citewire.index.vectors.rows import Rows

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
                return nearest_in(self._collection, vector, min(limit, self._rows))
        finally:
            with self._changed:
                self._searching -= 1
                self._changed.notify_all()

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
    client = open_client(folder)
    collection = create_collection(client, COLLECTION, len(rows))
    for ids, vectors in parts_of(rows):
        collection.add(ids=ids, embeddings=vectors)
    client.close()


def try_index(folder: Path, rows: Rows) -> None:
    """Make sure that the index holds the rows' passages and finds them; raise IndexBroken.

    Damaged files may end the process: it is a child's work.
    """
    with translating_breakage():
        client = open_client(folder)
        try:
            collection = client.get_collection(COLLECTION, embedding_function=None)
            require_passages(collection, rows.ids)
            require_itself(collection, np.array(rows.vectors[sampled(len(rows))]))
        finally:
            client.close()


def create_collection(client: Any, name: str, rows: int) -> Any:
    """Return a collection, made for so many rows where there is none of this name."""
    return client.get_or_create_collection(
        name,
        embedding_function=None,
        configuration={
            "hnsw": {
                "space": "cosine",
                # One save, at the last row: all vectors lie in the index files then.
                "sync_threshold": max(rows, 2),
                "batch_size": min(max(rows, 2), 100),
            }
        },
    )


def parts_of(rows: Rows) -> Iterator[tuple[list[str], Vectors]]:
    """Yield ids and vectors that fit into one call, until whoever started this process is gone."""
    parent = os.getppid()
    for first in range(0, len(rows), ROWS_PER_CALL):
        if os.getppid() != parent:
            raise SystemExit("whoever wanted the index is gone")
        chosen = slice(first, first + ROWS_PER_CALL)
        yield [str(passage) for passage in rows.ids[chosen]], np.array(rows.vectors[chosen])


def nearest_in(collection: Any, vector: Vector, limit: int) -> dict[int, float]:
    """Return the nearest passages of a collection with their cosines."""
    found = collection.query(
        query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
    )
    return {
        int(passage): 1.0 - distance
        for passage, distance in zip(found["ids"][0], found["distances"][0], strict=True)
    }


def sampled(rows: int) -> NDArray[np.int64]:
    """Return the places of the rows that a trial asks for."""
    return np.unique(np.linspace(0, rows - 1, TRIED).astype(int))


def require_passages(collection: Any, ids: NDArray[np.int64]) -> None:
    """Raise IndexBroken unless a collection holds these passages and no others."""
    held: set[str] = set()
    for first in range(0, len(ids) + 1, IDS_PER_PAGE):
        page = collection.get(include=[], limit=IDS_PER_PAGE, offset=first)
        held.update(page["ids"])
    if held != {str(passage) for passage in ids}:
        raise IndexBroken(f"{collection.name}: does not hold the passages that it was built from")


def require_itself(collection: Any, vectors: Vectors) -> None:
    """Raise IndexBroken unless a collection finds nearly all of its vectors where they are."""
    if not len(vectors):
        return
    found = collection.query(query_embeddings=vectors, n_results=1, include=["distances"])
    distances = found["distances"] or []
    same = sum(bool(row) and abs(row[0]) < SAME for row in distances)
    if same < LEAST_SHARE_FOUND * len(vectors):
        raise IndexBroken(f"{collection.name}: finds {same} of {len(vectors)} of its own passages")


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


def open_server_client(host: str, port: int, tls: bool, seconds: float):  # type: ignore[no-untyped-def]
    """Return a client of the server, without telemetry, whose calls end after so many seconds."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    client = chromadb.HttpClient(host, port, ssl=tls, settings=settings)
    # It has no setting for this, and would wait for ever.
    session_of(client).timeout = httpx.Timeout(seconds)
    return client


def close_server_client(client: Any) -> None:
    """Close a client and its connections, which it would leave open."""
    # The part that sees to databases has connections of its own.
    sessions = session_of(client), session_of(client._admin_client)
    client.close()
    for session in sessions:
        session.close()


def session_of(client: Any) -> Any:
    """Return what makes a client's requests."""
    return client._server._session


@contextmanager
def translating_absence(server: object) -> Iterator[None]:
    """Turn a server's failures into VectorServerAway, or IndexBroken where it answers as ever."""
    import httpx
    from chromadb.errors import AuthorizationError, ChromaAuthError, ChromaError, RateLimitError

    try:
        yield
    except (AuthorizationError, ChromaAuthError, RateLimitError) as error:
        raise VectorServerAway(f"{server}: the Chroma server refuses: {error}") from error
    except ChromaError as error:
        raise IndexBroken(str(error)) from error
    except (httpx.HTTPError, ValueError, KeyError, OSError, RuntimeError) as error:
        raise VectorServerAway(f"{server}: the Chroma server does not answer: {error}") from error
    except Exception as error:
        # What has no shape of Chroma's own, as from a proxy before it, is raised as nothing more.
        if type(error) is not Exception:
            raise
        raise VectorServerAway(f"{server}: the Chroma server does not answer: {error}") from error
