"""Where a generation's Chroma index lies: in its folder, or on a server.

Its rows lie in the folder in either case; those of an index on a server leave their vectors to
the server and to the catalogue. A process that only reads the archive shows what the owner of
the directory has built, and changes nothing.
"""

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.errors import ReadOnlyArchive, VectorServerAway
from citewire.index.system.child_process import ChildFailed, run_in_child
from citewire.index.system.crash_points import reached
from citewire.index.vectors.build import Home, Index, Writer
from citewire.index.vectors.chroma import ChromaIndex, IndexBroken, sampled, try_index, write_index
from citewire.index.vectors.chroma_server import (
    SECONDS_PER_PART,
    ChromaServer,
    ServerIndex,
    collections_named,
    drop_collection,
    write_collection,
)
from citewire.index.vectors.manifest import (
    FOLDER_PREFIX,
    IN_FOLDER,
    ON_SERVER,
    Generation,
    collections_of,
    index_files,
)
from citewire.index.vectors.rows import FOLDER, Rows, map_ids, map_rows
from citewire.index.vectors.server_address import ServerAddress

SECONDS_PER_TRIAL = 600.0


@dataclass(frozen=True, slots=True)
class FolderWriter:
    """Writes an embedded Chroma index beside the rows."""

    home: str = IN_FOLDER

    def write(self, generation: Generation, folder: Path, rows: Rows) -> None:
        """Write the index and try it out."""
        write_index(folder, rows)
        try_index(folder, rows)


@dataclass(frozen=True, slots=True)
class ServerWriter:
    """Writes a collection on a server."""

    address: ServerAddress
    home: str = ON_SERVER

    def write(self, generation: Generation, folder: Path, rows: Rows) -> None:
        """Write the collection and try it out; the vectors' file goes."""
        server = ChromaServer(self.address, SECONDS_PER_PART)
        write_collection(server, generation.collection, rows)
        reached("build: collection written")
        index = ServerIndex(server, generation.collection, len(rows))
        index.try_out(rows.ids, rows.vectors[sampled(len(rows))])
        server.close()
        (folder / FOLDER / "vectors.npy").unlink()
        reached("build: vectors left to the server")


