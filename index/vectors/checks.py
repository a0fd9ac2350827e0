"""Find out whether a stored vector index is intact and shows its catalogue."""

import threading
from pathlib import Path

import numpy as np

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.vectors.backend import Backend, StoredIndex
from citewire.index.vectors.build import open_rows
from citewire.index.vectors.chroma import IndexBroken
from citewire.index.vectors.chroma_server import find_orphans
from citewire.index.vectors.manifest import MANIFEST, Generation, hash_files, read_manifest
from citewire.index.vectors.rows import Rows

# Rows whose vectors are compared with the catalogue's, evenly spaced.
COMPARED_ROWS = 200


def check_index(directory: Path, catalogue: Catalogue, backend: Backend) -> list[str]:
    """Return a sentence for each thing that is wrong with the index, none for a sound one.

    Compares its manifest, its files, its passages with the catalogue's, and a sample of its
    vectors, and searches it. A rebuild repairs all that is found.

    Raises:
        VectorServerAway: it is stored on a server that does not answer.
    """
    with catalogue.reading():
        generation = read_manifest(directory / MANIFEST)
        if generation is None:
            passages = catalogue.counts()[1]
            return ["there is no vector index, or its manifest is damaged"] if passages else []
        if not generation.shows(catalogue.state()):
            return ["the vector index shows another archive, or a later state of this one"]
        if not generation.rows:
            return []
        if generation.backend != backend.kind:
            kinds = f"a {generation.backend}, and a {backend.kind} is configured"
            return [f"the vector index was built for {kinds}"]
        folder = directory / generation.folder
        found = check_files(folder, generation)
        if found:
            return found
        rows = open_rows(folder, generation) or Rows.empty()
        found = check_rows(rows, generation, catalogue)
    try:
        backend.verify(StoredIndex(folder, generation, catalogue, threading.Event()))
    except IndexBroken as error:
        found.append(f"{folder}: Chroma does not find its passages: {error}")
    orphans = [] if backend.server is None else find_orphans(backend.server, generation)
    return found + [f"{name}: belongs to no index" for name in orphans]


def check_files(folder: Path, generation: Generation) -> list[str]:
    """Return a sentence for each file that is not as it was built."""
    try:
        present = hash_files(folder)
    except OSError as error:
        return [f"{folder}: {error}"]
    return [
        f"{folder / name}: is not the file that was built"
        for name in sorted(generation.files.keys() | present.keys())
        if generation.files.get(name) != present.get(name)
    ]


def check_rows(rows: Rows, generation: Generation, catalogue: Catalogue) -> list[str]:
    """Return a sentence when passages or vectors differ from the catalogue's."""
    existing = catalogue.passages_through(generation.last_passage)
    if not existing <= set(rows.ids.tolist()):
        return [f"{generation.folder}: lacks passages of the catalogue"]
    sample = [int(rows.ids[at]) for at in np.linspace(0, len(rows) - 1, COMPARED_ROWS).astype(int)]
    ids, vectors = catalogue.vectors(sorted(set(sample) & existing))
    if (
        ids
        and rows.have_vectors
        and not np.array_equal(rows.vectors[rows.find_positions(ids)], vectors)
    ):
        return [f"{generation.folder}: has other vectors than the catalogue"]
    return []
