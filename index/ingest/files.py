"""Find article files, and open them without waiting on pipes or devices."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from citewire.index.errors import BadArticle, InvalidInput

TEXT_SUFFIXES = (".md", ".txt", ".html", ".htm")
SUFFIXES = (*TEXT_SUFFIXES, ".jsonl")
# Bytes of one file that holds one article.
MAX_FILE_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to load, and the name of its article if that has no id."""

    path: Path
    name: str


def require_paths(paths: Iterable[Path]) -> None:
    """Raise InvalidInput when one of the paths does not exist."""
    for path in paths:
        if not path.exists():
            raise InvalidInput(f"{path}: no such file or folder")


def find_files(path: Path) -> list[FoundFile]:
    """Return the file at `path`, or all files in the folder there and its subfolders, in order.

    A file's name is its path relative to the parent of `path`: the same on every machine.
    Hidden files and folders are skipped, as are symbolic links inside a folder. A folder that
    cannot be listed is returned like a file: loading it reports the error.

    Raises:
        InvalidInput: nothing exists at `path`, or a file of a kind that is not read.
    """
    path = path.resolve()
    if path.is_dir():
        found: list[Path] = []

        def keep(error: OSError) -> None:
            found.append(Path(error.filename))

        for folder, folders, files in os.walk(path, onerror=keep):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [
                Path(folder, name)
                for name in sorted(files)
                if name.lower().endswith(SUFFIXES) and not name.startswith(".")
            ]
        return [
            FoundFile(file, file.relative_to(path.parent).as_posix())
            for file in found
            if not is_link(file)
        ]
    if not path.exists():
        raise InvalidInput(f"{path}: no such file or folder")
    if not path.name.lower().endswith(SUFFIXES):
        raise InvalidInput(f"{path}: not a kind of file that is read ({', '.join(SUFFIXES)})")
    return [FoundFile(path, path.name)]


def is_link(file: Path) -> bool:
    """Say whether it is a symbolic link; errors are left to loading."""
    try:
        return file.is_symlink()
    except OSError:
        return False


def read_bytes(file: FoundFile) -> bytes:
    """Return the content of a regular file; raise BadArticle when it is empty or too large."""
    with open_regular(file) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise BadArticle(file.name, f"is larger than {MAX_FILE_BYTES} bytes")
    if not content.strip():
        raise BadArticle(file.name, "is empty")
    return content


def open_regular(file: FoundFile) -> BinaryIO:
    """Open for reading; raise BadArticle for pipes and devices, which could block for ever."""
    descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise BadArticle(file.name, "is not a regular file")
    return stream


def measure_file(file: Path) -> int:
    """Return the file's size in bytes, 0 when it cannot be read."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
