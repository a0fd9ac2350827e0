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
    Closest,
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
    result = evaluate(answer, questions)
    assert result.rows == (
        Row("unanswerable", 2, None, None, None, None, 50.0, None),
        Row("when", 1, 0.0, 66.7, 100.0, 100.0, None, 66.7),
        Row("who", 2, 50.0, 50.0, 0.0, 50.0, None, 50.0),
        Row("all", 5, 33.3, 55.6, 33.3, 66.7, 50.0, 55.6),
    )
    # One of three given answers is wrong, and each was given with a confidence of 0.9.
    assert result.wrong_given == 33.3
    assert result.calibration_error == pytest.approx((0.1 + 0.1 + 0.9) / 5)


def test_a_refused_candidate_counts_as_the_best() -> None:
    def refuse(question: Question) -> NoAnswer:
        given = answered(question, "in 1894", "bridge").answers[0]
        closest = Closest(given.citations[0], 0.2)
        return NoAnswer(question, Reason.NOT_ANSWERED, (closest,), SEARCHED)

    result = evaluate(refuse, [KnownQuestion("When?", ("in 1894",), "bridge", "when")])
    assert (result.rows[0].f1, result.rows[0].best_f1) == (0.0, 100.0)
    assert result.calibration_error == pytest.approx(0.8)


def test_the_table_has_a_line_for_each_row() -> None:
    row = Row("when", 10, 0.0, 66.7, 100.0, 100.0, None, 70.0)
    assert Evaluation((row,), 12.5, 0.0625).table().splitlines() == [
        "kind  questions   EM    F1  article first  answered  refused  best F1",
        "when         10  0.0  66.7          100.0     100.0        -     70.0",
        "wrong among the answers given: 12.5; calibration error: 0.062",
    ]


def test_the_figures_are_given_as_json() -> None:
    row = Row("when", 1, 0.0, 66.7, 100.0, 100.0, None, 66.7)
    assert json.loads(Evaluation((row,), None, 0.1).json()) == {
        "rows": [
            {
                "kind": "when",
                "questions": 1,
                "exact_match": 0.0,
                "f1": 66.7,
                "article_first": 100.0,
                "answered": 100.0,
                "refused": None,
                "best_f1": 66.7,
            }
        ],
        "wrong_given": None,
        "calibration_error": 0.1,
    }


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
