import json
from pathlib import Path

import pytest

from rag.errors import InvalidInput
from rag.evaluation import Evaluation, KnownQuestion, Row, evaluate, read_questions
from rag.types import (
    Answer,
    Answers,
    Article,
    Citation,
    Extract,
    Hit,
    NoAnswer,
    Passage,
    Question,
    Reason,
    Searched,
    Span,
)

SEARCHED = Searched(1, 1, "v", 0.0, 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def answered(question: Question, text: str, article_id: str) -> Answers:
    article = Article(article_id, "A title", text)
    whole = Span(0, len(text))
    citation = Citation(Extract(Hit(Passage(1, article, whole), 1.0, 1.0), whole, 1.0), whole)
    return Answers(question, (Answer(text, 0.9, (citation,)),), SEARCHED)


def answer(question: Question) -> Answers | NoAnswer:
    """Answers when and who from `bridge`, and nothing else."""
    known = {"When?": "in 1894", "Who?": "Ana Ruiz", "What of Mars?": "It is red"}
    if question.text in known:
        return answered(question, known[question.text], "bridge")
    return NoAnswer(question, Reason.NOT_ANSWERED, (), SEARCHED)


def test_figures_of_a_known_set() -> None:
    questions = [
        KnownQuestion("When?", ("1894", "the year 1894"), "bridge", "when"),
        KnownQuestion("Who?", ("Ana Ruiz",), "river", "who"),
        KnownQuestion("Who else?", ("Park Jin",), "river", "who"),
        KnownQuestion("What of Mars?", (), None, "unanswerable"),
        KnownQuestion("What of Venus?", (), None, "unanswerable"),
    ]
    assert evaluate(answer, questions).rows == (
        Row("unanswerable", 2, None, None, None, None, 50.0),
        Row("when", 1, 0.0, 66.7, 100.0, 100.0, None),
        Row("who", 2, 50.0, 50.0, 0.0, 50.0, None),
        Row("all", 5, 33.3, 55.6, 33.3, 66.7, 50.0),
    )


def test_the_table_has_a_line_for_each_row() -> None:
    table = Evaluation((Row("when", 10, 0.0, 66.7, 100.0, 100.0, None),)).table()
    assert table.splitlines() == [
        "kind  questions   EM    F1  article first  answered  refused",
        "when         10  0.0  66.7          100.0     100.0        -",
    ]


def test_the_rows_are_given_as_json() -> None:
    given = json.loads(Evaluation((Row("when", 1, 0.0, 66.7, 100.0, 100.0, None),)).json())
    assert given == [
        {
            "kind": "when",
            "questions": 1,
            "exact_match": 0.0,
            "f1": 66.7,
            "article_first": 100.0,
            "answered": 100.0,
            "refused": None,
        }
    ]


def test_a_question_file_is_read(file: Path) -> None:
    file.write_text(
        '{"question": "When?", "answers": ["1894"], "article_id": "bridge", "kind": "when"}\n'
        "\n"
        '{"question": "Why?", "answers": []}\n'
    )
    assert read_questions(file) == [
        KnownQuestion("When?", ("1894",), "bridge", "when"),
        KnownQuestion("Why?", (), None, "all"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "5",
        "null",
        '{"answers": []}',
        '{"question": "Why?"}',
        '{"question": "Why?", "answers": 5}',
    ],
)
def test_a_line_that_is_no_question_is_named(file: Path, line: str) -> None:
    file.write_text(f'{{"question": "When?", "answers": ["1894"]}}\n\n{line}\n')
    with pytest.raises(InvalidInput, match=r"questions\.jsonl:3: not a question"):
        read_questions(file)


def test_an_empty_file_is_refused(file: Path) -> None:
    file.write_text("\n")
    with pytest.raises(InvalidInput, match="holds no questions"):
        read_questions(file)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"questions\.jsonl: cannot be read"):
        read_questions(file)
