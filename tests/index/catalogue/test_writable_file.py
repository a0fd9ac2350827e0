import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vectors
from citewire.index.errors import (
    ArchiveDamaged,
    NotUsable,
    WrongEncoder,
)
from citewire.index.types import Article, Span

ENCODER = "encoder:made-up"
ROOT = Path(__file__).parents[3]
BRIDGE = Article("bridge.md", "The bridge", "The bridge opened in 1894. It is old.")
RIVER = Article("river.md", "The river", "The river rose in the night.")

Encode = Callable[..., EncodedArticle]
Reopen = Callable[..., Catalogue]


# -- all or nothing


def test_an_error_during_a_put_leaves_everything_as_it_was(
    catalogue: Catalogue, encoded: Encode, check_lexical_index: Callable[[], None]
) -> None:
    catalogue.put([encoded(BRIDGE)])
    before = catalogue.state()

    def interrupted() -> Iterator[EncodedArticle]:
        yield encoded(replace(BRIDGE, text="The bridge fell."))
        yield encoded(RIVER)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalogue.put(interrupted())
    assert catalogue.state() == before
    assert catalogue.article("bridge.md") == BRIDGE
    assert catalogue.counts() == (1, 1)
    check_lexical_index()


def test_a_put_after_a_failed_one_succeeds(
    catalogue: Catalogue, encoded: Encode, unit: Callable[..., Vectors]
) -> None:
    with pytest.raises(ValueError, match="zip"):
        catalogue.put([EncodedArticle(BRIDGE, "/news", (Span(0, 3),), unit((1, 0), (0, 1)))])
    catalogue.put([encoded(RIVER)])
    assert catalogue.counts() == (1, 1)


def test_a_full_disk_is_not_taken_for_damage(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    with catalogue._file.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotUsable, match="full") as caught:
        catalogue.put([encoded(replace(RIVER, text="word " * 100_000))])
    assert not isinstance(caught.value, ArchiveDamaged)


def test_after_a_full_disk_the_rest_is_there_and_writing_goes_on(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with catalogue._file.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotUsable):
        catalogue.put([encoded(replace(RIVER, text="word " * 100_000))])
    with catalogue._file.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    catalogue.put([encoded(RIVER)])
    assert catalogue.known_after("", 10_000).keys() == {"bridge.md", "river.md"}


# -- the log


@pytest.fixture
def killed(
    two: Catalogue,
    path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    copy_open: Callable[[Path, Path], Path],
) -> Path:
    """A catalogue after a kill, whose last changes are only in the log."""
    return copy_open(path, tmp_path_factory.mktemp("killed"))


def test_changes_that_only_the_log_holds_are_read(killed: Path, reopen: Reopen) -> None:
    with closing(reopen(killed)) as again:
        assert again.known_after("", 10_000).keys() == {"bridge.md", "river.md"}
    assert not Path(f"{killed}-wal").exists()
    reopen(killed).close()


def test_a_lost_log_is_noticed(killed: Path, reopen: Reopen) -> None:
    Path(f"{killed}-wal").unlink()
    with pytest.raises(
        ArchiveDamaged, match=r"version 0.*acknowledged version 1.*changes are lost"
    ):
        reopen(killed)


def test_any_damage_to_the_log_is_refused_or_harmless(
    killed: Path, tmp_path: Path, reopen: Reopen, copy_open: Callable[[Path, Path], Path]
) -> None:
    log = Path(f"{killed}-wal")
    content = log.read_bytes()
    rng = np.random.default_rng(6)
    refused = 0
    for position in [0, 24, 31, *rng.integers(32, len(content), 40).tolist()]:
        for damaged in (flipped_at(content, position), content[:position]):
            folder = tmp_path / str(refused)
            folder.mkdir(exist_ok=True)
            copy = copy_open(killed, folder)
            Path(f"{copy}-wal").write_bytes(damaged)
            try:
                with closing(reopen(copy)) as again:
                    # After the last transaction there are remains of older ones.
                    assert again.known_after("", 10_000).keys() == {"bridge.md", "river.md"}
            except ArchiveDamaged:
                refused += 1
    assert refused > 40


def flipped_at(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :]


