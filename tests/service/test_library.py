"""Citewire imported by another program: what it gives, and what it does."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import citewire

SEEDS = Path(__file__).parents[2] / "seeds"
PUBLIC = {
    "AnswerOut", "Archive", "ArchiveDamaged", "ArchiveLocked", "ArticleOut", "AskResponse",
    "BadArticle", "BrokenCitation", "CitationOut", "CitewireError", "ClosestOut", "Filters",
    "FoundOut", "InvalidInput", "ModelRejected", "NoArchive", "NotUsable", "Progress",
    "ReadOnlyArchive", "Report", "SearchResponse", "UnknownArticle", "VerifyResponse",
    "__version__", "open_archive",
}  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[citewire.Archive]:
    """An archive of the seed articles."""
    data = tmp_path_factory.mktemp("data")
    with citewire.open_archive(data, create=True) as opened:
        report = opened.index(SEEDS)
        assert (report.added, report.bad) == (len(list(SEEDS.glob("*.md"))), [])
        yield opened


def test_public_names_are_these_and_each_is_there() -> None:
    assert set(citewire.__all__) == PUBLIC
    assert all(inspect.getdoc(getattr(citewire, name)) for name in PUBLIC)


def test_public_names_are_listed_before_they_are_used() -> None:
    program = "import citewire; print(sorted(set(citewire.__all__) - set(dir(citewire))))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="'citewire' has no attribute 'nonsense'"):
        citewire.nonsense  # noqa: B018


def test_importing_it_loads_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import citewire;"
        "print(sorted(name for name in set(sys.modules) - before"
        " if name.split('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['citewire']"


def test_answer_quotes_its_article(archive: citewire.Archive) -> None:
    response = archive.ask("who met Park Jin?")
    assert response.status == "answered"
    citation = response.answers[0].citations[0]
    text = archive.article(citation.article_id).text
    assert text[citation.start : citation.end] == citation.quote
    assert "Blinken" in citation.quote


def test_search_finds_passages_from_the_filtered_days(archive: citewire.Archive) -> None:
    everywhere = archive.search("Park Jin", limit=3)
    assert len(everywhere.passages) == 3
    day = everywhere.passages[0].published_at
    found = archive.search(
        "Park Jin", filters=citewire.Filters(published_from=day, published_to=day), explain=True
    )
    assert {passage.published_at for passage in found.passages} == {day}
    assert found.passages[0].legs is not None


def test_quote_is_verified_word_for_word(archive: citewire.Archive) -> None:
    quote = archive.search("Park Jin", limit=1).passages[0].quote.split(".")[0]
    assert archive.verify(quote).status == "exact"
    assert archive.verify("Nothing of the kind was ever said.").status == "not_found"


def test_unchanged_files_are_skipped(archive: citewire.Archive) -> None:
    report = archive.index(SEEDS)
    assert (report.added, report.replaced) == (0, 0)
    assert report.unchanged == len(list(SEEDS.glob("*.md")))


def test_second_process_reads_beside_the_owner(archive: citewire.Archive, tmp_path: Path) -> None:
    data = archive._settings.data
    news = tmp_path / "news.txt"
    news.write_text("The harbour opened again on Thursday.")
    with pytest.raises(citewire.ArchiveLocked, match="citewire library"):
        citewire.open_archive(data).__enter__()
    with citewire.open_archive(data, read_only=True) as reader:
        assert reader.search("Park Jin", limit=1).passages
        with pytest.raises(citewire.ReadOnlyArchive):
            reader.index(news)


def test_nothing_indexed_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(citewire.NoArchive):
        citewire.open_archive(tmp_path).__enter__()


def test_archive_that_is_only_read_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(citewire.InvalidInput, match="cannot be created"):
        citewire.open_archive(tmp_path, create=True, read_only=True).__enter__()


@pytest.mark.parametrize("limit", [0, 101])
def test_search_for_no_or_too_many_passages_is_refused(
    archive: citewire.Archive, limit: int
) -> None:
    with pytest.raises(citewire.InvalidInput, match="from 1 to 100"):
        archive.search("Park Jin", limit=limit)
