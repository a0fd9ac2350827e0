import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from citewire.index.errors import InvalidInput, NoArchive
from citewire.service.cli.evaluate import Sample, ask_files
from citewire.service.settings import ServiceSettings, read_service_settings

TOWN = [
    (
        "The old bridge crosses the Vire. It opened in 1894.",
        "When did the old bridge open?",
        "1894",
    ),
    ("The mayor of the town is Ana Ruiz.", "Who is the mayor of the town?", "Ana Ruiz"),
    ("Fishermen from Pont-Nord fear for the river.", "What is the boiling point of gold?", None),
]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A file in SQuAD's format: two questions with an answer, one without."""
    paragraphs = []
    for context, question, answer in TOWN:
        golds = [{"text": answer, "answer_start": context.index(answer)}] if answer else []
        qa = {"id": question, "question": question, "answers": golds}
        paragraphs.append({"context": context, "qas": [qa | {"is_impossible": answer is None}]})
    file = tmp_path / "town.json.gz"
    file.write_bytes(gzip.compress(json.dumps({"data": [{"paragraphs": paragraphs}]}).encode()))
    return file


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return replace(read_service_settings(os.environ), data=tmp_path / "data")


@pytest.mark.parametrize("retrieve", [False, True], ids=["read alone", "retrieve and read"])
def test_a_squad_file_is_asked_without_any_archive_of_ours(
    settings: ServiceSettings, town: Path, retrieve: bool
) -> None:
    outcomes = ask_files(settings, [town], Sample(0, 1, retrieve=retrieve))

    assert [outcome.kind for outcome in outcomes] == ["town"] * 3
    assert [outcome.answerable for outcome in outcomes] == [True, True, False]
    assert [outcome.f1 for outcome in outcomes] == [1.0, 1.0, 0.0]
    assert not outcomes[2].answered
    assert not settings.data.exists()


def test_the_same_seed_asks_the_same_questions(settings: ServiceSettings, town: Path) -> None:
    first, second = (ask_files(settings, [town], Sample(2, 5, retrieve=False)) for _ in range(2))

    assert len(first) == 2
    assert first == second


def test_questions_to_an_archive_need_one(settings: ServiceSettings, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "When?", "answers": []}\n')

    with pytest.raises(NoArchive, match="nothing is indexed here"):
        ask_files(settings, [file], Sample(0, 1, retrieve=False))


def test_a_broken_file_is_found_before_anything_is_asked(
    settings: ServiceSettings, town: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")

    with pytest.raises(InvalidInput, match=r"broken\.json: not a question file"):
        ask_files(settings, [town, broken], Sample(0, 1, retrieve=False))


def test_a_negative_number_of_questions_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--questions is -1"):
        Sample(-1, 1, retrieve=False)
