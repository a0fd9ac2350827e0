import json
from collections.abc import Sequence

import pytest

from citewire.index.types import Article, Passage, Span
from citewire.rag.evaluation.question_files import KnownQuestion
from citewire.rag.evaluation.report import Outcome, ask_all, evaluation_of, read_all
from citewire.rag.evaluation.squad import Example, Gold
from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration
from citewire.rag.types import (
    Answer,
    Answers,
    Citation,
    Closest,
    Extract,
    Hit,
    NoAnswer,
    Question,
    Reason,
    Searched,
)

SEARCHED = Searched(1, 1, "v", 0.0, 0.0)


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

    rows = {row.kind: row for row in evaluation_of(ask_all(answer, questions)).rows}

    assert list(rows) == ["unanswerable", "when", "who", "all"]
    unanswerable, when, who, everything = rows.values()
    assert (unanswerable.f1, unanswerable.refused) == (None, 50.0)
    assert (when.exact_match, when.f1, when.article_first, when.refused) == (0, 66.7, 100, None)
    assert (who.exact_match, who.f1, who.article_first, who.answered) == (50, 50, 0, 50)
    assert (everything.exact_match, everything.f1, everything.best_f1) == (33.3, 55.6, 55.6)
    # SQuAD 2.0's rules: a refusal is right where there is nothing to say, one of two here.
    assert (everything.all_exact_match, everything.all_f1) == (40.0, 53.3)
    # One of three given answers is wrong, and each was given with a confidence of 0.9.
    assert everything.wrong_given == 33.3
    assert everything.calibration_error == pytest.approx(100 * (0.1 + 0.1 + 0.9) / 5, abs=0.05)


def test_a_refused_candidate_counts_as_the_best() -> None:
    def refuse(question: Question) -> NoAnswer:
        given = answered(question, "in 1894", "bridge").answers[0]
        closest = Closest(given.citations[0], 0.2)
        return NoAnswer(question, Reason.NOT_ANSWERED, (closest,), SEARCHED)

    questions = [KnownQuestion("When?", ("in 1894",), "bridge", "when")]
    (row,) = evaluation_of(ask_all(refuse, questions)).rows

    assert (row.f1, row.best_f1, row.calibration_error) == (0.0, 100.0, 80.0)


def test_confidences_are_judged_by_what_they_order_and_promise() -> None:
    sure_and_right = [Outcome("who", True, True, 1.0, 1.0, True, 0.9) for _ in range(6)]
    unsure_and_near = [Outcome("who", True, False, 0.0, 0.8, True, 0.6) for _ in range(2)]
    unsure_and_wrong = [Outcome("who", True, False, 0.0, 0.0, False, 0.3) for _ in range(2)]

    (row,) = evaluation_of([*sure_and_right, *unsure_and_near, *unsure_and_wrong]).rows

    assert row.auroc == 100.0
    assert row.calibration_error_by_chance is not None
    assert 0.0 < row.calibration_error_by_chance < 50.0
    assert (row.coverage_80, row.coverage_90, row.coverage_80_exact) == (100.0, 80.0, 60.0)


def test_a_reader_alone_is_judged_on_each_questions_own_paragraph() -> None:
    class FirstWord:
        """Answers with the paragraph's first word, surely where that is a name."""

        def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
            assert question.startswith("Who")
            text = hits[0].passage.text
            word = Span(0, len(text.split()[0]))
            return [Extract(hits[0], word, 6.0 if text[0].isupper() else -6.0)]

    calibration = Calibration(
        bias=0.0,
        weights=(0.0,) * len(FEATURE_NAMES),
        threshold=0.5,
        relevance=0.0,
        paragraph=(0.0, 1.0),
    )
    examples = [
        Example("1", "Who?", "Ana fled.", (Gold("Ana", 0),), ()),
        Example("2", "Who stayed?", "nobody stayed.", (), ()),
    ]

    (row,) = evaluation_of(read_all(FirstWord(), calibration, examples, "town")).rows

    assert (row.kind, row.f1, row.refused, row.all_f1) == ("town", 100.0, 100.0, 100.0)
    assert row.article_first is None


def test_the_tables_have_a_line_for_each_row() -> None:
    outcomes = [Outcome("when", True, True, 0.0, 2 / 3, True, 0.75)]

    scores, worth = evaluation_of(outcomes).table().split("\n\n")

    names, figures = scores.splitlines()
    assert names.split()[:4] == ["kind", "questions", "EM", "F1"]
    assert figures.split()[:4] == ["when", "1", "0.0", "66.7"]
    assert len(names) == len(figures)
    assert worth.splitlines()[1].split()[:3] == ["when", "1", "0.0"]


def test_the_figures_are_given_as_json() -> None:
    outcomes = [Outcome("when", True, True, 0.0, 2 / 3, True, 0.75)]

    (row,) = json.loads(evaluation_of(outcomes).json())["rows"]

    assert (row["kind"], row["f1"], row["calibration_error"]) == ("when", 66.7, 25.0)


def test_follow_up_is_asked_through_the_conversation() -> None:
    asked = []

    def remember(question: Question) -> Answers | NoAnswer:
        asked.append(question.text)
        return answered(question, "Ana Ruiz", "bridge")

    history = ("Who built the bridge?",)
    ask_all(remember, [KnownQuestion("how old was she?", ("31",), None, "followup", history)])

    assert asked == ["Who built the bridge?", "How old was Ana Ruiz?"]


def test_follow_up_that_is_asked_back_counts_as_refused() -> None:
    known = KnownQuestion("how old was she?", ("31",), None, "followup", ("When did it rain?",))
    (outcome,) = ask_all(answer, [known])

    assert (outcome.answered, outcome.exact, outcome.confidence) == (False, 0.0, 0.0)
