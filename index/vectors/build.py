"""Make a generation of the vector index from the catalogue, and find out whether one is sound."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.stored_vectors import open_vectors
from citewire.index.embedding import Vector
from citewire.index.system.crash_points import reached
from citewire.index.system.files import sync_tree
from citewire.index.vectors.chroma import IndexBroken
from citewire.index.vectors.manifest import Generation, index_files, read_manifest
from citewire.index.vectors.rows import FOLDER, Rows, map_rows, no_rows, write_rows

MANIFEST = "current.json"
# Chroma takes in about 600 passages a second on a busy machine; nobody waits for it.
SECONDS_PER_BUILD = 4 * 3600.0
COMPARED = 200


class Index(Protocol):
    """A generation's Chroma index, opened."""

    def nearest(self, vector: Vector, limit: int) -> dict[int, float] | None:
        """Return the nearest passages with their cosines, None when it was closed meanwhile."""

    def close(self) -> None:
        """Let go of what it holds."""


class Writer(Protocol):
    """Writes a generation's index where it belongs; it is handed to a child process."""

    @property
    def home(self) -> str:
        """What the manifest says of where that is."""

    def write(self, generation: Generation, folder: Path, rows: Rows) -> None:
        """Write the index and try it out; what stays in the folder are the generation's files."""


class Home(Protocol):
    """Where the Chroma indexes of generations lie.

    Raises:
        VectorServerAway: from whatever needs a server that does not answer.
    """

    @property
    def kind(self) -> str:
        """What manifests say of it."""

    def require_answering(self) -> None:
        """Raise VectorServerAway when nothing can be found here at present."""

    def writer(self) -> Writer:
        """Return what writes here; raise ReadOnlyArchive where nothing may."""

    def map(self, folder: Path) -> Rows:
        """Map the rows of a generation; raise OSError or ValueError when they are not whole."""

    def at_once(self, generation: Generation) -> Index | None:
        """Return its index where one is best searched untried, else None."""

    def try_out(
        self, folder: Path, generation: Generation, catalogue: Catalogue, stop: threading.Event
    ) -> None:
        """Make sure that its index holds what it should and finds it; raise IndexBroken."""

    def trusts(self, generation: Generation) -> bool:
        """Say whether it was tried out, and nothing has happened to it since."""

    def opened(self, folder: Path, generation: Generation) -> Index | None:
        """Open its index; None where none is opened here. Raise IndexBroken."""

    def tidy(self, directory: Path, kept: Generation) -> None:
        """Remove the folders of all other generations."""

    def strays(self, kept: Generation) -> list[str]:
        """Return the archive's indexes elsewhere that belong to no generation."""

    def drop_strays(self, kept: Generation) -> None:
        """Remove them, as far as that can be done now."""

    def close(self) -> None:
        """Let go of what is shared by its indexes."""


def build(folder: Path, catalogue: Path, writer: Writer) -> Generation:
    """Write a generation that shows the catalogue as it is now into an empty folder.

    It takes long and much memory, and holds the interpreter: a child's work.
    """
    with open_vectors(catalogue) as stored:
        state = stored.state
        empty = Generation(folder.name, state.archive_id, state.version, 0, 0, {}, writer.home)
        if not stored.count:
            return empty
        write_rows(folder / FOLDER, stored)
    reached("build: rows written")
    rows = map_rows(folder / FOLDER)
    generation = replace(empty, last_passage=int(rows.ids[-1]), rows=len(rows))
    writer.write(generation, folder, rows)
    reached("build: index written")
    sync_tree(folder)
    reached("build: files synced")
    return replace(generation, files=index_files(folder))


def open_rows(folder: Path, generation: Generation, home: Home) -> Rows | None:
    """Map the generation's rows when their files are those that were built, else return None."""
    expected = {name: own for name, own in generation.files.items() if in_rows(name)}
    # A file may not be readable, or be removed at this moment by whoever built a newer generation.
    try:
        if not expected or index_files(folder, FOLDER) != expected:
            return None
        rows = home.map(folder)
    except (OSError, ValueError):
        return None
    return rows if len(rows) == generation.rows else None


def in_rows(name: str) -> bool:
    """Say whether the file of this name holds a column."""
    return name.startswith(f"{FOLDER}/")


def findings(directory: Path, catalogue: Catalogue, home: Home) -> list[str]:
    """Return what is wrong with the index in the directory, nothing for a sound one.

    Compares its manifest, its files, its passages with the catalogue's, a sample of its vectors,
    and what is found in it. A rebuild mends whatever is found.

    Raises:
        VectorServerAway: it lies on a server that does not answer.
    """
    with catalogue.reading():
        state = catalogue.state()
        generation = read_manifest(directory / MANIFEST)
        if generation is None:
            passages = catalogue.counts()[1]
            return ["there is no vector index, or its manifest is damaged"] if passages else []
        if generation.archive_id != state.archive_id or generation.version > state.version:
            return ["the vector index shows another archive, or a later state of this one"]
        if not generation.rows:
            return []
        if generation.home != home.kind:
            return [f"the vector index lies in a {generation.home}, not in a {home.kind}"]
        folder = directory / generation.folder
        found = wrong_files(folder, generation)
        if found:
            return found
        rows = open_rows(folder, generation, home) or no_rows()
        found = wrong_rows(rows, generation, catalogue)
    try:
        home.try_out(folder, generation, catalogue, threading.Event())
    except IndexBroken as error:
        found.append(f"{folder}: Chroma does not find in it what it should: {error}")
    return found + [f"{name}: belongs to no index" for name in home.strays(generation)]


def wrong_files(folder: Path, generation: Generation) -> list[str]:
    """Return a finding for each file that is not as it was built."""
    try:
        present = index_files(folder)
    except OSError as error:
        return [f"{folder}: {error}"]
    return [
        f"{folder / name}: is not the file that was built"
        for name in sorted(generation.files.keys() | present.keys())
        if generation.files.get(name) != present.get(name)
    ]


def wrong_rows(rows: Rows, generation: Generation, catalogue: Catalogue) -> list[str]:
    """Return a finding when passages or vectors differ from the catalogue's."""
    alive = catalogue.passages_through(generation.last_passage)
    if not alive <= set(rows.ids.tolist()):
        return [f"{generation.folder}: lacks passages of the catalogue"]
    sample = [int(rows.ids[at]) for at in np.linspace(0, len(rows) - 1, COMPARED).astype(int)]
    ids, vectors = catalogue.vectors(sorted(set(sample) & alive))
    if ids and rows.have_vectors and not np.array_equal(rows.vectors[rows.positions(ids)], vectors):
        return [f"{generation.folder}: has other vectors than the catalogue"]
    return []
