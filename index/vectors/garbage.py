"""Remove what generations that are not current any more have left: folders and collections."""

import shutil
from pathlib import Path

from citewire.index.errors import VectorServerAway
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.vectors.chroma_server import ChromaServer, find_orphans
from citewire.index.vectors.manifest import FOLDER_PREFIX, Generation


def remove_other_folders(directory: Path, current: Generation) -> None:
    """Remove the folders of all generations but the current one, with the indexes in them."""
    for folder in directory.glob(f"{FOLDER_PREFIX}*"):
        if folder.name != current.folder:
            shutil.rmtree(folder, ignore_errors=True)


def delete_other_collections(server: ChromaServer, current: Generation) -> None:
    """Delete the archive's other collections; those of a server that is away stay a while."""
    try:
        for name in find_orphans(server, current):
            server.delete_collection(name)
            pass_crash_point("server: old collections dropped")
    except VectorServerAway:
        return
