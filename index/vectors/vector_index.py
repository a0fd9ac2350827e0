"""Dense search: an immutable generation of rows and a Chroma index, and what came after it.

The catalogue holds the vectors; a generation only makes finding near ones fast. It is built
aside by a child process, never written again, and named by an atomically replaced manifest.
Passages added since lie in the tail, which is scanned; passages deleted since are dropped by
the catalogue. So a change is searchable when its transaction commits, and a kill at any moment
leaves nothing to repair.

Its rows answer from the first moment on, by an exact scan. A process that goes on to serve has
the Chroma index tried out and opened beside them, and then asks that. Where the index lies on a
server, the rows have no vectors: the server is asked from the first moment on, and where a scan
is better it reads those of the catalogue.
"""

import shutil
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.columns import Flags
from citewire.index.embedding import Vector
from citewire.index.errors import ArchiveDamaged, NotUsable, VectorServerAway
from citewire.index.system.child_process import ChildFailed, run_in_child
from citewire.index.system.crash_points import reached
from citewire.index.system.files import write_atomically
from citewire.index.system.malloc import trim_heap
from citewire.index.top_k import top_k
from citewire.index.types import Filters
from citewire.index.vectors.backends import FolderHome
from citewire.index.vectors.build import MANIFEST, SECONDS_PER_BUILD, Home, Index, build, open_rows
from citewire.index.vectors.chroma import IndexBroken
from citewire.index.vectors.manifest import (
    EMPTY,
    FOLDER_PREFIX,
    Generation,
    manifest_text,
    read_manifest,
)
from citewire.index.vectors.rows import Rows, no_rows, rows_after
from citewire.index.vectors.top_k import top_k_scores, top_k_vectors

# Chroma looks at a hundred rows for those wanted. Where fewer than these pass a filter it would
# have to name more than that, and overlooks some: a fifth of them where a fifth passes.
LEAST_SHARE = 0.6
# Vectors that lie elsewhere are read slowly: up to so many are, else Chroma is asked for so many
# neighbours.
MOST_READ = 15_000
MOST_NEIGHBOURS = 2000
# So many vectors are read from the catalogue at once.
STORED_PER_READ = 20_000
# Asked for besides those wanted: some may be deleted.
SPARE = 14
# A generation is replaced when more than one row in so many was added or deleted since.
STALE_SHARE = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation and its rows; of none, no rows."""

    generation: Generation
    rows: Rows


@dataclass(frozen=True, slots=True)
class Tail:
    """The passages that came after a generation, in the catalogue's `version` or before."""

    generation: Generation
    version: int
    rows: Rows


