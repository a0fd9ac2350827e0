import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.data_directory import DataDirectory, Owner, read_owner
from citewire.index.errors import ArchiveLocked, NoArchive, WrongEncoder
from citewire.index.types import Article, Span
from citewire.rag.errors import ModelRejected
from citewire.rag.settings import Settings, read_settings
from citewire.rag.types import Answers, Question
from citewire.rag.wiring import OpenArchive, open_owned_archive, open_pipeline

ARTICLE = Article(
    "seoul",
    "Blinken in Seoul",
    "On Thursday Blinken met his South Korean counterpart, Park Jin. Rain fell in the evening.",
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(os.environ, tmp_path / "data")


@contextmanager
def new_archive(settings: Settings) -> Iterator[OpenArchive]:
    with open_owned_archive(settings, command="index", create=True) as opened:
        yield opened


@pytest.fixture
def indexed(settings: Settings) -> Settings:
    """Settings whose data directory holds one article."""
    with new_archive(settings) as opened:
        span = Span(0, len(ARTICLE.text))
        vectors = opened.encoder.encode_passages([ARTICLE.text])
        opened.archive.put([EncodedArticle(ARTICLE, "/news/seoul.md", (span,), vectors)])
        opened.archive.compact()
    return settings


def test_what_was_indexed_is_answered_from(indexed: Settings) -> None:
    with open_pipeline(indexed, command="ask") as pipeline:
        result = pipeline.answerer.answer(Question("Who met Park Jin?"))
    assert isinstance(result, Answers)
    assert "Blinken" in result.answers[0].text


def test_nothing_indexed_is_no_archive(settings: Settings) -> None:
    with pytest.raises(NoArchive, match="citewire index"), open_pipeline(settings, command="ask"):
        pass


def test_asking_makes_no_data_directory(settings: Settings) -> None:
    with pytest.raises(NoArchive), open_pipeline(settings, command="ask"):
        pass
    assert not settings.data.exists()


def test_the_owner_is_named_while_the_archive_is_open(settings: Settings) -> None:
    with open_owned_archive(settings, command="serve", create=True, url="http://127.0.0.1:1"):
        owner = read_owner(settings.data)
    assert owner == Owner(os.getpid(), "serve", "http://127.0.0.1:1")
    assert read_owner(settings.data) is None


def test_an_archive_in_use_is_refused(settings: Settings) -> None:
    with (
        new_archive(settings),
        pytest.raises(ArchiveLocked, match="citewire index"),
        open_pipeline(settings, command="ask"),
    ):
        pass


def test_an_archive_of_another_encoder_is_refused_and_set_free(settings: Settings) -> None:
    settings.data.mkdir()
    file = settings.data / "catalogue.sqlite3"
    open_catalogue(file, "create", encoder="encoder:other").close()
    with pytest.raises(WrongEncoder, match="encoder:other"), new_archive(settings):
        pass
    with DataDirectory(settings.data, command="index"):
        assert file.exists()


def test_a_reader_that_is_not_there_is_refused(indexed: Settings) -> None:
    settings = replace(indexed, reader="/no/such/reader")
    with (
        pytest.raises(ModelRejected, match=r"^/no/such/reader"),
        open_pipeline(settings, command="ask"),
    ):
        pass


def test_the_threshold_set_goes_before_the_calibrated_one(indexed: Settings) -> None:
    with open_pipeline(replace(indexed, threshold=0.0), command="ask") as pipeline:
        assert pipeline.calibration.threshold == 0.0


def test_the_models_are_named_by_their_weights(indexed: Settings) -> None:
    with open_pipeline(indexed, command="ask") as pipeline:
        named = {part: name.split(":")[0] for part, name in pipeline.models.items()}
    assert named == {"encoder": "encoder", "reader": "reader"}
