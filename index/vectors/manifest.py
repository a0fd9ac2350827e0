"""A generation of the vector index: which one is current, and whether its files are intact."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from citewire.index.system.files import sha256

FOLDER_PREFIX = "generation-"
IN_FOLDER, ON_SERVER = "folder", "server"


@dataclass(frozen=True, slots=True)
class Generation:
    """A manifest: which folder shows which passages of which catalogue.

    It shows every passage that had an id up to `last_passage` at the catalogue's version:
    `rows` of them. `files` are the sha256 of the rows' and the index's files, which never change
    again. `home` is where its Chroma index lies: IN_FOLDER, or ON_SERVER as a collection.
    """

    folder: str
    archive_id: str
    version: int
    last_passage: int
    rows: int
    files: dict[str, str]
    # Manifests that say nothing of it are older than the choice.
    home: str = IN_FOLDER

    @property
    def collection(self) -> str:
        """What its index is called on a server that others use as well."""
        return f"{collections_of(self.archive_id)}{self.folder.removeprefix(FOLDER_PREFIX)}"


def collections_of(archive_id: str) -> str:
    """Return what the names of an archive's collections on a server begin with."""
    return f"citewire-{archive_id}-"


EMPTY = Generation(folder="", archive_id="", version=0, last_passage=0, rows=0, files={})


def index_files(folder: Path, part: str = "*") -> dict[str, str]:
    """Return the sha256 of the files in the folder's parts, or in one of them.

    Chroma's database, which reading changes, lies beside these.
    """
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(folder.glob(f"{part}/*"))
        if file.is_file()
    }


def manifest_text(generation: Generation) -> bytes:
    """Return the manifest: two lines, the generation's fields and their sha256."""
    fields = json.dumps(asdict(generation))
    return f"{fields}\n{hashlib.sha256(fields.encode()).hexdigest()}\n".encode()


def read_manifest(file: Path) -> Generation | None:
    """Return the manifest, None when there is none that is whole."""
    try:
        fields, digest = file.read_text("utf-8").splitlines()
        if hashlib.sha256(fields.encode()).hexdigest() != digest:
            return None
        return Generation(**json.loads(fields))
    except (OSError, ValueError, TypeError):
        return None
