"""Damage of every kind to a data directory is reported, and derived data is built again."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import ArchiveLocked, NoArchive, StorageFull
from citewire.index.types import Article, Filters
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.doctor.diagnosis import Damage, Diagnosis, diagnose
from citewire.rag.doctor.repair import repair
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.settings import Settings, read_settings

ARTICLES = 40
Edit = Callable[[str], None]


@pytest.fixture(scope="module")
def sound_directory(
    tmp_path_factory: pytest.TempPathFactory,
    encoder_model: ReadyModel,
    encoded: Callable[..., EncodedArticle],
) -> Path:
    """Forty articles and their vector index."""
    data = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(ARTICLES, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    file = data / "catalogue.sqlite3"
    with closing(open_catalogue(file, "create", encoder=encoder_model.identity)) as catalogue:
        catalogue.put(
            encoded(
                Article(f"news/{number:02}.md", f"Ship {number}", f"Ship {number} is in. " * 60),
                vectors[number : number + 1],
            )
            for number in range(ARTICLES)
        )
        index = VectorIndex(data / "vectors", catalogue, FolderBackend())
        index.rebuild()
        index.close()
    return data


@pytest.fixture
def settings(sound_directory: Path, tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    shutil.copytree(sound_directory, data)
    return read_settings(os.environ, data)


@pytest.fixture
def edit(settings: Settings) -> Edit:
    """Changes the catalogue's file directly, past all checks."""

    def run(statement: str) -> None:
        with (
            closing(sqlite3.connect(settings.data / "catalogue.sqlite3")) as connection,
            connection,
        ):
            connection.execute(statement)

    return run


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


def articles_in(settings: Settings, model: ReadyModel) -> set[str]:
    file = settings.data / "catalogue.sqlite3"
    with closing(open_catalogue(file, "own", encoder=model.identity)) as catalogue:
        return set(catalogue.fingerprints())


def names(*numbers: int) -> tuple[str, ...]:
    return tuple(f"news/{number:02}.md" for number in numbers)


