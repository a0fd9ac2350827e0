"""A Chroma server that holds the vector index: write one there, try it out, search it.

The server may go away at any moment and come back: whoever searches then is told so, and the
next search finds it again. Every call made here may be repeated without harm. What an index
holds was written once, under a name of its own; another process may drop it for a newer one.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

from citewire.index.embedding import Vector, Vectors
from citewire.index.errors import VectorServerAway
from citewire.index.vectors.chroma import (
    IndexBroken,
    close_server_client,
    create_collection,
    nearest_in,
    open_server_client,
    parts_of,
    require_itself,
    require_passages,
    translating_absence,
)
from citewire.index.vectors.rows import Rows
from citewire.index.vectors.server_address import ServerAddress

SECONDS_PER_SEARCH = 5.0
# A part of an index is written, or a page of its ids read, while others search.
SECONDS_PER_PART = 120.0
# Whoever asks is told that the server is away rather than made to wait for it.
PAUSES = (0.1, 0.4)
# For so long after a failure the server is taken to be away without another look.
SECONDS_AWAY = 1.0
Result = TypeVar("Result")


class ChromaServer:
    """A Chroma server; it is reached when it is first needed, and again after it was away.

    Any number of threads may call it. Every call may be repeated without harm.
    """

    def __init__(self, address: ServerAddress, seconds: float = SECONDS_PER_SEARCH) -> None:
        self.address = address
        # Grows with every failure: what was known of the server may no longer be true.
        self.failures = 0
        self._seconds = seconds
        self._client: Any = None
        self._failed_at: float | None = None
        self._changing = threading.Lock()

    @property
    def answers(self) -> bool:
        """Whether it was there when it was last needed."""
        return self._failed_at is None

    def call(self, work: Callable[[Any], Result]) -> Result:
        """Return what the work makes of a client; it is tried again when the server is away.

        Raises:
            VectorServerAway: it stays away, or was away a moment ago.
            IndexBroken: it is there, and lacks what the work needs.
        """
        failed_at, started = self._failed_at, time.monotonic()
        if failed_at is not None and started - failed_at < SECONDS_AWAY:
            raise VectorServerAway(f"{self.address}: the Chroma server does not answer")
        # While it is away, one look is enough.
        pauses = PAUSES if failed_at is None else ()
        for pause in (*pauses, None):
            try:
                with translating_absence(self.address):
                    result = work(self._connected())
            except VectorServerAway:
                self.failures += 1
                # A server that takes its time is not asked twice.
                if pause is None or time.monotonic() - started > self._seconds:
                    self._failed_at = time.monotonic()
                    raise
                time.sleep(pause)
            else:
                self._failed_at = None
                return result
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Let go of the connections; a later call makes new ones."""
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
        # The collection, and how often the server had failed when it was looked up.
        self._opened: tuple[int, Any] = (-1, None)

    def nearest(self, vector: Vector, limit: int) -> dict[int, float]:
        """Return the nearest passages with their cosines.

        Raises:
            VectorServerAway: the server does not answer.
            IndexBroken: it has no such collection, or one that is not whole.
        """
        wanted = min(limit, self._rows)
        return self._server.call(lambda client: nearest_in(self._in(client), vector, wanted))

    def try_out(self, ids: NDArray[Any], vectors: Vectors) -> None:
        """Make sure that it holds these passages and finds these vectors; raises as `nearest`."""

        def work(client: Any) -> None:
            collection = self._in(client)
            require_passages(collection, ids)
            require_itself(collection, vectors)

        self._server.call(work)

    def close(self) -> None:
        """Do nothing: the connections serve the next index as well."""

    def _in(self, client: Any) -> Any:
        """Return the collection; after a failure it is looked up again."""
        failures, collection = self._opened
        if failures != self._server.failures:
            failures = self._server.failures
            collection = client.get_collection(self._name, embedding_function=None)
            if collection.count() != self._rows:
                raise IndexBroken(f"{self._name}: does not hold {self._rows} rows")
            self._opened = failures, collection
        return collection


def write_collection(server: ChromaServer, name: str, rows: Rows) -> None:
    """Write a collection of the rows, and make sure that it holds and finds them."""
    server.call(lambda client: create_collection(client, name, len(rows)))
    for part in parts_of(rows):
        server.call(lambda client, part=part: add(client, name, *part))  # type: ignore[misc]


def add(client: Any, name: str, ids: list[str], vectors: Vectors) -> None:
    """Add rows to a collection; those that it has already are passed over."""
    collection = client.get_collection(name, embedding_function=None)
    collection.add(ids=ids, embeddings=vectors)


def collections_named(server: ChromaServer, prefix: str) -> list[str]:
    """Return the names of the server's collections that begin so."""
    names = server.call(lambda client: [each.name for each in client.list_collections()])
    return sorted(name for name in names if name.startswith(prefix))


def drop_collection(server: ChromaServer, name: str) -> None:
    """Delete a collection; one that is gone is gone."""
    try:
        server.call(lambda client: client.delete_collection(name))
    except IndexBroken:
        return