class FolderHome:
    """The generation's folder, for the one process that owns it."""

    kind = IN_FOLDER

    def require_answering(self) -> None:
        """Do nothing: files are always there."""

    def writer(self) -> Writer:
        """Return what writes an embedded index."""
        return FolderWriter()

    def map(self, folder: Path) -> Rows:
        """Map the rows with their vectors."""
        return map_rows(folder / FOLDER)

    def at_once(self, generation: Generation) -> Index | None:
        """Return None: damaged files could end the process, and the rows answer meanwhile."""
        return None

    def try_out(
        self, folder: Path, generation: Generation, catalogue: Catalogue, stop: threading.Event
    ) -> None:
        """Compare all files, and have a child process find in the index what it should."""
        try:
            if index_files(folder) != generation.files:
                raise IndexBroken(f"{folder}: its files are not those built")
            run_in_child(trial, (folder,), seconds=SECONDS_PER_TRIAL, stop=stop)
        except (ChildFailed, OSError) as error:
            raise IndexBroken(f"{folder}: {error}") from error

    def trusts(self, generation: Generation) -> bool:
        """Say that what is open was tried out."""
        return True

    def opened(self, folder: Path, generation: Generation) -> Index | None:
        """Open the index."""
        return ChromaIndex(folder, generation.rows)

    def tidy(self, directory: Path, kept: Generation) -> None:
        """Remove the folders of all other generations, with their indexes."""
        for other in directory.glob(f"{FOLDER_PREFIX}*"):
            if other.name != kept.folder:
                shutil.rmtree(other, ignore_errors=True)

    def strays(self, kept: Generation) -> list[str]:
        """Return nothing: all lies in folders."""
        return []

    def drop_strays(self, kept: Generation) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: each index lets go of its own files."""


class FolderOnlooker(FolderHome):
    """A folder that another process owns; what its rows hold is scanned.

    Chroma changes its database even when it is only read, and no two processes may open one.
    """

    def writer(self) -> Writer:
        """Raise: another process writes here."""
        raise ReadOnlyArchive("the archive was opened for reading alone")

    def try_out(
        self, folder: Path, generation: Generation, catalogue: Catalogue, stop: threading.Event
    ) -> None:
        """Do nothing."""

    def opened(self, folder: Path, generation: Generation) -> Index | None:
        """Return None."""
        return None

    def tidy(self, directory: Path, kept: Generation) -> None:
        """Do nothing."""


class ServerHome(FolderHome):
    """A Chroma server, which other archives and processes may use as well."""

    kind = ON_SERVER

    def __init__(self, address: ServerAddress) -> None:
        self._server = ChromaServer(address)
        self._tried: tuple[Generation, int] | None = None

    def require_answering(self) -> None:
        """Raise VectorServerAway when the server does not answer."""
        self._server.call(lambda client: client.heartbeat())

    def writer(self) -> Writer:
        """Return what writes a collection."""
        return ServerWriter(self._server.address)

    def map(self, folder: Path) -> Rows:
        """Map the rows without their vectors."""
        return map_ids(folder / FOLDER)

    def at_once(self, generation: Generation) -> Index | None:
        """Return the index: it can end no process but the server's, and nothing else answers."""
        return ServerIndex(self._server, generation.collection, generation.rows)

    def try_out(
        self, folder: Path, generation: Generation, catalogue: Catalogue, stop: threading.Event
    ) -> None:
        """Compare all passages, and search for a sample of the catalogue's vectors."""
        failures = self._server.failures
        try:
            ids = self.map(folder).ids
        except (OSError, ValueError) as error:
            # Removed at this moment, perhaps, by whoever built a newer generation.
            raise IndexBroken(f"{folder}: {error}") from error
        _, vectors = catalogue.vectors(ids[sampled(len(ids))].tolist())
        patient = ChromaServer(self._server.address, SECONDS_PER_PART)
        try:
            ServerIndex(patient, generation.collection, len(ids)).try_out(ids, vectors)
        finally:
            patient.close()
        self._tried = generation, failures

    def trusts(self, generation: Generation) -> bool:
        """Say whether it was tried out, and the server was never away since."""
        return self._tried == (generation, self._server.failures)

    def opened(self, folder: Path, generation: Generation) -> Index | None:
        """Return the index."""
        return self.at_once(generation)

    def strays(self, kept: Generation) -> list[str]:
        """Return the names of the archive's other collections."""
        names = collections_named(self._server, collections_of(kept.archive_id))
        return [name for name in names if not kept.rows or name != kept.collection]

    def drop_strays(self, kept: Generation) -> None:
        """Drop the archive's other collections; those of a server that is away stay a while."""
        try:
            for name in self.strays(kept):
                drop_collection(self._server, name)
                reached("server: old collections dropped")
        except VectorServerAway:
            return

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()


class ServerOnlooker(ServerHome):
    """A Chroma server whose collections another process writes."""

    def writer(self) -> Writer:
        """Raise: another process writes here."""
        raise ReadOnlyArchive("the archive was opened for reading alone")

    def tidy(self, directory: Path, kept: Generation) -> None:
        """Do nothing."""

    def drop_strays(self, kept: Generation) -> None:
        """Do nothing."""


def owners_home(server: ServerAddress | None) -> Home:
    """Return where the process that owns a data directory has its index."""
    return FolderHome() if server is None else ServerHome(server)


def onlookers_home(server: ServerAddress | None) -> Home:
    """Return where a process that only reads an archive finds its index."""
    return FolderOnlooker() if server is None else ServerOnlooker(server)


def trial(folder: Path) -> None:
    """Open the index in the folder and search it; what is wrong with it is raised, or worse."""
    try_index(folder, map_rows(folder / FOLDER))
