"""Derived data is built again, sound articles are kept, and lost ones are reported."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from sound_archive import (
    ARTICLES,
    DAMAGES_TO_AN_ARTICLE,
    Edit,
    articles_in,
    change_index,
    damage_manifest,
    leave_orphan,
    lose_generation,
    lost_in,
    names,
)

from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import ArchiveLocked, StorageFull
from citewire.index.types import Article, Filters
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.doctor.diagnosis import Damage, Diagnosis, diagnose
from citewire.rag.doctor.repair import repair
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.settings import Settings, read_settings


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[int], None]]:
    """Mount a small disk; yield a function that leaves a number of bytes free on it."""
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("mounting takes root")

    def bound(free: int) -> None:
        size = shutil.disk_usage(folder).used + free
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)

    try:
        yield bound
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_repairing_a_sound_directory_changes_nothing(settings: Settings) -> None:
    before = (settings.data / "catalogue.sqlite3").read_bytes()
    assert repair(settings) == Diagnosis(ARTICLES, ARTICLES, ())
    assert (settings.data / "catalogue.sqlite3").read_bytes() == before


def test_damaged_articles_are_dropped_and_no_others(
    settings: Settings, edit: Edit, encoder_model: ReadyModel
) -> None:
    for number, statement in enumerate(DAMAGES_TO_AN_ARTICLE, 4):
        edit(statement.format(number))
    repaired, again = repair(settings), diagnose(settings)

    damaged = names(*range(3, 3 + len(DAMAGES_TO_AN_ARTICLE)))
    left = ARTICLES - len(damaged)
    assert repaired.worst is Damage.TRUTH
    assert tuple(lost_in(repaired)) == damaged
    assert again == Diagnosis(left, left, ())
    assert articles_in(settings, encoder_model) == set(names(*range(ARTICLES))) - set(damaged)
    assert (settings.data / "catalogue.damaged-1.sqlite3").exists()


@pytest.mark.parametrize("name", ["catalogue.seal", "catalogue.acknowledged"])
def test_a_sound_catalogue_without_its_seal_is_kept(
    settings: Settings, encoder_model: ReadyModel, name: str
) -> None:
    (settings.data / name).unlink()
    found, repaired = diagnose(settings), repair(settings)

    assert (found.worst, found.articles) == (Damage.DERIVED, ARTICLES)
    assert (repaired.worst, repaired.articles) == (None, ARTICLES)
    assert articles_in(settings, encoder_model) == set(names(*range(ARTICLES)))


def test_acknowledged_changes_that_are_lost_are_reported(
    settings: Settings,
    tmp_path: Path,
    encoder_model: ReadyModel,
    encoded: Callable[..., EncodedArticle],
) -> None:
    file = settings.data / "catalogue.sqlite3"
    killed = tmp_path / "killed"
    with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
        for name in ("late.md", "later.md"):
            vector = np.eye(16, dtype=np.float32)[:1]
            catalogue.put([encoded(Article(name, "Late", "It came late."), vector)])
        shutil.copytree(settings.data, killed)
    (killed / "catalogue.sqlite3-wal").unlink()
    left = read_settings(os.environ, killed)
    found, repaired = diagnose(left), repair(left)

    assert found.worst is repaired.worst is Damage.TRUTH
    assert "the last 2 changes that were acknowledged are lost" in found.findings[0].what
    assert "index again what was changed last" in found.findings[0].remedy
    assert articles_in(left, encoder_model) == set(names(*range(ARTICLES)))


def test_a_damaged_lexical_index_is_built_again_and_nothing_is_lost(
    settings: Settings, edit: Edit, encoder_model: ReadyModel
) -> None:
    edit("UPDATE postings SET entries = substr(entries, 4) WHERE term = 'ship'")
    repaired = repair(settings)

    assert (repaired.worst, repaired.articles) == (None, ARTICLES)
    assert articles_in(settings, encoder_model) == set(names(*range(ARTICLES)))
    assert diagnose(settings).worst is None


@pytest.mark.parametrize(
    "damages", [[change_index, leave_orphan], [lose_generation], [damage_manifest]]
)
def test_a_damaged_vector_index_is_built_again_and_finds_the_same(
    settings: Settings, encoder_model: ReadyModel, damages: list[Callable[[Path], None]]
) -> None:
    for damage in damages:
        damage(settings.data / "vectors")
    repaired = repair(settings)

    # The repair ends with a diagnosis of its own result.
    assert repaired == Diagnosis(ARTICLES, ARTICLES, (), ("the vector index",))
    file = settings.data / "catalogue.sqlite3"
    with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
        index = VectorIndex(settings.data / "vectors", catalogue, FolderBackend())
        _, vectors = catalogue.vectors([17])
        assert max(index.search(vectors[0], 3, Filters()).items(), key=lambda i: i[1])[0] == 17
        index.close()


def test_the_rest_of_a_truncated_file_is_kept_and_lost_articles_are_reported(
    settings: Settings, encoder_model: ReadyModel
) -> None:
    file = settings.data / "catalogue.sqlite3"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 // 4096 * 4096])
    found, repaired = diagnose(settings), repair(settings)

    assert found.worst is repaired.worst is Damage.TRUTH
    kept = articles_in(settings, encoder_model)
    assert kept | set(lost_in(repaired)) >= set(names(*range(ARTICLES)))
    assert not kept & set(lost_in(repaired))
    assert diagnose(settings).worst is None


@pytest.mark.parametrize(
    "content", [b"", b"garbage " * 5000, b"SQLite format 3\0" + b"\xff" * 9000]
)
def test_a_file_that_is_no_catalogue_is_reported_and_left_as_it_is(
    settings: Settings, content: bytes
) -> None:
    file = settings.data / "catalogue.sqlite3"
    file.write_bytes(content)
    found, repaired = diagnose(settings), repair(settings)

    assert found.worst is repaired.worst is Damage.TRUTH
    assert "restore the data directory from a backup" in found.findings[0].remedy
    assert file.read_bytes() == content


def test_a_catalogue_of_which_only_companion_files_are_left_is_truth_lost(
    settings: Settings,
) -> None:
    (settings.data / "catalogue.sqlite3").unlink()
    shutil.rmtree(settings.data / "vectors")
    assert diagnose(settings).worst is repair(settings).worst is Damage.TRUTH


def test_a_catalogue_of_an_older_schema_is_built_again_of_all_articles(
    settings: Settings, edit: Edit, encoder_model: ReadyModel
) -> None:
    edit("UPDATE meta SET value = '2' WHERE key = 'schema'")
    found, repaired = diagnose(settings), repair(settings)

    assert (found.worst, repaired.worst, repaired.articles) == (Damage.DERIVED, None, ARTICLES)
    assert articles_in(settings, encoder_model) == set(names(*range(ARTICLES)))


# A new catalogue of all articles does not fit, then it does and a copy of the old one does not.
@pytest.mark.parametrize("share", [0.6, 1.4])
def test_a_repair_that_the_disk_has_no_room_for_leaves_everything_as_it_was(
    sound_directory: Path, tmp_path: Path, encoder_model: ReadyModel, share: float
) -> None:
    data = tmp_path / "disk"
    data.mkdir()
    with small_disk(data) as bound:
        shutil.copytree(sound_directory, data, dirs_exist_ok=True)
        settings = read_settings(os.environ, data)
        file = data / "catalogue.sqlite3"
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE articles SET title = 'Boat' WHERE number = 4")
        bound(int(share * file.stat().st_size))
        with pytest.raises(StorageFull, match="cannot be repaired here, and is as it was"):
            repair(settings)
        assert not [*data.glob("*.repaired*"), *data.glob("*.damaged*")]
        assert tuple(lost_in(diagnose(settings))) == names(3)


def test_a_directory_in_use_is_not_touched(settings: Settings) -> None:
    with (
        DataDirectory(settings.data, command="serve"),
        pytest.raises(ArchiveLocked, match="citewire serve"),
    ):
        repair(settings)