class VectorIndex:
    """Finds the passages nearest to a question's vector.

    Any number of threads may search while another one rebuilds or closes it.
    """

    def __init__(self, directory: Path, catalogue: Catalogue, home: Home | None = None) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._home = FolderHome() if home is None else home
        self._shown = Shown(EMPTY, no_rows())
        self._manifest: Generation | None = None
        self._chroma: tuple[Generation, Index] | None = None
        self._broken: Generation | None = None
        self._tail: Tail | None = None
        self._closing = threading.Event()
        # One thread at a time changes what is shown; searching needs no lock.
        self._changing = threading.Lock()
        self._show_current()

    @property
    def indexed_rows(self) -> int:
        """How many passages the generation shows."""
        return self._shown.generation.rows

    @property
    def uses_chroma(self) -> bool:
        """Whether the generation's Chroma index is open, and was found sound."""
        opened = self._chroma
        return opened is not None and self._home.trusts(opened[0])

    def require_answering(self) -> None:
        """Raise VectorServerAway when the index is on a server that does not answer."""
        self._home.require_answering()

    def scanned_rows(self) -> int:
        """Return how many passages were added since, and are searched besides."""
        with self._catalogue.reading():
            tail = self._rows_behind(self._shown)
            return len(self._catalogue.existing_passages(tail.ids.tolist()))

    def close(self) -> None:
        """Let go of Chroma's files and end a rebuild; searches after it scan."""
        self._closing.set()
        with self._changing:
            self._close_chroma()
            self._home.close()

    def search(self, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities, at most `limit`.

        Raises:
            VectorServerAway: they are on a server that does not answer.
        """
        if limit == 0:
            return {}
        with self._catalogue.reading():
            passing = self._catalogue.columns().passing(filters)
            while True:
                shown = self._shown
                if shown.generation.version > self._catalogue.state().version:
                    # The question began before the generation, which lacks what was deleted since.
                    return self._scan(rows_after(self._catalogue, 0), vector, limit, passing)
                later = self._scan(self._rows_behind(shown), vector, limit, passing)
                near = self._near_in_index(shown, vector, limit, passing)
                if near is None and shown is not self._shown:
                    # Its index was dropped meanwhile: another one is shown.
                    continue
                if near is None:
                    near = self._scan(shown.rows, vector, limit, passing)
                return top_k_scores(near | later, limit)

    def similarities(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine similarity of each passage among `ids` that exists."""
        known, vectors = self._catalogue.vectors(ids)
        return top_k_vectors(known, vectors, vector, len(known))

    def is_stale(self, least_rows: int = 0) -> bool:
        """Say whether it is broken, or more than `least_rows` and a tenth of it has changed."""
        generation = self._shown.generation
        if self._broken == generation:
            return True
        with self._catalogue.reading():
            alive = self._catalogue.count_passages_through(generation.last_passage)
            added = self._catalogue.count_passages_after(generation.last_passage)
        changed = added + generation.rows - alive
        return changed > max(generation.rows // STALE_SHARE, least_rows)

    def open_chroma(self) -> bool:
        """Try the generation's Chroma index out and open it; say whether it is open.

        The trial takes some seconds. After a failed one the index is stale.

        Raises:
            VectorServerAway: it is on a server that does not answer.
        """
        with self._changing:
            generation = self._shown.generation
            if self.uses_chroma or self._broken == generation:
                return self.uses_chroma
            if generation.rows and not self._closing.is_set():
                self._chroma = self._tried(generation)
            if self._chroma is not None:
                # What trying it out took is not needed again.
                trim_heap()
                self.release_rows()
            return self._chroma is not None

    def release_rows(self) -> None:
        """Let go of the rows' pages where Chroma has a copy of all vectors, and few are read."""
        if self.uses_chroma:
            self._shown.rows.release()

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

        A child process builds it; searches go on meanwhile. Nothing is encoded again: the
        catalogue holds the vectors.

        Raises:
            NotUsable: it cannot be written; what is stored is searched without it.
        """
        with self._changing:
            folder = self._directory / f"{FOLDER_PREFIX}{uuid.uuid4().hex}"
            writer = self._home.writer()
            try:
                folder.mkdir(parents=True)
                generation = run_in_child(
                    build,
                    (folder, self._catalogue.path, writer),
                    seconds=SECONDS_PER_BUILD,
                    stop=self._closing,
                )
                manifest = self._directory / MANIFEST
                write_atomically(manifest, manifest_text(generation), crash_point="json")
            except (ChildFailed, OSError, VectorServerAway) as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise not_built(self._directory, error) from error
            self._show_current()
            reached("rebuild: shown")
            self._home.drop_strays(generation)

    # -- inside

    def _show_current(self) -> None:
        """Show the generation that the manifest names, or none when it cannot be trusted."""
        generation = self._manifest = read_manifest(self._directory / MANIFEST)
        rows = None
        if generation is not None and generation.rows and self._can_show(generation):
            rows = open_rows(self._directory / generation.folder, generation, self._home)
        if generation is None or rows is None:
            self._shown = Shown(EMPTY, no_rows())
            self._close_chroma()
        else:
            self._shown = Shown(generation, rows)
            self._close_chroma()
            index = self._home.at_once(generation)
            self._chroma = None if index is None else (generation, index)
        if self._shown.generation.rows or (generation is not None and not generation.rows):
            self._home.tidy(self._directory, self._shown.generation)

    def _can_show(self, generation: Generation) -> bool:
        """Say whether it shows this catalogue, not one that was since set back, and lies here."""
        state = self._catalogue.state()
        shows = generation.archive_id == state.archive_id and generation.version <= state.version
        return shows and generation.home == self._home.kind

    def _tried(self, generation: Generation) -> tuple[Generation, Index] | None:
        folder = self._directory / generation.folder
        try:
            self._home.try_out(folder, generation, self._catalogue, self._closing)
            index = self._home.opened(folder, generation)
        except IndexBroken:
            self._broken = None if self._closing.is_set() else generation
            return None
        return None if index is None else (generation, index)

    def _close_chroma(self) -> None:
        opened, self._chroma = self._chroma, None
        if opened is not None:
            opened[1].close()

    def _rows_behind(self, shown: Shown) -> Rows:
        """Return the rows that came after a generation, reading those that are new."""
        generation, tail = shown.generation, self._tail
        version = self._catalogue.state().version
        with self._catalogue.reading():
            if tail is None or tail.generation != generation or tail.version > version:
                rows = rows_after(self._catalogue, generation.last_passage)
            elif tail.version == version:
                return tail.rows
            else:
                last = int(tail.rows.ids[-1]) if len(tail.rows) else generation.last_passage
                rows = tail.rows.followed_by(rows_after(self._catalogue, last))
        self._tail = Tail(generation, version, rows)
        return rows

    def _near_in_index(
        self, shown: Shown, vector: Vector, limit: int, passing: Flags
    ) -> dict[int, float] | None:
        """Ask Chroma; return None where a scan is better, or it has none to ask."""
        opened, rows = self._chroma, shown.rows
        if opened is None or opened[0] != shown.generation:
            return None
        count = int(np.count_nonzero(marked(passing, rows.ids)))
        if count < (LEAST_SHARE * len(rows) if rows.have_vectors else min(len(rows), MOST_READ)):
            return None
        wanted = (limit + SPARE) * len(rows) // max(count, 1)
        most = wanted if rows.have_vectors else MOST_NEIGHBOURS
        while wanted <= most:
            near = self._ask(opened, vector, wanted)
            if near is None:
                return None
            found = {passage: score for passage, score in near.items() if passing[passage]}
            if len(found) >= limit or wanted >= len(rows):
                return top_k_scores(found, limit)
            wanted *= 4
        return None

    def _ask(
        self, opened: tuple[Generation, Index], vector: Vector, limit: int
    ) -> dict[int, float] | None:
        try:
            return opened[1].nearest(vector, limit)
        except IndexBroken:
            # From now on everything is scanned: slower, and right. The next rebuild heals it.
            self._broken = opened[0]
            if self._chroma is opened:
                self._chroma = None
            # Or it was dropped by a process that has built a newer one.
            self.refresh()
            return None

    def _scan(self, rows: Rows, vector: Vector, limit: int, passing: Flags) -> dict[int, float]:
        """Compare with every row that passes; exact."""
        marks = marked(passing, rows.ids)
        chosen = None if marks.all() else np.flatnonzero(marks)
        ids = rows.ids if chosen is None else rows.ids[chosen]
        if not rows.have_vectors:
            return self._scan_stored(ids.tolist(), vector, limit)
        scores = rows.scores(vector, chosen)
        top = top_k(scores, limit)
        return dict(zip(ids[top].tolist(), scores[top].tolist(), strict=True))

    def _scan_stored(self, ids: list[int], vector: Vector, limit: int) -> dict[int, float]:
        """Compare with the catalogue's vectors of those of the passages that exist; exact."""
        near: dict[int, float] = {}
        for first in range(0, len(ids), STORED_PER_READ):
            stored = self._catalogue.vectors(ids[first : first + STORED_PER_READ])
            near = top_k_scores(near | top_k_vectors(*stored, vector, limit), limit)
        return near


def not_built(directory: Path, error: Exception) -> NotUsable:
    """Return what is said when an index could not be built."""
    if isinstance(error, VectorServerAway):
        return VectorServerAway(f"{error}; all articles are stored; index again when it is back")
    return NotUsable(
        f"{directory}: the vector index cannot be written ({error}); all articles are stored and"
        " searched without it, more slowly; index again when it is mended"
    )


def marked(passing: Flags, ids: NDArray[np.int64]) -> Flags:
    """Return which of the ids pass; raise ArchiveDamaged when one was never given."""
    # They ascend.
    if ids.size and not 0 < ids[0] <= ids[-1] < len(passing):
        raise ArchiveDamaged("the vector index names passages that never were")
    marks: Flags = passing[ids]
    return marks