def test_opening_with_another_encoder_leaves_the_log_as_it_is(killed: Path, reopen: Reopen) -> None:
    with pytest.raises(WrongEncoder):
        open_catalogue(killed, "own", encoder="encoder:other")
    with closing(reopen(killed)) as again:
        assert again.counts() == (2, 2)


def test_damage_to_pages_that_the_log_does_not_hold_is_noticed(
    two: Catalogue,
    path: Path,
    encoded: Encode,
    tmp_path_factory: pytest.TempPathFactory,
    reopen: Reopen,
    copy_open: Callable[[Path, Path], Path],
) -> None:
    two.put([encoded(replace(BRIDGE, id="long", text="The bridge fell. " * 3000))])
    two.close()
    with closing(reopen()) as again:
        again.put([encoded(replace(RIVER, id="late"))])
        copy = copy_open(path, tmp_path_factory.mktemp("killed"))
    content = copy.read_bytes()
    # The text's end has pages of its own, which nothing has changed since.
    at = content.rindex(b"The bridge fell. " * 30)
    copy.write_bytes(flipped_at(content, at + 200))
    with pytest.raises(ArchiveDamaged, match="1 of its pages"):
        reopen(copy)


def test_a_reader_of_an_older_state_keeps_the_log_until_the_next_opening(
    two: Catalogue, path: Path, encoded: Encode, reopen: Reopen
) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM articles").fetchone()
        two.put([encoded(replace(RIVER, id="late"))])
        two.close()
    with closing(reopen()) as again:
        assert again.counts() == (3, 3)


def test_many_changes_go_from_the_log_into_the_sealed_file(
    catalogue: Catalogue,
    path: Path,
    encoded: Encode,
    tmp_path_factory: pytest.TempPathFactory,
    reopen: Reopen,
    copy_open: Callable[[Path, Path], Path],
) -> None:
    for number in range(12):
        catalogue.put([encoded(replace(BRIDGE, id=f"{number}"), np.ones((300, 2), np.float32))])
    copy = copy_open(path, tmp_path_factory.mktemp("killed"))
    # The log was overwritten: neither it nor the file holds all articles.
    assert copy.stat().st_size > 100_000
    with closing(reopen(copy)) as again:
        assert again.counts() == (12, 3600)


# -- killed


WRITER = """
import sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.types import Article, Span

text = "The river rose in the night. " * 20
spans = tuple(Span(start, start + 29) for start in range(0, 580, 29))
vectors = np.ones((20, 64), np.float32)
catalogue = open_catalogue(Path(sys.argv[1]), "create", encoder="encoder:made-up")

def encoded(name):
    return EncodedArticle(Article(name, "The river", text), "/news", spans, vectors)

def hanging():
    yield encoded("unfinished")
    print("during", flush=True)
    time.sleep(600)

if sys.argv[2] == "hang":
    catalogue.put([encoded("kept")])
    catalogue.put(hanging())
for number in range(100_000):
    catalogue.put([encoded(f"{number}")])
    print(number, flush=True)
"""


def start_writer(path: Path, mode: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, mode],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_kill_during_a_put_leaves_earlier_ones(
    path: Path, reopen: Reopen, check_lexical_index: Callable[[], None]
) -> None:
    with start_writer(path, "hang") as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "during\n"
        writer.send_signal(signal.SIGKILL)
    with closing(reopen()) as catalogue:
        assert catalogue.known_after("", 10_000).keys() == {"kept"}
        assert catalogue.counts() == (1, 20)
    check_lexical_index()


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.13])
def test_a_kill_at_any_moment_loses_nothing_acknowledged(
    path: Path, seconds: float, reopen: Reopen, check_lexical_index: Callable[[], None]
) -> None:
    with start_writer(path, "run") as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        acknowledged = {line.strip() for line in [first, *writer.stdout] if line.endswith("\n")}
    with closing(reopen()) as catalogue:
        stored = catalogue.known_after("", 10_000).keys()
        assert acknowledged <= stored
        # At most the one that was committed and not yet reported.
        assert len(stored - acknowledged) <= 1
        assert catalogue.counts() == (len(stored), 20 * len(stored))
        assert len(catalogue.vectors_after(0)[0]) == 20 * len(stored)
    check_lexical_index()