def lost_in(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        yield from finding.articles


def test_a_sound_directory_is_good(settings: Settings) -> None:
    assert diagnose(settings) == Diagnosis(ARTICLES, ARTICLES, ())


def test_repairing_what_is_good_changes_nothing(settings: Settings) -> None:
    before = (settings.data / "catalogue.sqlite3").read_bytes()
    assert repair(settings) == Diagnosis(ARTICLES, ARTICLES, ())
    assert (settings.data / "catalogue.sqlite3").read_bytes() == before


DAMAGES_TO_AN_ARTICLE = [
    "UPDATE articles SET text = replace(text, ' is in', ' was in') WHERE number = {}",
    "UPDATE articles SET title = 'Boat' WHERE number = {}",
    "UPDATE articles SET published = '2023-11-09' WHERE number = {}",
    "UPDATE articles SET source = 'Wire' WHERE number = {}",
    "UPDATE articles SET fingerprint = 'x' WHERE number = {}",
    "UPDATE articles SET origin = '/elsewhere' WHERE number = {}",
    "UPDATE passages SET end = 99999 WHERE article = {}",
    "UPDATE passages SET end = end - 1 WHERE article = {}",
    "UPDATE passages SET start = end WHERE article = {}",
    "UPDATE vectors SET vector = zeroblob(64) WHERE passage = {}",
    "UPDATE vectors SET vector = zeroblob(7) WHERE passage = {}",
    "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE passage = 1) WHERE passage = {}",
    "DELETE FROM vectors WHERE passage = {}",
    "INSERT INTO passages VALUES (900, {}, 0, 4, 0)",
]


@pytest.mark.parametrize("statement", DAMAGES_TO_AN_ARTICLE)
def test_a_damaged_article_is_named(settings: Settings, edit: Edit, statement: str) -> None:
    edit(statement.format(4))
    found = diagnose(settings)
    assert found.worst is Damage.TRUTH
    assert tuple(lost_in(found)) == names(3)


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


@pytest.mark.parametrize("name", ["catalogue.seal", "catalogue.acknowledged"])
def test_a_sound_catalogue_that_nothing_vouches_for_is_kept(
    settings: Settings, encoder_model: ReadyModel, name: str
) -> None:
    (settings.data / name).unlink()
    found, repaired = diagnose(settings), repair(settings)

    assert (found.worst, found.articles) == (Damage.DERIVED, ARTICLES)
    assert (repaired.worst, repaired.articles) == (None, ARTICLES)
    assert articles_in(settings, encoder_model) == set(names(*range(ARTICLES)))


def test_changes_that_were_acknowledged_and_are_gone_are_told_of(
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
def test_a_damaged_index_of_words_is_noticed(
    settings: Settings, edit: Edit, statement: str
) -> None:
    edit(statement)
    assert diagnose(settings).worst is Damage.DERIVED


def test_a_damaged_index_of_words_is_made_again_and_nothing_is_lost(
    settings: Settings, edit: Edit, encoder_model: ReadyModel
) -> None:
    edit("UPDATE postings SET entries = substr(entries, 4) WHERE term = 'ship'")
    repaired = repair(settings)

    assert (repaired.worst, repaired.articles) == (None, ARTICLES)
    assert articles_in(settings, encoder_model) == set(names(*range(ARTICLES)))
    assert diagnose(settings).worst is None


def damage_manifest(vectors: Path) -> None:
    (vectors / "current.json").write_text("{")


def lose_manifest(vectors: Path) -> None:
    (vectors / "current.json").unlink()


def change_index(vectors: Path) -> None:
    largest = max(vectors.glob("generation-*/*/*"), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)


def lose_generation(vectors: Path) -> None:
    for folder in vectors.glob("generation-*"):
        shutil.rmtree(folder)


def leave_orphan(vectors: Path) -> None:
    (vectors / "generation-left").mkdir()


@pytest.mark.parametrize(
    "damage", [damage_manifest, lose_manifest, change_index, lose_generation, leave_orphan]
)
def test_a_damaged_vector_index_is_noticed(
    settings: Settings, damage: Callable[[Path], None]
) -> None:
    damage(settings.data / "vectors")
    assert diagnose(settings).worst is Damage.DERIVED


@pytest.mark.parametrize(
    "damages", [[change_index, leave_orphan], [lose_generation], [damage_manifest]]
)
def test_a_damaged_vector_index_is_made_again_and_finds_the_same(
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


def test_of_a_file_cut_short_the_rest_is_kept_and_what_is_lost_is_named(
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
def test_a_file_that_is_no_catalogue_is_reported_and_left_alone(
    settings: Settings, content: bytes
) -> None:
    file = settings.data / "catalogue.sqlite3"
    file.write_bytes(content)
    found, repaired = diagnose(settings), repair(settings)

    assert found.worst is repaired.worst is Damage.TRUTH
    assert "restore the data directory from a backup" in found.findings[0].remedy
    assert file.read_bytes() == content


def test_a_catalogue_that_is_gone_is_truth_lost(settings: Settings) -> None:
    (settings.data / "catalogue.sqlite3").unlink()
    found = diagnose(settings)

    assert (found.worst, found.articles) == (Damage.TRUTH, 0)
    assert not (settings.data / "catalogue.sqlite3").exists()


def test_a_catalogue_of_which_only_the_files_beside_it_are_left_is_truth_lost(
    settings: Settings,
) -> None:
    (settings.data / "catalogue.sqlite3").unlink()
    shutil.rmtree(settings.data / "vectors")
    assert diagnose(settings).worst is repair(settings).worst is Damage.TRUTH


def test_a_catalogue_that_says_an_older_schema_is_made_again_of_all_articles(
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


def test_an_empty_directory_holds_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(NoArchive, match="nothing to check"):
        diagnose(read_settings(os.environ, tmp_path))


def test_a_directory_in_use_is_not_touched(settings: Settings) -> None:
    with (
        DataDirectory(settings.data, command="serve"),
        pytest.raises(ArchiveLocked, match="citewire serve"),
    ):
        repair(settings)


def test_any_flipped_byte_is_found_or_harmless(
    settings: Settings, encoder_model: ReadyModel
) -> None:
    """An archive that the doctor calls sound is exactly as it was stored."""
    file = settings.data / "catalogue.sqlite3"
    content = file.read_bytes()
    rng = np.random.default_rng(11)
    with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
        stored = {name: catalogue.article(name) for name in catalogue.fingerprints()}
    for position in rng.integers(0, len(content), 25):
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(rng.integers(8))
        for log in settings.data.glob("catalogue.sqlite3-*"):
            log.unlink()
        file.write_bytes(flipped)
        diagnosis = diagnose(settings)
        if diagnosis.worst is None:
            with closing(open_catalogue(file, "own", encoder=encoder_model.identity)) as catalogue:
                found = {name: catalogue.article(name) for name in catalogue.fingerprints()}
            assert found == stored, f"byte {position}"
