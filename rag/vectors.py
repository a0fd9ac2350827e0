"""Dense search: an immutable generation of rows and a Chroma index, and what came after it.

The catalogue holds the vectors; a generation only makes finding near ones fast. It is built
aside by a child process, never written again, and named by an atomically replaced manifest.
Passages added since lie in the tail, which is scanned; passages deleted since are dropped by
the catalogue. So a change is searchable when its transaction commits, and a kill at any moment
leaves nothing to repair.

Its rows answer from the first moment on, by an exact scan. A process that goes on to serve has
the Chroma index tried out and opened beside them, and then asks that.
"""

import shutil
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.building import MANIFEST, SECONDS_PER_BUILD, build, is_sound, open_rows
from rag.catalogue import Catalogue
from rag.child import ChildFailed, in_child
from rag.chroma import ChromaIndex, IndexBroken
from rag.errors import NotUsable
from rag.generation import EMPTY, Generation, manifest_text, read_manifest, write_atomically
from rag.protocols import Vector, Vectors
from rag.rows import Rows, no_rows, rows_after
from rag.types import Filters

# Up to here a scan of what passes a filter is as fast as the index, and exact.
EXACT_SCAN_ROWS = 15_000
# More neighbours than this take Chroma longer than a scan takes.
MOST_NEIGHBOURS = 2000
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

    def __init__(self, directory: Path, catalogue: Catalogue) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._shown = Shown(EMPTY, no_rows())
        self._chroma: tuple[Generation, ChromaIndex] | None = None
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
        """Whether the generation's Chroma index is open."""
        return self._chroma is not None

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

    def search(self, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities, at most `limit`."""
        if limit == 0:
            return {}
        with self._catalogue.reading() as connection:
            shown = self._shown
            if shown.generation.version > self._catalogue.state().version:
                # The question began before the generation, which lacks what was deleted since.
                return self._scan(rows_after(connection, 0), vector, limit, filters)
            later = self._scan(self._rows_behind(shown), vector, limit, filters)
            near = self._near_in_index(shown, vector, limit, filters)
            if near is None:
                near = self._scan(shown.rows, vector, limit, filters)
        return largest(near | later, limit)

    def similarities(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine similarity of each passage among `ids` that exists."""
        known, vectors = self._catalogue.vectors(ids)
        return best(known, vectors, vector, len(known))

    def is_stale(self, least_rows: int = 0) -> bool:
        """Say whether it is broken, or more than `least_rows` and a tenth of it has changed."""
        generation = self._shown.generation
        if self._broken == generation:
            return True
        with self._catalogue.reading() as connection:
            alive = self._catalogue.count_passages_through(generation.last_passage)
            (added,) = connection.execute(
                "SELECT count(*) FROM passages WHERE id > ?", (generation.last_passage,)
            ).fetchone()
        changed = int(added) + generation.rows - alive
        return changed > max(generation.rows // STALE_SHARE, least_rows)

    def open_chroma(self) -> bool:
        """Try the generation's Chroma index out and open it; say whether it is open.

        The trial takes a child process some seconds. After a failed one the index is stale.
        """
        with self._changing:
            generation = self._shown.generation
            if self._chroma is not None or self._broken == generation:
                return self._chroma is not None
            if generation.rows and not self._closing.is_set():
                self._chroma = self._tried(generation)
            return self._chroma is not None

    def rebuild(self) -> None:
        """Build a generation that shows the catalogue as it is now, and switch to it.

        A child process builds it; searches go on meanwhile. Nothing is encoded again: the
        catalogue holds the vectors.

        Raises:
            NotUsable: it cannot be written; what is stored is searched without it.
        """
        with self._changing:
            folder = self._directory / f"generation-{uuid.uuid4().hex}"
            try:
                folder.mkdir(parents=True)
                generation = in_child(
                    build,
                    (folder, self._catalogue.path),
                    seconds=SECONDS_PER_BUILD,
                    stop=self._closing,
                )
                write_atomically(self._directory / MANIFEST, manifest_text(generation))
            except (ChildFailed, OSError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise NotUsable(
                    f"{self._directory}: the vector index cannot be written ({error}); all articles"
                    " are stored and searched without it, more slowly; index again when it is"
                    " mended"
                ) from error
            self._show_current()

    # -- inside

    def _show_current(self) -> None:
        """Show the generation that the manifest names, or none when it cannot be trusted."""
        generation = read_manifest(self._directory / MANIFEST)
        rows = None
        if generation is not None and generation.rows and self._is_of_catalogue(generation):
            rows = open_rows(self._directory / generation.folder, generation)
        if generation is None or rows is None:
            self._shown = Shown(EMPTY, no_rows())
        else:
            self._shown = Shown(generation, rows)
        self._close_chroma()
        if self._shown.generation.rows or (generation is not None and not generation.rows):
            self._remove_generations_but(self._shown.generation.folder)

    def _remove_generations_but(self, folder: str) -> None:
        for other in self._directory.glob("generation-*"):
            if other.name != folder:
                shutil.rmtree(other, ignore_errors=True)

    def _is_of_catalogue(self, generation: Generation) -> bool:
        """Say whether it shows this catalogue, and not one that was since set back."""
        state = self._catalogue.state()
        return generation.archive_id == state.archive_id and generation.version <= state.version

    def _tried(self, generation: Generation) -> tuple[Generation, ChromaIndex] | None:
        folder = self._directory / generation.folder
        if is_sound(folder, generation, self._closing):
            try:
                return generation, ChromaIndex(folder, generation.rows)
            except IndexBroken:
                pass
        self._broken = None if self._closing.is_set() else generation
        return None

    def _close_chroma(self) -> None:
        opened, self._chroma = self._chroma, None
        if opened is not None:
            opened[1].close()

    def _rows_behind(self, shown: Shown) -> Rows:
        """Return the rows that came after a generation, reading those that are new."""
        generation, tail = shown.generation, self._tail
        version = self._catalogue.state().version
        with self._catalogue.reading() as connection:
            if tail is None or tail.generation != generation or tail.version > version:
                rows = rows_after(connection, generation.last_passage)
            elif tail.version == version:
                return tail.rows
            else:
                last = int(tail.rows.ids[-1]) if len(tail.rows) else generation.last_passage
                rows = tail.rows.followed_by(rows_after(connection, last))
        self._tail = Tail(generation, version, rows)
        return rows

    def _near_in_index(
        self, shown: Shown, vector: Vector, limit: int, filters: Filters
    ) -> dict[int, float] | None:
        """Ask Chroma; return None where a scan is better, or it has none to ask."""
        opened, rows = self._chroma, shown.rows
        if opened is None or opened[0] != shown.generation:
            return None
        wanted = limit + SPARE
        passing = None
        if filters:
            passing = rows.passing(filters)
            count = int(np.count_nonzero(passing))
            if count <= EXACT_SCAN_ROWS:
                return None
            wanted = wanted * len(rows) // count
        while wanted <= MOST_NEIGHBOURS:
            near = self._ask(opened, vector, wanted)
            if near is None:
                return None
            alive = self._alive(passed(near, rows, passing))
            if len(alive) >= limit or wanted >= len(rows):
                return largest(alive, limit)
            wanted *= 4
        return None

    def _ask(
        self, opened: tuple[Generation, ChromaIndex], vector: Vector, limit: int
    ) -> dict[int, float] | None:
        try:
            return opened[1].nearest(vector, limit)
        except IndexBroken:
            # From now on everything is scanned: slower, and right. The next rebuild heals it.
            self._broken = opened[0]
            if self._chroma is opened:
                self._chroma = None
            return None

    def _scan(self, rows: Rows, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        """Compare with every row that passes; exact."""
        chosen = np.flatnonzero(rows.passing(filters)) if filters else None
        ids = rows.ids if chosen is None else rows.ids[chosen]
        scores = rows.scores(vector, chosen)
        wanted = limit + SPARE
        while True:
            top = highest(scores, wanted)
            found = dict(zip(ids[top].tolist(), scores[top].tolist(), strict=True))
            alive = self._alive(found)
            if len(alive) >= limit or len(top) == len(scores):
                return largest(alive, limit)
            wanted *= 4

    def _alive(self, found: dict[int, float]) -> dict[int, float]:
        """Return those of the passages that exist."""
        alive = self._catalogue.existing_passages(list(found))
        return {passage: score for passage, score in found.items() if passage in alive}


def passed(
    near: dict[int, float], rows: Rows, passing: NDArray[np.bool_] | None
) -> dict[int, float]:
    """Return those of the passages whose rows are marked as passing."""
    if passing is None:
        return near
    marks = passing[rows.positions(list(near))]
    return {
        passage: score for (passage, score), mark in zip(near.items(), marks, strict=True) if mark
    }


def highest(scores: Vector, limit: int) -> NDArray[np.intp]:
    """Return where the highest scores are: `limit` of them, more when the last ones are equal."""
    if len(scores) <= limit:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    return np.flatnonzero(scores >= least)


def best(ids: list[int], vectors: Vectors, vector: Vector, limit: int) -> dict[int, float]:
    """Return the `limit` ids whose vectors have the largest dot products, with these."""
    if not ids:
        return {}
    scores = vectors @ vector
    top = np.argsort(-scores, kind="stable")[:limit]
    return {ids[row]: float(scores[row]) for row in top}


def largest(scores: dict[int, float], limit: int) -> dict[int, float]:
    """Return the `limit` largest scores with their ids."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit])
