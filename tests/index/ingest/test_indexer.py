"""The article's path, over the real catalogue and the real Chroma."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.embedding import Encoder, Vectors
from citewire.index.errors import InvalidInput
from citewire.index.ingest.indexer import Indexer, Progress, Report
from citewire.index.types import Filters
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex

# More than is encoded and stored together.
LONG = "The harbour opened again on Thursday. " * 6000


class Archive:
    """A catalogue and its vectors, and indexing runs over them."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self.encoder = encoder
        self.catalogue = open_catalogue(folder / "catalogue.sqlite3", "create", encoder="hash")
        self.vectors = VectorIndex(folder / "vectors", self.catalogue, FolderBackend())
        self.progress: list[Progress] = []

    def index(self, *paths: Path, prune: bool = False, encoder: Encoder | None = None) -> Report:
        archive = EmbeddedArchive(self.catalogue, self.vectors)
        indexer = Indexer.into(archive, encoder or self.encoder, self.progress.append)
        return indexer.index(paths, prune=prune)

    def ids(self) -> list[str]:
        return sorted(self.catalogue.known_after("", 10_000))


class DyingEncoder:
    """An encoder that a person interrupts at its second batch."""

    identity = "hash"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._batches = 0

    def encode_question(self, text: str) -> Vectors:
        return self._encoder.encode_question(text)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self._batches += 1
        if self._batches == 2:
            raise KeyboardInterrupt
        return self._encoder.encode_passages(texts)


@pytest.fixture
def archive(tmp_path: Path, encoder: Encoder) -> Iterator[Archive]:
    opened = Archive(tmp_path / "data", encoder)
    yield opened
    opened.catalogue.close()


