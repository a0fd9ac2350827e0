"""Detect changes of a catalogue's file by anything but us, with two small files next to it.

The seal holds a checksum of every page of the file after our last checkpoint: nothing writes to
that file between checkpoints, so a page that differs, and is not in the write-ahead log, was
changed by something else. The other file holds the version that was acknowledged last: a log that
was lost or cut short loses commits, and leaves no other trace of that.
"""

import hashlib
import json
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.state import CatalogueState
from citewire.index.catalogue.wal import locate_log, read_committed_pages
from citewire.index.errors import ArchiveDamaged
from citewire.index.system.files import InPlaceFile, write_atomically

# Bytes read at once.
READ_BYTES = 1 << 20
# Bytes of the file of the acknowledged state, padded.
STATE_BYTES = 128
# Attempts to read a file that its owner may be overwriting, and the seconds between them.
READS, SECONDS_BETWEEN_READS = 5, 0.001
# Offset of SQLite's lock-byte page (sqlite.org/fileformat2.html#the_lock_byte_page).
LOCK_BYTE = 1 << 30
Checksums = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Seal:
    """The CRC-32 of every page of a file that holds the whole state; no page before the first one.

    `page_bytes` is the size of a page.
    """

    state: CatalogueState
    page_bytes: int
    pages: Checksums


