"""The log as we read it against the log as SQLite does."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citewire.index.catalogue.wal import read_committed_pages


@pytest.fixture(scope="module", params=[512, 4096, 65536])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """An open database whose log holds three transactions and the beginning of a fourth."""
    path = tmp_path_factory.mktemp("wal") / "pages.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {request.param}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("CREATE TABLE rows (content BLOB)")
        for number in range(3):
            connection.execute("INSERT INTO rows VALUES (?)", (bytes([number]) * 9000,))
        connection.execute("BEGIN")
        # More than the cache holds, so that pages of it are in the log already.
        connection.execute("INSERT INTO rows VALUES (randomblob(500000))")
        yield path


def frames_of(path: Path) -> tuple[int, int]:
    """Return the page size, and how many frames SQLite finds in a copy of the log."""
    with closing(sqlite3.connect(path)) as connection:
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return page_bytes, frames


def pages_of(log: bytes, page_bytes: int, frames: int) -> set[int]:
    """Return the page numbers in the heads of the first frames."""
    starts = range(32, 32 + frames * (24 + page_bytes), 24 + page_bytes)
    return {int.from_bytes(log[start : start + 4], "big") for start in starts}


def copied(path: Path, log: bytes, folder: Path) -> Path:
    copy = folder / path.name
    for file in folder.iterdir():
        file.unlink()
    shutil.copyfile(path, copy)
    Path(f"{copy}-wal").write_bytes(log)
    return copy


def test_the_pages_of_whole_transactions_are_found(written: Path, tmp_path: Path) -> None:
    log = Path(f"{written}-wal").read_bytes()
    copy = copied(written, log, tmp_path)
    found = read_committed_pages(Path(f"{copy}-wal"))
    page_bytes, frames = frames_of(copy)

    assert 0 < frames < (len(log) - 32) // (24 + page_bytes)
    assert found == pages_of(log, page_bytes, frames)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_log_counts_up_to_where_sqlite_stops(
    written: Path, tmp_path: Path, place: float, bit: int, cut: bool
) -> None:
    log = bytearray(Path(f"{written}-wal").read_bytes())
    position = int(place * len(log))
    if cut:
        del log[position:]
    else:
        log[position] ^= 1 << bit
    copy = copied(written, bytes(log), tmp_path)
    found = read_committed_pages(Path(f"{copy}-wal"))
    page_bytes, frames = frames_of(copy)

    assert found == pages_of(bytes(log), page_bytes, max(frames, 0))


def test_no_log_has_no_pages(tmp_path: Path) -> None:
    assert read_committed_pages(tmp_path / "nothing-wal") == set()
