"""The backends of the vector index: generations' folders, or a Chroma server.

The rows of a generation are in its folder in either case. Rows of an index on a server leave
their vectors to the server and to the catalogue.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from citewire.index.errors import ReadOnlyArchive
from citewire.index.system.child_process import ChildFailed, run_in_child
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.vectors.backend import Backend, Draft, Index, IndexWriter, StoredIndex
from citewire.index.vectors.chroma import (
    ChromaIndex,
    IndexBroken,
    sample_rows,
    verify_index,
    write_index,
)
from citewire.index.vectors.chroma_server import (
    SECONDS_PER_PART,
    ChromaServer,
    ServerIndex,
    write_collection,
)
from citewire.index.vectors.manifest import IN_FOLDER, ON_SERVER, hash_files
from citewire.index.vectors.rows import FOLDER, VECTORS_FILE, map_ids, map_rows
from citewire.index.vectors.server_address import ServerAddress

SECONDS_PER_VERIFICATION = 600.0


class FolderBackend:
    """An embedded Chroma index in each generation's folder.

    Chroma changes its database even when it is only read, and no two processes may open one.
    """

    kind = IN_FOLDER
    read_only = False
    server: ChromaServer | None = None

    def writer(self) -> IndexWriter:
        """Return the writer of embedded indexes."""
        return FolderWriter()

    def verify(self, stored: StoredIndex) -> None:
        """Compare all files, and search the index in a child process: it may crash there."""
        folder = stored.folder
        try:
            if hash_files(folder) != stored.generation.files:
                raise IndexBroken(f"{folder}: its files are not those built")
            run_in_child(
                verify_folder, (folder,), seconds=SECONDS_PER_VERIFICATION, stop=stored.stop
            )
        except (ChildFailed, OSError) as error:
            raise IndexBroken(f"{folder}: {error}") from error

    def open(self, stored: StoredIndex) -> Index:
        """Open the index, which was verified: damaged files could end this process."""
        return ChromaIndex(stored.folder, stored.generation.rows)


class ServerBackend:
    """A collection for each generation on a Chroma server, which others may use as well."""

    kind = ON_SERVER
    read_only = False

    def __init__(self, server: ChromaServer) -> None:
        self.server: ChromaServer = server

    def writer(self) -> IndexWriter:
        """Return the writer of collections."""
        return ServerWriter(self.server.address)

    def verify(self, stored: StoredIndex) -> None:
        """Compare all passages, and search for a sample of the catalogue's vectors."""
        folder, name = stored.folder, stored.generation.collection
        try:
            ids = map_ids(folder / FOLDER).ids
        except (OSError, ValueError) as error:
            # The owner may remove it at this moment, after building a newer generation.
            raise IndexBroken(f"{folder}: {error}") from error
        _, vectors = stored.catalogue.vectors(ids[sample_rows(len(ids))].tolist())
        with closing(ChromaServer(self.server.address, SECONDS_PER_PART)) as patient:
            ServerIndex(patient, name, len(ids)).verify(ids, vectors)

    def open(self, stored: StoredIndex) -> Index:
        """Return the index; it is looked up on the server when it is first searched."""
        generation = stored.generation
        return ServerIndex(self.server, generation.collection, generation.rows)


class ReadOnlyBackend:
    """A backend whose generations another process builds and removes.

    An index in a folder, which only its owner may open, is neither verified nor opened: the
    generation's rows are scanned.
    """

    read_only = True

    def __init__(self, backend: Backend) -> None:
        self.kind = backend.kind
        self.server = backend.server
        self._backend = backend

    def writer(self) -> IndexWriter:
        """Raise ReadOnlyArchive."""
        raise ReadOnlyArchive("the archive was opened for reading only")

    def verify(self, stored: StoredIndex) -> None:
        """Verify an index on a server."""
        if self.server is not None:
            self._backend.verify(stored)

    def open(self, stored: StoredIndex) -> Index | None:
        """Open an index on a server; return None for one in a folder."""
        return None if self.server is None else self._backend.open(stored)


@contextmanager
def open_backend(address: ServerAddress | None) -> Iterator[Backend]:
    """Yield the backend on the server at this address, or the one in folders for None."""
    if address is None:
        yield FolderBackend()
        return
    with closing(ChromaServer(address)) as server:
        yield ServerBackend(server)


@dataclass(frozen=True, slots=True)
class FolderWriter:
    """Writes an embedded Chroma index into the generation's folder."""

    kind: str = IN_FOLDER

    def write(self, draft: Draft) -> None:
        """Write the index and verify it."""
        write_index(draft.folder, draft.rows)
        verify_index(draft.folder, draft.rows)


@dataclass(frozen=True, slots=True)
class ServerWriter:
    """Writes a collection on a server."""

    address: ServerAddress
    kind: str = ON_SERVER

    def write(self, draft: Draft) -> None:
        """Write the collection, verify it, and remove the file of vectors."""
        name, rows = draft.generation.collection, draft.rows
        with closing(ChromaServer(self.address, SECONDS_PER_PART)) as server:
            write_collection(server, name, rows)
            pass_crash_point("build: collection written")
            index = ServerIndex(server, name, len(rows))
            index.verify(rows.ids, rows.vectors[sample_rows(len(rows))])
        (draft.folder / FOLDER / VECTORS_FILE).unlink()
        pass_crash_point("build: vectors left to the server")


def verify_folder(folder: Path) -> None:
    """Verify the index in a generation's folder; its files may crash the process."""
    verify_index(folder, map_rows(folder / FOLDER))
