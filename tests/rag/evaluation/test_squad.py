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


def test_a_contrast_files_questions_have_a_kind_a_cause_and_twins(tmp_path: Path) -> None:
    said = {"question": "Who fled?", "answers": [], "kind": "who", "why": "negation"}
    plain = {"question": "Who stayed?", "answers": [], "kind": "who", "why": ""}
    paragraphs = [
        {"context": "Ana fled.", "qas": [{"id": "1-a-0", **said}, {"id": "1-a-1", **plain}]},
        {"context": "Ana hid.", "qas": [{"id": "1-b-0", **said}], "title": "Hiding"},
        {"context": "Ana ran.", "qas": [{"id": "1-c-0", **said}], "date": "2023-11-09"},
    ]
    file = tmp_path / "twins.json"
    entry = {"title": "A_town", "date": "1894-05-01", "paragraphs": paragraphs}
    file.write_text(json.dumps({"data": [entry]}))

    examples = list(read_examples(file))

    assert [example.kind for example in examples] == ["who"] * 4
    assert [example.cause for example in examples] == ["negation", "", "negation", "negation"]
    assert [example.title for example in examples] == ["A town", "A town", "Hiding", "A town"]
    assert [str(example.published) for example in examples] == ["1894-05-01"] * 3 + ["2023-11-09"]
    fled, stayed, hid, ran = (example.twins for example in examples)
    assert fled == hid == ran != stayed


def test_the_same_question_on_two_paragraphs_of_an_ordinary_file_has_no_twins(
    tmp_path: Path,
) -> None:
    qa = {"id": 1, "question": "Who fled?", "answers": []}
    paragraphs = [{"context": context, "qas": [qa]} for context in ("Ana fled.", "It rained.")]
    file = tmp_path / "town.json"
    file.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))

    assert [example.twins for example in read_examples(file)] == [(), ()]


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
