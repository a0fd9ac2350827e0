"""The life cycle of generations: which one is current, building, verifying, clearing away.

A generation is immutable: the rows of the catalogue's passages at one version, and a Chroma index
of them. A child process builds it aside, and an atomically replaced manifest names it. A kill at
any moment leaves nothing to repair.

Its rows are searched from the first moment on. An index in a folder is opened once it is
verified; one on a server at once, since it cannot crash this process, and its rows have no
vectors.
"""

import shutil
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.errors import NotUsable, VectorServerAway
from citewire.index.system.child_process import ChildFailed, run_in_child
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.system.files import write_atomically
from citewire.index.system.malloc import trim_heap
from citewire.index.vectors.backend import Backend, Index, StoredIndex
from citewire.index.vectors.build import build, open_rows
from citewire.index.vectors.chroma import IndexBroken
from citewire.index.vectors.garbage import delete_other_collections, remove_other_folders
from citewire.index.vectors.manifest import (
    EMPTY,
    FOLDER_PREFIX,
    MANIFEST,
    Generation,
    encode_manifest,
    read_manifest,
)
from citewire.index.vectors.rows import Rows

# Seconds: Chroma takes in about 600 passages a second on a busy machine, and no question waits for
# it.
SECONDS_PER_BUILD = 4 * 3600.0
# Share of a generation's rows; it is stale when more were added or deleted since.
STALE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation and its rows; of EMPTY, no rows."""

    generation: Generation
    rows: Rows


@dataclass(frozen=True, slots=True)
class OpenedIndex:
    """A generation's Chroma index, opened."""

    generation: Generation
    index: Index


