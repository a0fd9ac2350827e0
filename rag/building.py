"""Make a generation of the vector index from the catalogue, and find out whether one is sound."""

import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote

import numpy as np

from rag.catalogue import Catalogue
from rag.child import ChildFailed, in_child
from rag.chroma import try_index, write_index
from rag.generation import Generation, index_files, read_manifest
from rag.rows import FOLDER, Rows, map_rows, no_rows, sync_files, write_rows

MANIFEST = "current.json"
# Chroma takes in about 600 passages a second on a busy machine; nobody waits for it.
SECONDS_PER_BUILD = 4 * 3600.0
SECONDS_PER_TRIAL = 600.0
COMPARED = 200


def build(folder: Path, catalogue: Path) -> Generation:
    """Write a generation that shows the catalogue as it is now into an empty folder.

    It takes long and much memory, and holds the interpreter: a child's work.
    """
    connection = sqlite3.connect(f"file:{quote(str(catalogue))}?mode=ro", uri=True)
    connection.isolation_level = None
    try:
        connection.execute("BEGIN")
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        archive_id, version = meta["archive_id"], int(meta["version"])
        if connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone() is None:
            return Generation(folder.name, archive_id, version, 0, 0, {})
        write_rows(folder / FOLDER, connection)
    finally:
        connection.close()
    rows = map_rows(folder / FOLDER)
    write_index(folder, rows)
    try_index(folder, rows)
    sync_files(folder)
    last = int(rows.ids[-1])
    return Generation(folder.name, archive_id, version, last, len(rows), index_files(folder))


def trial(folder: Path) -> None:
    """Open the index in the folder and search it; what is wrong with it is raised, or worse."""
    try_index(folder, map_rows(folder / FOLDER))


def is_sound(folder: Path, generation: Generation, stop: threading.Event) -> bool:
    """Say whether all files are as built, and a child process finds in the index what it should."""
    try:
        if index_files(folder) != generation.files:
            return False
        in_child(trial, (folder,), seconds=SECONDS_PER_TRIAL, stop=stop)
    except (ChildFailed, OSError):
        return False
    return True


def open_rows(folder: Path, generation: Generation) -> Rows | None:
    """Map the generation's rows when their files are those that were built, else return None."""
    expected = {name: own for name, own in generation.files.items() if in_rows(name)}
    found = index_files(folder, FOLDER)
    if not expected or found != expected:
        return None
    try:
        rows = map_rows(folder / FOLDER)
    except (OSError, ValueError):
        return None
    return rows if len(rows) == generation.rows else None


def in_rows(name: str) -> bool:
    """Say whether the file of this name holds a column."""
    return name.startswith(f"{FOLDER}/")


def findings(directory: Path, catalogue: Catalogue) -> list[str]:
    """Return what is wrong with the index in the directory, nothing for a sound one.

    Compares its manifest, its files, its passages with the catalogue's, a sample of its vectors,
    and what a child process finds in it. A rebuild mends whatever is found.
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
        folder = directory / generation.folder
        found = wrong_files(folder, generation)
        if found:
            return found
        rows = open_rows(folder, generation) or no_rows()
        found = wrong_rows(rows, generation, catalogue)
    if not is_sound(folder, generation, threading.Event()):
        found.append(f"{folder}: Chroma does not find in it what it holds")
    return found


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
    with catalogue.reading() as connection:
        selected = connection.execute(
            "SELECT id FROM passages WHERE id <= ?", (generation.last_passage,)
        )
        alive = {row[0] for row in selected}
    if not alive <= set(rows.ids.tolist()):
        return [f"{generation.folder}: lacks passages of the catalogue"]
    sample = [int(rows.ids[at]) for at in np.linspace(0, len(rows) - 1, COMPARED).astype(int)]
    ids, vectors = catalogue.vectors(sorted(set(sample) & alive))
    if ids and not np.array_equal(rows.vectors[rows.positions(ids)], vectors):
        return [f"{generation.folder}: has other vectors than the catalogue"]
    return []
