"""Chroma, the only file that knows it: write an index, verify it, search it.

An index is written once, by a child process, and only read from then on: Chroma holds the
interpreter lock while it writes, and its files break when it is killed in the middle of a save.
Damaged files can crash Chroma, so they are verified in a child process as well. An index on a
server is written and read in the same way; see chroma_server.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from citewire.index.embedding import Vector, Vectors
from citewire.index.errors import VectorServerAway
from citewire.index.vectors.rows import Rows

COLLECTION = "passages"
# Rows per call to add them, of which Chroma takes at most 5461.
ROWS_PER_CALL = 2000
# Ids per call to read them, of which Chroma cannot bind more than 32766.
IDS_PER_PAGE = 20_000
# Vectors of the smoke test: it queries with this many stored vectors, evenly spaced, each of which
# must be found again.
SMOKE_TEST_VECTORS = 50
# Share of them that must be found: a few rows of a sound HNSW index cannot be reached.
LEAST_SHARE_FOUND = 0.9
# Cosine distance up to which two vectors are the same one.
SAME_DISTANCE = 1e-3


class IndexBroken(Exception):
    """Chroma cannot read an index, or it holds other passages than it should."""


class IndexClosed(Exception):
    """The index was closed, and another one may have taken its place."""


class ChromaIndex:
    """A written index, opened for searching from any number of threads.

    Raises:
        IndexBroken: it does not open, or has another number of rows.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._rows = rows
        self._searching = 0
        self._closed = False
        self._changed = threading.Condition()
        with translate_file_errors(), ExitStack() as stack:
            self._client = open_client(folder)
            stack.callback(self._client.close)
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
            if self._collection.count() != rows:
                raise IndexBroken(f"{folder}: does not hold {rows} rows")
            # It stays open.
            stack.pop_all()

    def nearest(self, vector: Vector, limit: int) -> dict[int, float]:
        """Return the nearest passages with their cosine similarities.

        Raises:
            IndexBroken: Chroma cannot read its files.
            IndexClosed: it was closed.
        """
        with self._changed:
            if self._closed:
                raise IndexClosed
            self._searching += 1
        try:
            with translate_file_errors():
                return query(self._collection, vector, min(limit, self._rows))
        finally:
            with self._changed:
                self._searching -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Wait for the searches under way and close the files."""
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
    for ids, vectors in batch_rows(rows):
        collection.add(ids=ids, embeddings=vectors)
    client.close()


def verify_index(folder: Path, rows: Rows) -> None:
    """Raise IndexBroken unless the index holds the rows' passages and finds a sample of them.

    Damaged files may crash the process: work for a child process.
    """
    with translate_file_errors(), closing(open_client(folder)) as client:
        collection = client.get_collection(COLLECTION, embedding_function=None)
        require_passages(collection, rows.ids)
        require_found(collection, np.array(rows.vectors[sample_rows(len(rows))]))


def create_collection(client: Any, name: str, rows: int) -> Any:
    """Return the collection of this name, created for a number of rows where there is none."""
    return client.get_or_create_collection(
        name,
        embedding_function=None,
        configuration={
            "hnsw": {
                "space": "cosine",
                # One save, at the last row: all vectors are in the index files then.
                "sync_threshold": max(rows, 2),
                "batch_size": min(max(rows, 2), 100),
            }
        },
    )


def batch_rows(rows: Rows) -> Iterator[tuple[list[str], Vectors]]:
    """Yield ids and vectors that fit into one call; raise SystemExit when the parent ends."""
    parent = os.getppid()
    for first in range(0, len(rows), ROWS_PER_CALL):
        if os.getppid() != parent:
            raise SystemExit("the process that wanted the index has ended")
        chosen = slice(first, first + ROWS_PER_CALL)
        yield [str(passage) for passage in rows.ids[chosen]], np.array(rows.vectors[chosen])


def query(collection: Any, vector: Vector, limit: int) -> dict[int, float]:
    """Return the nearest passages of a collection with their cosine similarities."""
    found = collection.query(
        query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
    )
    return {
        int(passage): 1.0 - distance
        for passage, distance in zip(found["ids"][0], found["distances"][0], strict=True)
    }


def sample_rows(rows: int) -> NDArray[np.int64]:
    """Return the rows whose vectors a smoke test queries with."""
    return np.unique(np.linspace(0, rows - 1, SMOKE_TEST_VECTORS).astype(int))


def require_passages(collection: Any, ids: NDArray[np.int64]) -> None:
    """Raise IndexBroken unless a collection holds these passages and no others."""
    held: set[str] = set()
    for first in range(0, len(ids) + 1, IDS_PER_PAGE):
        page = collection.get(include=[], limit=IDS_PER_PAGE, offset=first)
        held.update(page["ids"])
    if held != {str(passage) for passage in ids}:
        raise IndexBroken(f"{collection.name}: does not hold the passages that it was built from")


def require_found(collection: Any, vectors: Vectors) -> None:
    """Raise IndexBroken unless a collection finds nearly all of these vectors, its own."""
    if not len(vectors):
        return
    found = collection.query(query_embeddings=vectors, n_results=1, include=["distances"])
    distances = found["distances"] or []
    same = sum(bool(row) and abs(row[0]) < SAME_DISTANCE for row in distances)
    if same < LEAST_SHARE_FOUND * len(vectors):
        raise IndexBroken(f"{collection.name}: finds {same} of {len(vectors)} of its own passages")


@contextmanager
def translate_file_errors() -> Iterator[None]:
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
    """Return a client of the server, without telemetry, whose calls time out after `seconds`."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    client = chromadb.HttpClient(host, port, ssl=tls, settings=settings)
    # It has no setting for this, and would wait for ever.
    find_session(client).timeout = httpx.Timeout(seconds)
    return client


def close_server_client(client: Any) -> None:
    """Close a client and its connections, which it would leave open."""
    # The part that administers databases has connections of its own.
    sessions = find_session(client), find_session(client._admin_client)
    client.close()
    for session in sessions:
        session.close()


def find_session(client: Any) -> Any:
    """Return the httpx client that makes a Chroma client's requests.

    Chroma keeps it private; its version is pinned exactly.
    """
    return client._server._session


@contextmanager
def translate_server_errors(server: object) -> Iterator[None]:
    """Turn a server's failures into VectorServerAway, or IndexBroken where it answers properly."""
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
    except BaseException as error:
        # Chroma raises a plain Exception for an answer that is not its own, as a proxy's.
        if type(error) is not Exception:
            raise
        raise VectorServerAway(f"{server}: the Chroma server does not answer: {error}") from error
