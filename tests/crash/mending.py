"""Kills of processes that migrate an older archive or repair a damaged one."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archive import Contents, inspect_by_scan, open_archive, run_in_process, run_undisturbed

from citewire.index.catalogue.checker import check_catalogue
from citewire.index.catalogue.salvage import replace_catalogue
from citewire.index.data_directory import DataDirectory
from citewire.index.system.crash_points import VARIABLE
from citewire.index.vectors.backends import FolderBackend
from citewire.rag.doctor.repair import rebuild

# Takes a catalogue back from the third schema to the second.
TO_SECOND = """
DROP TABLE wordings;
ALTER TABLE articles DROP COLUMN checksum;
ALTER TABLE passages DROP COLUMN checksum;
ALTER TABLE vectors DROP COLUMN checksum;
UPDATE meta SET value = '2' WHERE key = 'schema';
UPDATE meta SET value = '1' WHERE key = 'words';
"""


def run_until_killed(
    point: str, work: Callable[[Callable[[str], None]], None]
) -> tuple[str, list[str]]:
    """Run the work in a process that dies at the crash point; return its reports and the faults."""

    def dying(report: Callable[[str], None]) -> None:
        os.environ[VARIABLE] = point
        work(report)

    code, reports = run_in_process(dying)
    return reports, [] if code == -signal.SIGKILL else [f"was not reached: ended with {code}"]


def check_migration(
    point: str,
    base: Path,
    before: tuple[int, Contents | None],
    after: tuple[int, Contents | None],
    data: Path,
) -> list[str]:
    """Kill the migration of an older archive; it must open and go on as if never killed.

    `before` and `after` are steps of the script with the contents after them.
    """
    shutil.copytree(base, data)
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection:
        connection.executescript(TO_SECOND)
    for name in ("catalogue.seal", "catalogue.acknowledged"):
        (data / name).unlink()
    _, faults = run_until_killed(point, lambda _report: migrate(data))
    if faults:
        return faults
    code, found = inspect_by_scan(data)
    if found is None:
        return [f"cannot be opened: {code}"]
    if not is_same(found, before[1]):
        faults.append("holds something else than before")
    if not is_same(run_undisturbed(data, before[0], after[0]), after[1]):
        faults.append("does not go on as one never killed")
    return faults


def check_repair(point: str, base: Path, data: Path) -> list[str]:
    """Kill the repair of a damaged archive; another attempt must repair it as if never killed."""
    twin = data.with_name("mended twin")
    shutil.rmtree(twin, ignore_errors=True)
    for folder in (data, twin):
        shutil.copytree(base, folder)
        with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection, connection:
            connection.execute("UPDATE articles SET text = 'x' || text WHERE number = 3")
    _, faults = run_until_killed(point, lambda _report: repair(data))
    if faults:
        return faults
    run_in_process(lambda _report: repair_catalogue(twin))
    _, expected = inspect_by_scan(twin)
    assert expected is not None
    # Opening it now finds that or is refused; it finds nothing of the damaged article.
    _, found = inspect_by_scan(data)
    if found is not None and not is_same(found, expected):
        faults.append("shows something else than what is sound")
    run_in_process(lambda _report: repair_catalogue(data))
    code, found = inspect_by_scan(data)
    if found is None:
        faults.append(f"cannot be mended again: {code}")
    elif not is_same(found, expected):
        faults.append("is mended otherwise than one never killed")
    return faults


def migrate(data: Path) -> None:
    with open_archive(data, create=False):
        pass


def repair(data: Path) -> None:
    with DataDirectory(data, command="crash test") as directory:
        rebuild(directory, check_catalogue(directory.catalogue), FolderBackend())


def repair_catalogue(data: Path) -> None:
    """Repair only the catalogue, if needed: a scan finds its contents without an index."""
    with DataDirectory(data, command="crash test") as directory:
        sound = check_catalogue(directory.catalogue)
        if sound.lost or sound.faults:
            replace_catalogue(directory.catalogue, sound)


def is_same(found: Contents | None, expected: Contents | None) -> bool:
    """Return whether contents are equal but for the version."""
    return found is not None and found | {"version": 0} == (expected or {}) | {"version": 0}
