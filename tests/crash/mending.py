"""Processes that are killed while they bring an older archive up to date, or mend a damaged one."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archive import Contents, in_process, opened, scanned, undisturbed

from citewire.index.catalogue.checker import check_catalogue
from citewire.index.catalogue.salvage import replace_catalogue
from citewire.index.data_directory import DataDirectory
from citewire.index.system.crash_points import VARIABLE
from citewire.index.vectors.backends import FolderHome
from citewire.rag.doctor import mend

# What a catalogue of the third schema has and one of the second had not.
TO_SECOND = """
DROP TABLE wordings;
ALTER TABLE articles DROP COLUMN checksum;
ALTER TABLE passages DROP COLUMN checksum;
ALTER TABLE vectors DROP COLUMN checksum;
UPDATE meta SET value = '2' WHERE key = 'schema';
UPDATE meta SET value = '1' WHERE key = 'words';
"""


def killed_at(point: str, work: Callable[[Callable[[str], None]], None]) -> tuple[str, list[str]]:
    """Do the work in a process that is killed at the point; return what it told, and the faults."""

    def dying(tell: Callable[[str], None]) -> None:
        os.environ[VARIABLE] = point
        work(tell)

    code, told = in_process(dying)
    return told, [] if code == -signal.SIGKILL else [f"was not reached: ended with {code}"]


def faults_of_migration(
    point: str,
    base: Path,
    before: tuple[int, Contents | None],
    after: tuple[int, Contents | None],
    data: Path,
) -> list[str]:
    """Kill what brings an older archive up to date; it must open and go on as if never killed.

    `before` and `after` are steps of the script, and what an archive holds that has done them.
    """
    shutil.copytree(base, data)
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection:
        connection.executescript(TO_SECOND)
    for name in ("catalogue.seal", "catalogue.acknowledged"):
        (data / name).unlink()
    _, faults = killed_at(point, lambda _tell: brought_up_to_date(data))
    if faults:
        return faults
    code, found = scanned(data)
    if found is None:
        return [f"cannot be opened: {code}"]
    if not same(found, before[1]):
        faults.append("holds something else than before")
    if not same(undisturbed(data, before[0], after[0]), after[1]):
        faults.append("does not go on as one never killed")
    return faults


def faults_of_repair(point: str, base: Path, data: Path) -> list[str]:
    """Kill what mends a damaged archive; another attempt must mend it as if never killed."""
    twin = data.with_name("mended twin")
    shutil.rmtree(twin, ignore_errors=True)
    for folder in (data, twin):
        shutil.copytree(base, folder)
        with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection, connection:
            connection.execute("UPDATE articles SET text = 'x' || text WHERE number = 3")
    _, faults = killed_at(point, lambda _tell: repaired(data))
    if faults:
        return faults
    in_process(lambda _tell: repaired_catalogue(twin))
    _, expected = scanned(twin)
    assert expected is not None
    # What a process finds that opens it now is that or a refusal; nothing of the damaged article.
    _, found = scanned(data)
    if found is not None and not same(found, expected):
        faults.append("shows something else than what is sound")
    in_process(lambda _tell: repaired_catalogue(data))
    code, found = scanned(data)
    if found is None:
        faults.append(f"cannot be mended again: {code}")
    elif not same(found, expected):
        faults.append("is mended otherwise than one never killed")
    return faults


def brought_up_to_date(data: Path) -> None:
    with opened(data, create=False):
        pass


def repaired(data: Path) -> None:
    with DataDirectory(data, command="crash test") as directory:
        mend(directory, check_catalogue(directory.catalogue), FolderHome())


def repaired_catalogue(data: Path) -> None:
    """Mend the catalogue alone, where that is needed: what it holds is found by scanning."""
    with DataDirectory(data, command="crash test") as directory:
        sound = check_catalogue(directory.catalogue)
        if sound.lost or sound.faults:
            replace_catalogue(directory.catalogue, sound)


def same(found: Contents | None, expected: Contents | None) -> bool:
    """Say whether both hold and find the same, whatever number their versions have."""
    return found is not None and found | {"version": 0} == (expected or {}) | {"version": 0}
