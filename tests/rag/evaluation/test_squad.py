import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from citewire.index.errors import InvalidInput
from citewire.rag.evaluation.squad import read_examples


def content(**question: Any) -> dict[str, Any]:
    qa = {"id": 1, "question": " Who fled? ", "answers": []} | question
    paragraphs = [{"context": "Ana fled.", "qas": [qa]}, {"context": "It rained.", "qas": []}]
    return {"data": [{"title": "A_town", "paragraphs": paragraphs}]}


def test_questions_are_read_with_their_answers_places(tmp_path: Path) -> None:
    file = tmp_path / "town.json"
    file.write_text(json.dumps(content(answers=[{"text": "Ana", "answer_start": 0}])))

    (example,) = read_examples(file)

    assert (example.id, example.question, example.title) == ("1", "Who fled?", "A town")
    assert [example.context[gold.start : gold.end] for gold in example.golds] == ["Ana"]
    assert example.article == ("Ana fled.", "It rained.")


def test_a_question_marked_impossible_has_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "town.json.gz"
    answers = [{"text": "Ana", "answer_start": 0}]
    file.write_bytes(
        gzip.compress(json.dumps(content(answers=answers, is_impossible=True)).encode())
    )

    (example,) = read_examples(file)

    assert example.golds == ()


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"data": [{}]}', b'{"data": 5}', b"\xff\xfe"]
)
def test_a_file_of_another_format_is_named(tmp_path: Path, broken: bytes) -> None:
    file = tmp_path / "town.json"
    file.write_bytes(broken)

    with pytest.raises(InvalidInput, match=r"town\.json: not a question file"):
        list(read_examples(file))


def test_a_broken_compression_is_named(tmp_path: Path) -> None:
    file = tmp_path / "town.json.gz"
    file.write_bytes(gzip.compress(b'{"data": []}')[:-9])

    with pytest.raises(InvalidInput, match=r"town\.json\.gz: not a question file"):
        list(read_examples(file))
