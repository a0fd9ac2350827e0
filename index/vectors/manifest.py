"""A generation of the vector index: its manifest, and the digests of its files."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from citewire.index.catalogue.state import CatalogueState
from citewire.index.system.files import sha256

MANIFEST = "current.json"
FOLDER_PREFIX = "generation-"
# The kinds of backends.
IN_FOLDER, ON_SERVER = "folder", "server"
# The manifest's name for the field `backend`.
BACKEND_FIELD = "home"


@dataclass(frozen=True, slots=True)
class Generation:
    """The fields of a manifest: which folder shows which passages of which catalogue.

    It shows every passage with an id up to `last_passage` at the catalogue's version: `rows` of
    them. `files` are the SHA-256 of the rows' and the index's files, which never change again.
    `backend` is the kind of the backend with its Chroma index: IN_FOLDER or ON_SERVER.
    """

    folder: str
    archive_id: str
    version: int
    last_passage: int
    rows: int
    files: dict[str, str]
    # Manifests without this field are older than the choice.
    backend: str = IN_FOLDER

    @property
    def collection(self) -> str:
        """The name of its collection on a server that others use as well."""
        return f"{build_prefix(self.archive_id)}{self.folder.removeprefix(FOLDER_PREFIX)}"

    def shows(self, state: CatalogueState) -> bool:
        """Say whether it shows this archive, and not one that was since set back."""
        return self.archive_id == state.archive_id and self.version <= state.version


EMPTY = Generation(folder="", archive_id="", version=0, last_passage=0, rows=0, files={})


def build_prefix(archive_id: str) -> str:
    """Return the prefix of the names of an archive's collections on a server."""
    return f"citewire-{archive_id}-"


def hash_files(folder: Path, part: str = "*") -> dict[str, str]:
    """Return the SHA-256 of the files in the folder's subfolders, or in the one named `part`.

    Chroma's database, which reading changes, is not in a subfolder.
    """
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(folder.glob(f"{part}/*"))
        if file.is_file()
    }


def encode_manifest(generation: Generation) -> bytes:
    """Return the manifest: two lines, the generation's fields as JSON and their SHA-256."""
    stored = asdict(generation)
    stored[BACKEND_FIELD] = stored.pop("backend")
    fields = json.dumps(stored)
    return f"{fields}\n{hashlib.sha256(fields.encode()).hexdigest()}\n".encode()


def read_manifest(file: Path) -> Generation | None:
    """Read a manifest; return None when there is none that is whole."""
    try:
        fields, digest = file.read_text("utf-8").splitlines()
        if hashlib.sha256(fields.encode()).hexdigest() != digest:
            return None
        stored = dict(json.loads(fields))
        return Generation(backend=stored.pop(BACKEND_FIELD, IN_FOLDER), **stored)
    except (OSError, ValueError, TypeError):
        return None
