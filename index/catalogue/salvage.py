"""Replace a damaged catalogue by a new one of its sound articles; no text is encoded again."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from citewire.index.catalogue.checker import CheckReport, open_damaged, read_encoded
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.catalogue.seal import Witness
from citewire.index.catalogue.wal import locate_log
from citewire.index.errors import ArchiveDamaged, StorageFull
from citewire.index.system.crash_points import pass_crash_point

ARTICLES_PER_PUT = 100


def replace_catalogue(file: Path, report: CheckReport) -> Path:
    """Put a catalogue of the sound articles in the place of the damaged one.

    Return the path under which the damaged one is kept. A kill leaves the damaged file in its
    place, or a copy of it and the whole new one in its place.

    Raises:
        StorageFull: there is no room; the file is as it was.
    """
    target = file.with_name("catalogue.repaired.sqlite3")
    number = 1
    while (aside := file.with_name(f"catalogue.damaged-{number}.sqlite3")).exists():
        number += 1
    log, log_aside = locate_log(file), locate_log(aside)
    try:
        salvage(file, report, target)
        # Copied, so that there is a catalogue at every moment.
        shutil.copyfile(file, aside)
        if log.exists():
            shutil.copyfile(log, log_aside)
    except (StorageFull, OSError) as error:
        # An unfinished copy is of no use, and would keep the disk full.
        remove_catalogue(target)
        aside.unlink(missing_ok=True)
        log_aside.unlink(missing_ok=True)
        raise StorageFull(f"{file}: cannot be repaired here, and is as it was: {error}") from error
    if log.exists():
        # SQLite would take it for the log of the new file.
        checkpoint_damaged(file)
    pass_crash_point("repair: set aside")
    old, new = Witness(file), Witness(target)
    # Before the file itself: a file that does not match them is checked and repaired again.
    new.seal_file.replace(old.seal_file)
    pass_crash_point("repair: seal in its place")
    new.acknowledged_file.replace(old.acknowledged_file)
    pass_crash_point("repair: witnesses in their place")
    target.replace(file)
    pass_crash_point("repair: catalogue in its place")
    return aside


def salvage(damaged: Path, report: CheckReport, target: Path) -> None:
    """Create a catalogue of the sound articles.

    It is another archive, since its passages have other ids.

    Raises:
        ArchiveDamaged: the damaged one does not name its encoder.
    """
    if report.encoder is None:
        raise ArchiveDamaged(f"{damaged}: does not say which encoder its vectors are of")
    # An earlier repair may have been killed.
    remove_catalogue(target)
    with closing(open_catalogue(target, "create", encoder=report.encoder)) as catalogue:
        for first in range(0, len(report.sound), ARTICLES_PER_PUT):
            catalogue.put(read_sound(damaged, report.sound[first : first + ARTICLES_PER_PUT]))
            pass_crash_point("repair: some articles stored")
    pass_crash_point("repair: all articles stored")


def read_sound(file: Path, numbers: list[int]) -> Iterator[EncodedArticle]:
    """Yield the articles of these numbers, which are sound."""
    with closing(open_damaged(file)) as connection:
        for number in numbers:
            yield read_encoded(connection, number)


def remove_catalogue(file: Path) -> None:
    """Remove a catalogue that no process has open, with SQLite's files and its witnesses."""
    for part in (file, locate_log(file), Path(f"{file}-shm")):
        part.unlink(missing_ok=True)
    Witness(file).remove()


def checkpoint_damaged(file: Path) -> None:
    """Checkpoint the log into the damaged file, unless that is too damaged, and remove the log."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        pass
    locate_log(file).unlink(missing_ok=True)