class Witness:
    """Writes the seal and the acknowledged state of one catalogue's file, and checks it by them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._log = locate_log(file)
        self.seal_file = file.with_suffix(".seal")
        self.acknowledged_file = file.with_suffix(".acknowledged")
        self._acknowledged = InPlaceFile(self.acknowledged_file)

    def close(self) -> None:
        """Close the files."""
        self._acknowledged.close()

    def begin(self, state: CatalogueState) -> None:
        """Record a state, with a seal of no page."""
        self._acknowledged.close()
        self._write(Seal(state, 0, np.zeros(0, np.uint32)))
        write_atomically(self.acknowledged_file, encode_state(state))

    def acknowledge(self, state: CatalogueState) -> None:
        """Record the state of a commit, before it is acknowledged."""
        self._acknowledged.write(encode_state(state))

    def seal(self, state: CatalogueState, page_bytes: int) -> None:
        """Seal the file, which a checkpoint has just brought to the state."""
        known = read_seal(self.seal_file)
        if known is None or not len(known.pages):
            self._write(Seal(state, page_bytes, checksum_pages(self._file, page_bytes)))
        elif known.state != state:
            changed = read_committed_pages(self._log)
            self._write(Seal(state, page_bytes, update_checksums(known, self._file, changed)))

    def has_sealed(self) -> bool:
        """Say whether there is a seal of pages, so that no version without seals made the file."""
        seal = read_seal(self.seal_file)
        return seal is not None and len(seal.pages) > 0

    def read_acknowledged(self) -> CatalogueState | None:
        """Return the state that was acknowledged last, None when it cannot be read."""
        return read_acknowledged(self.acknowledged_file)

    def require_unchanged(self, state: CatalogueState, noted: CatalogueState | None) -> bool:
        """Raise ArchiveDamaged when the file is not as we left it; say whether it is sealed.

        `state` was read from the file and its log, in a transaction that is still open, so that no
        checkpoint removes it from the log; `noted` was acknowledged before that.
        """
        seal, logged = self._seal_and_log()
        if seal is None:
            raise ArchiveDamaged(f"{self.seal_file}: is missing or damaged")
        if noted is None:
            raise ArchiveDamaged(f"{self.acknowledged_file}: is missing or damaged")
        if {seal.state.archive_id, noted.archive_id} != {state.archive_id}:
            raise ArchiveDamaged(f"{self._file}: is another archive than its seal's")
        if state.version < noted.version:
            raise ArchiveDamaged(
                f"{self._file}: holds version {state.version} and has acknowledged version"
                f" {noted.version}: the last changes are lost"
            )
        if not len(seal.pages):
            return False
        changed = self._changed_pages(seal)
        if seal.state != state:
            changed -= logged
        if changed:
            raise ArchiveDamaged(
                f"{self._file}: {len(changed)} of its pages were changed or damaged from outside"
            )
        return True

    def find_traces(self) -> list[str]:
        """Return the names of files left of a lost catalogue that had acknowledged a change."""
        left = []
        for file, read in (
            (self.seal_file, read_seal),
            (self.acknowledged_file, read_acknowledged),
        ):
            found = read(file)
            state = found.state if isinstance(found, Seal) else found
            if file.exists() and (state is None or state.version):
                left.append(file.name)
        if self._log.exists() and self._log.stat().st_size:
            left.append(self._log.name)
        return left

    def remove(self) -> None:
        """Remove the files."""
        self.seal_file.unlink(missing_ok=True)
        self.acknowledged_file.unlink(missing_ok=True)

    def _seal_and_log(self) -> tuple[Seal | None, set[int]]:
        """Return the seal, and the pages in the log, both of one moment.

        The log is overwritten only after a new seal.
        """
        seal = read_seal(self.seal_file)
        while True:
            logged = read_committed_pages(self._log)
            again = read_seal(self.seal_file)
            if seal is None or again is None or again.state == seal.state:
                return again, logged
            seal = again

    def _changed_pages(self, seal: Seal) -> set[int]:
        """Return the numbers, from 1 on, of the pages that are not as sealed."""
        found = checksum_pages(self._file, seal.page_bytes)
        differing = np.ones(max(len(found), len(seal.pages)), np.bool_)
        both = min(len(found), len(seal.pages))
        differing[:both] = found[:both] != seal.pages[:both]
        # SQLite's lock-byte page is never written, so its checksum is ignored.
        return set((np.flatnonzero(differing) + 1).tolist()) - {LOCK_BYTE // seal.page_bytes + 1}

    def _write(self, seal: Seal) -> None:
        write_atomically(self.seal_file, encode_seal(seal), crash_point="seal")


def checksum_pages(file: Path, page_bytes: int) -> Checksums:
    """Return the CRC-32 of every page, also of a last one that is cut short."""
    sums: list[int] = []
    buffer = memoryview(bytearray(READ_BYTES // page_bytes * page_bytes or page_bytes))
    with file.open("rb", buffering=0) as stream:
        filled = 0
        while read := stream.readinto(buffer[filled:]):
            filled += read
            if filled == len(buffer):
                sums += checksum_content(buffer, page_bytes)
                filled = 0
        sums += checksum_content(buffer[:filled], page_bytes)
    return np.array(sums, np.uint32)


def checksum_content(content: memoryview, page_bytes: int) -> Iterable[int]:
    """Return the checksums of the pages in the content."""
    return [
        zlib.crc32(content[first : first + page_bytes])
        for first in range(0, len(content), page_bytes)
    ]


def update_checksums(known: Seal, file: Path, changed: set[int]) -> Checksums:
    """Return the known checksums with those of the changed pages, some of them new, read again."""
    pages = np.zeros(max(len(known.pages), max(changed, default=0)), np.uint32)
    pages[: len(known.pages)] = known.pages
    with file.open("rb", buffering=0) as stream:
        for page in sorted(changed):
            stream.seek((page - 1) * known.page_bytes)
            pages[page - 1] = zlib.crc32(stream.read(known.page_bytes))
    return pages


def encode_seal(seal: Seal) -> bytes:
    """Return a seal as stored: the sha256 of the rest, the fields, the checksums."""
    fields = [seal.state.archive_id, seal.state.version, seal.page_bytes]
    rest = json.dumps(fields).encode() + b"\n" + seal.pages.astype("<u4").tobytes()
    return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def read_seal(file: Path) -> Seal | None:
    """Return the seal, None when it is missing or damaged."""
    try:
        digest, fields, pages = file.read_bytes().split(b"\n", 2)
        if hashlib.sha256(fields + b"\n" + pages).hexdigest().encode() != digest:
            return None
        archive_id, version, page_bytes = json.loads(fields)
        state = CatalogueState(str(archive_id), int(version))
        return Seal(state, int(page_bytes), np.frombuffer(pages, "<u4").astype(np.uint32))
    except (OSError, ValueError, TypeError):
        return None


def encode_state(state: CatalogueState) -> bytes:
    """Return a state as stored: its fields and their checksum, always of one length."""
    fields = f"{state.archive_id} {state.version}"
    return f"{fields} {zlib.crc32(fields.encode()):08x}\n".ljust(STATE_BYTES).encode()


def read_acknowledged(file: Path) -> CatalogueState | None:
    """Return the stored state, None when it is missing or damaged.

    Its owner may be overwriting it at this moment: when it looks damaged it is read again.
    """
    for _ in range(READS):
        try:
            content = file.read_bytes()
            archive_id, version, _checksum = content.decode("ascii").split()
            state = CatalogueState(archive_id, int(version))
            if content == encode_state(state):
                return state
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            pass
        time.sleep(SECONDS_BETWEEN_READS)
    return None
