"""A Chroma server that holds the vector index: write one there, verify it, search it.

The server may go away at any moment and come back: searches raise VectorServerAway meanwhile, and
the next one finds it again. Every call made here is idempotent. An index is a collection, written
once under a name of its own; another process may delete it for a newer one.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from numpy.typing import NDArray

from citewire.index.embedding import Vector, Vectors
from citewire.index.errors import VectorServerAway
from citewire.index.vectors.chroma import (
    IndexBroken,
    IndexClosed,
    batch_rows,
    close_server_client,
    create_collection,
    open_server_client,
    query,
    require_found,
    require_passages,
    translate_server_errors,
)
from citewire.index.vectors.manifest import Generation, build_prefix
from citewire.index.vectors.rows import Rows
from citewire.index.vectors.server_address import ServerAddress

# Seconds until a search times out.
SECONDS_PER_SEARCH = 5.0
# Seconds until writing a batch of rows, or reading a page of ids, times out, while others search.
SECONDS_PER_PART = 120.0
# Seconds to wait before another attempt. They are few: an error is better than a long wait.
PAUSES = (0.1, 0.4)
# Seconds after a failure during which the server is taken to be away without another attempt.
SECONDS_AWAY = 1.0
Result = TypeVar("Result")


class ChromaServer:
    """A Chroma server; it is connected to when first needed, and again after it was away.

    Any number of threads may call it.
    """

    def __init__(self, address: ServerAddress, seconds: float = SECONDS_PER_SEARCH) -> None:
        self.address = address
        # How many calls failed. After each, the server may hold something else than before.
        self.failures = 0
        self._seconds = seconds
        self._client: Any = None
        self._failed_at: float | None = None
        self._changing = threading.Lock()

    @property
    def answers(self) -> bool:
        """Whether it answered when it was last needed."""
        return self._failed_at is None

    def call(self, work: Callable[[Any], Result]) -> Result:
        """Return the result of `work`, a function of a client, retrying when the server is away.

        Raises:
            VectorServerAway: it stays away, or was away a moment ago.
            IndexBroken: it answers, and lacks what the work needs.
        """
        failed_at, started = self._failed_at, time.monotonic()
        if failed_at is not None and started - failed_at < SECONDS_AWAY:
            raise VectorServerAway(f"{self.address}: the Chroma server does not answer")
        # While it is away, one attempt is enough.
        pauses = PAUSES if failed_at is None else ()
        for pause in (*pauses, None):
            try:
                with translate_server_errors(self.address):
                    result = work(self._connected())
            except VectorServerAway:
                self.failures += 1
                # A slow server is not asked twice.
                if pause is None or time.monotonic() - started > self._seconds:
                    self._failed_at = time.monotonic()
                    raise
                time.sleep(pause)
            else:
                self._failed_at = None
                return result
        raise AssertionError("the last attempt returns or raises")

    def require_answering(self) -> None:
        """Raise VectorServerAway when it does not answer."""
        self.call(lambda client: client.heartbeat())

    def list_collections(self, prefix: str) -> list[str]:
        """Return the names of its collections that begin with the prefix."""
        names = self.call(lambda client: [each.name for each in client.list_collections()])
        return sorted(name for name in names if name.startswith(prefix))

    def delete_collection(self, name: str) -> None:
        """Delete a collection, if there is one of this name."""
        # A collection that is missing is an IndexBroken.
        with suppress(IndexBroken):
            self.call(lambda client: client.delete_collection(name))

    def close(self) -> None:
        """Close the connections; a later call makes new ones."""
        with self._changing:
            client, self._client = self._client, None
        if client is not None:
            close_server_client(client)

    def _connected(self) -> Any:
        with self._changing:
            if self._client is None:
                # Chroma's own client would wait for ever while it is being made.
                self.address.require_heartbeat()
                host, port, tls = self.address.host, self.address.port, self.address.tls
                self._client = open_server_client(host, port, tls, self._seconds)
            return self._client


class ServerIndex:
    """A collection on a server that was written once, searched from any number of threads."""

    def __init__(self, server: ChromaServer, name: str, rows: int) -> None:
        self._server = server
        self._name = name
        self._rows = rows
        self._closed = False
        # The collection, and the server's number of failures when it was looked up.
        self._found: tuple[int, Any] = (-1, None)

    def nearest(self, vector: Vector, limit: int) -> dict[int, float]:
        """Return the nearest passages with their cosine similarities.

        Raises:
            VectorServerAway: the server does not answer.
            IndexBroken: it has no such collection, or one that is not whole.
            IndexClosed: it was closed.
        """
        if self._closed:
            raise IndexClosed
        wanted = min(limit, self._rows)
        return self._server.call(lambda client: query(self._collection(client), vector, wanted))

    def verify(self, ids: NDArray[Any], vectors: Vectors) -> None:
        """Raise IndexBroken unless it holds these passages and finds these vectors."""

        def work(client: Any) -> None:
            collection = self._collection(client)
            require_passages(collection, ids)
            require_found(collection, vectors)

        self._server.call(work)

    def close(self) -> None:
        """Refuse later searches; the connections serve the next index as well."""
        self._closed = True

    def _collection(self, client: Any) -> Any:
        """Return the collection; after a failure it is looked up again."""
        failures, collection = self._found
        if failures != self._server.failures:
            failures = self._server.failures
            collection = client.get_collection(self._name, embedding_function=None)
            if collection.count() != self._rows:
                raise IndexBroken(f"{self._name}: does not hold {self._rows} rows")
            self._found = failures, collection
        return collection


def write_collection(server: ChromaServer, name: str, rows: Rows) -> None:
    """Write a collection of the rows."""
    server.call(lambda client: create_collection(client, name, len(rows)))
    for batch in batch_rows(rows):
        server.call(lambda client, batch=batch: add(client, name, *batch))  # type: ignore[misc]


def add(client: Any, name: str, ids: list[str], vectors: Vectors) -> None:
    """Add rows to a collection; those that it has already are passed over."""
    collection = client.get_collection(name, embedding_function=None)
    collection.add(ids=ids, embeddings=vectors)


def find_orphans(server: ChromaServer, current: Generation) -> list[str]:
    """Return the names of an archive's collections that belong to another generation or none."""
    names = server.list_collections(build_prefix(current.archive_id))
    return [name for name in names if not current.rows or name != current.collection]
