"""Damage of every kind to a data directory is reported."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sound_archive import (
    ARTICLES,
    DAMAGES_TO_AN_ARTICLE,
    Edit,
    change_index,
    damage_manifest,
    leave_orphan,
    lose_generation,
    lose_manifest,
    lost_in,
    names,
)

from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.errors import NoArchive
from citewire.index.types import Article
from citewire.rag.doctor.diagnosis import Damage, Diagnosis, diagnose
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.settings import Settings, read_settings


def test_a_sound_directory_is_good(settings: Settings) -> None:
    assert diagnose(settings) == Diagnosis(ARTICLES, ARTICLES, ())


@pytest.mark.parametrize("statement", DAMAGES_TO_AN_ARTICLE)
def test_a_damaged_article_is_named(settings: Settings, edit: Edit, statement: str) -> None:
    edit(statement.format(4))
    found = diagnose(settings)
    assert found.worst is Damage.TRUTH
    assert tuple(lost_in(found)) == names(3)


def test_a_lost_passage_is_noticed_though_others_of_its_article_are_there(
    settings: Settings,
    edit: Edit,
    encoder_model: ReadyModel,
    encoded: Callable[..., EncodedArticle],
) -> None:
    file = settings.data / "catalogue.sqlite3"
    with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
        vectors = np.eye(16, dtype=np.float32)[:3]
        catalogue.put([encoded(Article("three.md", "Three", "Three passages."), vectors)])
    edit(f"DELETE FROM vectors WHERE passage = {ARTICLES + 3}")
    edit(f"DELETE FROM passages WHERE id = {ARTICLES + 3}")
    assert tuple(lost_in(diagnose(settings))) == ("three.md",)


def test_a_lost_article_that_only_its_passages_remember_is_reported(
    settings: Settings, edit: Edit
) -> None:
    edit("DELETE FROM articles WHERE number = 4")
    assert tuple(lost_in(diagnose(settings))) == ("number 4",)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM postings WHERE term = (SELECT max(term) FROM postings)",
        "UPDATE postings SET entries = substr(entries, 4) WHERE term = 'ship'",
        "UPDATE postings SET entries = x'00' WHERE term = 'ship'",
        "DROP TABLE postings",
    ],
)
def test_a_damaged_lexical_index_is_noticed(settings: Settings, edit: Edit, statement: str) -> None:
    edit(statement)
    assert diagnose(settings).worst is Damage.DERIVED


@pytest.mark.parametrize(
    "damage", [damage_manifest, lose_manifest, change_index, lose_generation, leave_orphan]
)
def test_a_damaged_vector_index_is_noticed(
    settings: Settings, damage: Callable[[Path], None]
) -> None:
    damage(settings.data / "vectors")
    assert diagnose(settings).worst is Damage.DERIVED


def test_a_catalogue_that_is_gone_is_truth_lost(settings: Settings) -> None:
    (settings.data / "catalogue.sqlite3").unlink()
    found = diagnose(settings)

    assert (found.worst, found.articles) == (Damage.TRUTH, 0)
    assert not (settings.data / "catalogue.sqlite3").exists()


def test_an_empty_directory_holds_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(NoArchive, match="nothing to check"):
        diagnose(read_settings(os.environ, tmp_path))


def test_any_flipped_byte_is_found_or_harmless(
    settings: Settings, encoder_model: ReadyModel
) -> None:
    """An archive that the doctor calls sound is exactly as it was stored."""
    file = settings.data / "catalogue.sqlite3"
    content = file.read_bytes()
    rng = np.random.default_rng(11)
    with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
        stored = {name: catalogue.article(name) for name in catalogue.known_after("", 10_000)}
    for position in rng.integers(0, len(content), 25):
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(rng.integers(8))
        for log in settings.data.glob("catalogue.sqlite3-*"):
            log.unlink()
        file.write_bytes(flipped)
        diagnosis = diagnose(settings)
        if diagnosis.worst is None:
            with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
                found = {
                    name: catalogue.article(name) for name in catalogue.known_after("", 10_000)
                }
            assert found == stored, f"byte {position}"
