"""Build a generation of the vector index from the catalogue, and map its rows."""

from dataclasses import replace
from pathlib import Path

from citewire.index.catalogue.stored_vectors import open_vectors
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.system.files import sync_tree
from citewire.index.vectors.backend import Draft, IndexWriter
from citewire.index.vectors.manifest import Generation, hash_files
from citewire.index.vectors.rows import FOLDER, VECTORS_FILE, Rows, map_ids, map_rows, write_rows


def build(folder: Path, catalogue: Path, writer: IndexWriter) -> Generation:
    """Write a generation that shows the catalogue as it is now into an empty folder.

    It takes long and much memory, and holds the interpreter lock: work for a child process.
    """
    with open_vectors(catalogue) as stored:
        state = stored.state
        empty = Generation(folder.name, state.archive_id, state.version, 0, 0, {}, writer.kind)
        if not stored.count:
            return empty
        write_rows(folder / FOLDER, stored)
    pass_crash_point("build: rows written")
    rows = map_rows(folder / FOLDER)
    generation = replace(empty, last_passage=int(rows.ids[-1]), rows=len(rows))
    writer.write(Draft(folder, generation, rows))
    pass_crash_point("build: index written")
    sync_tree(folder)
    pass_crash_point("build: files synced")
    return replace(generation, files=hash_files(folder))


def open_rows(folder: Path, generation: Generation) -> Rows | None:
    """Map the generation's rows; return None unless their files are those that were built."""
    in_rows = f"{FOLDER}/"
    expected = {name: own for name, own in generation.files.items() if name.startswith(in_rows)}
    map_files = map_rows if f"{in_rows}{VECTORS_FILE}" in expected else map_ids
    # A file may not be readable, or its owner may remove it at this moment, after building a
    # newer generation.
    try:
        if not expected or hash_files(folder, FOLDER) != expected:
            return None
        rows = map_files(folder / FOLDER)
    except (OSError, ValueError):
        return None
    return rows if len(rows) == generation.rows else None
