"""The seam between generations and the place where their Chroma indexes are stored."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.embedding import Vector
from citewire.index.vectors.chroma_server import ChromaServer
from citewire.index.vectors.manifest import Generation
from citewire.index.vectors.rows import Rows


class Index(Protocol):
    """A generation's Chroma index, opened; any number of threads may search it."""

    def nearest(self, vector: Vector, limit: int) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities, at most `limit`.

        Raises:
            IndexBroken: it cannot be read, or holds other passages than it should.
            IndexClosed: it was closed.
            VectorServerAway: it is on a server that does not answer.
        """

    def close(self) -> None:
        """Release its files; later searches raise IndexClosed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A generation that is being built: its folder holds the files of its rows, and no index."""

    folder: Path
    generation: Generation
    rows: Rows


class IndexWriter(Protocol):
    """Writes the indexes of generations; it is pickled and handed to a child process."""

    @property
    def kind(self) -> str:
        """The kind of its backend."""

    def write(self, draft: Draft) -> None:
        """Write the index and verify it; the files left in the folder are the generation's."""


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """A generation whose index is to be verified and opened.

    Its files are in `folder`, and it shows the passages of `catalogue`. Setting `stop` ends a
    verification that takes long.
    """

    folder: Path
    generation: Generation
    catalogue: Catalogue
    stop: threading.Event


class Backend(Protocol):
    """Where the Chroma indexes of generations are stored: in their folders, or on a server.

    Raises:
        VectorServerAway: from every method that needs a server which does not answer.
    """

    @property
    def kind(self) -> str:
        """Its name in manifests."""

    @property
    def read_only(self) -> bool:
        """Whether another process builds and removes the generations."""

    @property
    def server(self) -> ChromaServer | None:
        """The server that holds the indexes, None for files.

        A damaged index on a server cannot end this process, and several processes may open it.
        """

    def writer(self) -> IndexWriter:
        """Return the writer of new indexes; raise ReadOnlyArchive where none may be written."""

    def verify(self, stored: StoredIndex) -> None:
        """Raise IndexBroken unless the index holds its passages and finds a sample of them."""

    def open(self, stored: StoredIndex) -> Index | None:
        """Open the index; return None where this process may not. Raise IndexBroken."""