class Generations:
    """Shows the current generation of a directory, and replaces it.

    One thread at a time changes what is shown; any number of threads read it without a lock.
    """

    def __init__(self, directory: Path, catalogue: Catalogue, backend: Backend) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._backend = backend
        self._shown = Shown(EMPTY, Rows.empty())
        self._manifest: Generation | None = None
        self._opened: OpenedIndex | None = None
        self._broken: Generation | None = None
        # The verified generation, and the number of its server's failures before.
        self._verified: tuple[Generation, int] | None = None
        self._closing = threading.Event()
        self._changing = threading.Lock()
        self._show_current()

    @property
    def shown(self) -> Shown:
        """The generation that is searched now."""
        return self._shown

    @property
    def uses_chroma(self) -> bool:
        """Whether the shown generation's Chroma index is open, verified, and not away since."""
        opened = self._opened
        return opened is not None and self._verified == (opened.generation, self._failures())

    def current(self) -> tuple[Shown, OpenedIndex | None]:
        """Return the generation to search, with its Chroma index where that is open."""
        while True:
            shown, opened = self._shown, self._opened
            if opened is not None and opened.generation == shown.generation:
                return shown, opened
            # Else another generation is shown meanwhile, whose index this may be.
            if shown is self._shown:
                return shown, None

    def require_answering(self) -> None:
        """Raise VectorServerAway when the index is on a server that does not answer."""
        if self._backend.server is not None:
            self._backend.server.require_answering()

    def is_stale(self, least_rows: int) -> bool:
        """Say whether it is broken, or more than `least_rows` and STALE_SHARE have changed."""
        generation = self._shown.generation
        if self._broken == generation:
            return True
        with self._catalogue.reading():
            left = self._catalogue.count_passages_through(generation.last_passage)
            added = self._catalogue.count_passages_after(generation.last_passage)
        changed = added + generation.rows - left
        return changed > max(int(generation.rows * STALE_SHARE), least_rows)

    def open_chroma(self) -> bool:
        """Verify the shown generation's Chroma index and open it; say whether it is open.

        Verifying takes some seconds. A generation whose index fails is stale.

        Raises:
            VectorServerAway: it is on a server that does not answer.
        """
        with self._changing:
            generation = self._shown.generation
            if self.uses_chroma or self._broken == generation:
                return self.uses_chroma
            if generation.rows and not self._closing.is_set():
                self._opened = self._open_verified(generation)
            if self._opened is not None:
                # The memory that verifying took is not needed again.
                trim_heap()
                self.release_rows()
            return self._opened is not None

    def release_rows(self) -> None:
        """Give back the memory of rows where Chroma has a copy of all vectors, and few are read."""
        if self.uses_chroma:
            self._shown.rows.release()

    def drop_broken(self, broken: OpenedIndex) -> None:
        """Stop searching an index that is broken; its rows are scanned until the next rebuild."""
        self._broken = broken.generation
        if self._opened is broken:
            self._opened = None
        # The owner of the archive may have deleted it after building a newer one.
        self.refresh()

    def refresh(self) -> None:
        """Show what another process has built since; nothing while this one changes it itself."""
        if not self._changing.acquire(blocking=False):
            return
        try:
            if read_manifest(self._directory / MANIFEST) != self._manifest:
                self._show_current()
        finally:
            self._changing.release()

    def rebuild(self) -> None:
        """Build a generation that shows the catalogue as it is now, and switch to it.

        A child process builds it; searches go on meanwhile.

        Raises:
            NotUsable: it cannot be written; the catalogue is searched without it.
        """
        with self._changing:
            folder = self._directory / f"{FOLDER_PREFIX}{uuid.uuid4().hex}"
            writer = self._backend.writer()
            try:
                folder.mkdir(parents=True)
                generation = run_in_child(
                    build,
                    (folder, self._catalogue.path, writer),
                    seconds=SECONDS_PER_BUILD,
                    stop=self._closing,
                )
                manifest = self._directory / MANIFEST
                write_atomically(manifest, encode_manifest(generation), crash_point="json")
            except (ChildFailed, OSError, VectorServerAway) as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise build_error(self._directory, error) from error
            self._show_current()
            pass_crash_point("rebuild: shown")
            if self._backend.server is not None:
                delete_other_collections(self._backend.server, generation)

    def close(self) -> None:
        """End a rebuild and close the Chroma index; searches after it scan."""
        self._closing.set()
        with self._changing:
            self._close_index()

    def _show_current(self) -> None:
        """Show the generation that the manifest names, or none when it cannot be trusted."""
        generation = read_manifest(self._directory / MANIFEST)
        newer = generation is not None and generation.version > self._catalogue.state().version
        # A generation that is newer than the state this thread reads is looked at again.
        self._manifest = None if newer else generation
        rows = None
        if generation is not None and generation.rows and self._can_show(generation):
            rows = open_rows(self._directory / generation.folder, generation)
        if generation is None or rows is None:
            self._shown = Shown(EMPTY, Rows.empty())
            self._close_index()
        else:
            self._shown = Shown(generation, rows)
            self._close_index()
            if self._backend.server is not None:
                self._opened = self._open(self._locate(generation))
        if self._shown.generation.rows or (generation is not None and not generation.rows):
            self._clear_folders()

    def _can_show(self, generation: Generation) -> bool:
        return (
            generation.shows(self._catalogue.state()) and generation.backend == self._backend.kind
        )

    def _open_verified(self, generation: Generation) -> OpenedIndex | None:
        stored, failures = self._locate(generation), self._failures()
        try:
            self._backend.verify(stored)
            self._verified = generation, failures
            return self._open(stored)
        except IndexBroken:
            self._broken = None if self._closing.is_set() else generation
            return None

    def _open(self, stored: StoredIndex) -> OpenedIndex | None:
        index = self._backend.open(stored)
        return None if index is None else OpenedIndex(stored.generation, index)

    def _locate(self, generation: Generation) -> StoredIndex:
        folder = self._directory / generation.folder
        return StoredIndex(folder, generation, self._catalogue, self._closing)

    def _failures(self) -> int:
        """Return how often the server has failed; files do not fail and come back."""
        server = self._backend.server
        return 0 if server is None else server.failures

    def _clear_folders(self) -> None:
        if not self._backend.read_only:
            remove_other_folders(self._directory, self._shown.generation)

    def _close_index(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.index.close()


def build_error(directory: Path, error: Exception) -> NotUsable:
    """Return the error to raise when an index could not be built."""
    if isinstance(error, VectorServerAway):
        return VectorServerAway(f"{error}; all articles are stored; index again when it is back")
    return NotUsable(
        f"{directory}: the vector index cannot be written ({error}); all articles are stored and"
        " searched without it, more slowly; index again when that is repaired"
    )