@pytest.fixture
def news(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "a.md").write_text("---\ntitle: Harbour\n---\nThe harbour opened.")
    (folder / "b.txt").write_text("Eleven ships waited.")
    lines = [{"id": "c-1", "text": "A storm came."}, {"id": "c-2", "text": "It rained."}]
    (folder / "c.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def outcome(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.replaced, report.unchanged, report.removed


# What a run does


def test_first_run_adds_every_article(archive: Archive, news: Path) -> None:
    report = archive.index(news)

    assert outcome(report) == (4, 0, 0, 0)
    assert report.passages == 4
    assert report.bad == []
    assert archive.ids() == ["c-1", "c-2", "news/a.md", "news/b.txt"]


def test_second_run_leaves_everything_unchanged(archive: Archive, news: Path) -> None:
    archive.index(news)
    state = archive.catalogue.state()
    report = archive.index(news)

    assert outcome(report) == (0, 0, 4, 0)
    assert report.passages == 0
    assert archive.catalogue.state() == state


def test_changed_text_replaces_the_article(archive: Archive, news: Path) -> None:
    archive.index(news)
    (news / "b.txt").write_text("Twelve ships waited.")
    report = archive.index(news)

    assert outcome(report) == (0, 1, 3, 0)
    assert archive.catalogue.article("news/b.txt").text == "Twelve ships waited."
    assert archive.catalogue.counts() == (4, 4)


@pytest.mark.parametrize(
    "field", ["title: Port", "source: Tideline", "url: u", "published: 2023-11-09", "author: Ada"]
)
def test_changed_field_alone_replaces_the_article(archive: Archive, news: Path, field: str) -> None:
    archive.index(news)
    (news / "a.md").write_text(f"---\n{field}\n---\nThe harbour opened.")

    assert outcome(archive.index(news)) == (0, 1, 3, 0)


def test_file_that_looks_different_but_reads_the_same_is_unchanged(
    archive: Archive, news: Path
) -> None:
    archive.index(news)
    (news / "a.md").write_bytes(
        b"---\r\ntitle: 'Harbour'\r\n---\r\n\r\nThe **harbour** opened.\r\n"
    )

    assert outcome(archive.index(news)) == (0, 0, 4, 0)


def test_indexed_article_is_found_at_once(archive: Archive, news: Path) -> None:
    archive.index(news)
    vector = archive.encoder.encode_question("Harbour. The harbour opened.")
    ((passage, similarity),) = archive.vectors.search(vector, 1, Filters()).items()

    assert archive.catalogue.passages([passage])[passage].article.id == "news/a.md"
    assert similarity == pytest.approx(1.0, abs=1e-5)


def test_replaced_article_is_found_by_its_new_text_alone(archive: Archive, news: Path) -> None:
    archive.index(news)
    (news / "a.md").write_text("---\ntitle: Harbour\n---\nThe harbour closed.")
    archive.index(news)
    old = archive.encoder.encode_question("Harbour. The harbour opened.")
    new = archive.encoder.encode_question("Harbour. The harbour closed.")

    assert max(archive.vectors.search(old, 5, Filters()).values()) < 0.9
    assert max(archive.vectors.search(new, 5, Filters()).values()) > 0.9


def test_long_article_is_split_into_passages_that_overlap_nothing_else(
    archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "long.txt").write_text("A sentence of the long article stands here. " * 100)
    report = archive.index(tmp_path / "long.txt")

    assert report.passages == archive.catalogue.counts()[1]
    assert report.passages > 5


def test_file_named_twice_is_read_once(archive: Archive, news: Path) -> None:
    report = archive.index(news, news / "a.md", news)

    assert outcome(report) == (4, 0, 0, 0)
    assert report.bad == []


def test_nothing_to_index_is_no_error(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert outcome(archive.index(tmp_path / "empty")) == (0, 0, 0, 0)


# What is wrong


def test_bad_articles_are_reported_and_the_others_indexed(archive: Archive, news: Path) -> None:
    (news / "b.txt").write_bytes(b"\xff\xfe")
    with (news / "c.jsonl").open("a") as lines:
        lines.write("\nnot JSON\n")
    report = archive.index(news)

    assert outcome(report) == (3, 0, 0, 0)
    assert [bad.name for bad in report.bad] == ["news/b.txt", "news/c.jsonl:3"]


def test_missing_path_stops_the_run_before_it_begins(archive: Archive, news: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone: no such file or folder"):
        archive.index(news, news.parent / "gone")

    assert archive.ids() == []


def test_second_article_of_the_same_id_is_named_with_the_first(
    archive: Archive, news: Path
) -> None:
    (news / "d.md").write_text("---\nid: c-2\n---\nAnother article.")
    report = archive.index(news)

    assert [str(bad) for bad in report.bad] == [
        "news/d.md: has the id 'c-2', which an article of news/c.jsonl:2 has as well"
    ]
    assert archive.catalogue.article("c-2").text == "It rained."


def test_archive_keeps_the_article_of_a_file_that_broke(archive: Archive, news: Path) -> None:
    archive.index(news)
    (news / "b.txt").write_bytes(b"\xff\xfe")
    report = archive.index(news)

    assert outcome(report) == (0, 0, 3, 0)
    assert archive.catalogue.article("news/b.txt").text == "Eleven ships waited."


# Pruning


def test_without_prune_nothing_is_removed(archive: Archive, news: Path) -> None:
    archive.index(news)
    (news / "b.txt").unlink()
    archive.index(news)

    assert "news/b.txt" in archive.ids()


def test_prune_removes_what_is_gone(archive: Archive, news: Path) -> None:
    archive.index(news)
    (news / "b.txt").unlink()
    (news / "c.jsonl").write_text('{"id": "c-2", "text": "It rained."}')
    report = archive.index(news, prune=True)

    assert outcome(report) == (0, 0, 2, 2)
    assert archive.ids() == ["c-2", "news/a.md"]


def test_pruned_article_is_not_found_any_more(archive: Archive, news: Path) -> None:
    archive.index(news)
    (news / "a.md").unlink()
    archive.index(news, prune=True)
    vector = archive.encoder.encode_question("Harbour. The harbour opened.")

    assert max(archive.vectors.search(vector, 5, Filters()).values()) < 0.9


def test_prune_keeps_articles_of_a_file_with_anything_wrong_in_it(
    archive: Archive, news: Path
) -> None:
    archive.index(news)
    (news / "b.txt").write_bytes(b"\xff\xfe")
    (news / "c.jsonl").write_text('{"id": "c-1", "text": "A storm came."}\nnot JSON')
    report = archive.index(news, prune=True)

    assert outcome(report) == (0, 0, 2, 0)
    assert archive.ids() == ["c-1", "c-2", "news/a.md", "news/b.txt"]


def test_prune_keeps_articles_from_elsewhere(archive: Archive, news: Path) -> None:
    other = news.parent / "news-of-others"
    other.mkdir()
    (other / "d.md").write_text("Another article.")
    archive.index(news, other)
    (other / "d.md").unlink()
    (news / "a.md").unlink()
    report = archive.index(news, prune=True)

    assert report.removed == 1
    assert archive.ids() == ["c-1", "c-2", "news-of-others/d.md", "news/b.txt"]


def test_prune_keeps_articles_of_a_folder_that_cannot_be_listed(
    archive: Archive,
    public_folder: Path,
    ordinary_user: Callable[[], AbstractContextManager[None]],
) -> None:
    folder = public_folder / "private"
    folder.mkdir()
    (folder / "a.md").write_text("The harbour opened.")
    archive.index(public_folder)
    folder.chmod(0)
    with ordinary_user():
        report = archive.index(public_folder, prune=True)

    name = f"{public_folder.name}/private"
    assert [str(bad) for bad in report.bad] == [f"{name}: cannot be read: Permission denied"]
    assert archive.ids() == [f"{name}/a.md"]


# Interruption and progress


def test_interrupted_run_keeps_what_it_stored_and_the_next_one_completes_it(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text(LONG)
    with pytest.raises(KeyboardInterrupt):
        archive.index(folder, encoder=DyingEncoder(archive.encoder))
    kept = archive.ids()
    report = archive.index(folder)

    assert kept == ["long/a.txt"]
    assert outcome(report) == (2, 0, 1, 0)
    assert archive.ids() == ["long/a.txt", "long/b.txt", "long/c.txt"]


def test_progress_grows_and_reaches_the_end(archive: Archive, news: Path) -> None:
    for name in ("l1.txt", "l2.txt"):
        (news / name).write_text(LONG)
    (news / "z.txt").write_bytes(b"\xff\xfe")
    report = archive.index(news)
    read = [progress.bytes_read for progress in archive.progress]
    total = sum(file.stat().st_size for file in news.iterdir())

    assert read == sorted(read)
    assert len(set(read)) >= 3
    assert archive.progress[-1] == Progress(total, total, report.passages)


def test_progress_reaches_the_end_when_nothing_has_changed(archive: Archive, news: Path) -> None:
    archive.index(news)
    archive.progress.clear()
    archive.index(news)
    total = sum(file.stat().st_size for file in news.iterdir())

    assert archive.progress[-1] == Progress(total, total, 0)


def test_a_file_named_after_its_folder_was_stays_one_article(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "a.md").write_text("The harbour opened again.")
    archive.index(folder)

    report = archive.index(folder / "a.md")

    assert (report.unchanged, archive.ids()) == (1, ["news/a.md"])


def test_an_article_that_moved_is_pruned_from_its_new_place(
    archive: Archive, tmp_path: Path
) -> None:
    old, new = tmp_path / "old" / "news", tmp_path / "new" / "news"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "a.md").write_text("The harbour opened again.")
    archive.index(old)
    archive.index(new)
    (new / "a.md").unlink()

    report = archive.index(new, prune=True)

    assert (report.removed, archive.ids()) == (1, [])


def test_a_line_without_an_id_stays_one_article_when_its_file_is_named(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "wire.jsonl").write_text('{"text": "The harbour opened again."}\n')
    archive.index(folder)

    report = archive.index(folder / "wire.jsonl")

    assert (report.unchanged, archive.ids()) == (1, ["news/wire.jsonl:1"])
