from collections.abc import Callable, Sequence

import pytest

from citewire.index.types import Span
from citewire.rag.evaluation.outcomes import Outcome, ask_all, read_all
from citewire.rag.evaluation.question_files import LabelledQuestion
from citewire.rag.evaluation.report import Evaluation
from citewire.rag.evaluation.squad import Gold, SquadExample
from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration
from citewire.rag.types import (
    Answers,
    Closest,
    Extract,
    Hit,
    NoAnswer,
    Question,
    Reason,
    Searched,
)

SEARCHED = Searched(1, 1, "v", 0.0, 0.0)


def test_figures_of_a_known_set(answer: Callable[[Question], Answers | NoAnswer]) -> None:
    questions = [
        LabelledQuestion("When?", ("1894", "the year 1894"), "bridge", "when"),
        LabelledQuestion("Who?", ("Ana Ruiz",), "river", "who"),
        LabelledQuestion("Who else?", ("Park Jin",), "river", "who"),
        LabelledQuestion("What of Mars?", (), None, "unanswerable"),
        LabelledQuestion("What of Venus?", (), None, "unanswerable"),
    ]

    rows = {row.name: row for row in Evaluation.from_outcomes(ask_all(answer, questions)).rows}

    assert list(rows) == ["unanswerable", "when", "who", "all"]
    unanswerable, when, who, everything = (row.answers for row in rows.values())
    assert (unanswerable.f1, unanswerable.refused) == (None, 50.0)
    assert (when.exact_match, when.f1, when.article_first, when.refused) == (0, 66.7, 100, None)
    assert (who.exact_match, who.f1, who.article_first, who.answered) == (50, 50, 0, 50)
    assert (everything.exact_match, everything.f1, everything.best_f1) == (33.3, 55.6, 55.6)
    # SQuAD 2.0's rules: a refusal of an unanswerable question is right, one of two here.
    squad, confidences = rows["all"].squad, rows["all"].confidences
    assert (squad.all_exact_match, squad.all_f1) == (40.0, 53.3)
    # One of three given answers is wrong, and each was given with a confidence of 0.9.
    assert confidences.wrong_given == 33.3
    assert confidences.calibration_error == pytest.approx(100 * (0.1 + 0.1 + 0.9) / 5, abs=0.05)


def test_a_refused_candidate_counts_as_the_best(
    answered: Callable[[Question, str, str], Answers],
) -> None:
    def refuse(question: Question) -> NoAnswer:
        given = answered(question, "in 1894", "bridge").answers[0]
        closest = Closest(given.citations[0], 0.2)
        return NoAnswer(question, Reason.NOT_ANSWERED, (closest,), SEARCHED)

    questions = [LabelledQuestion("When?", ("in 1894",), "bridge", "when")]
    (row,) = Evaluation.from_outcomes(ask_all(refuse, questions)).rows

    assert (row.answers.f1, row.answers.best_f1, row.confidences.calibration_error) == (
        0.0,
        100.0,
        80.0,
    )


def test_confidences_are_judged_by_their_order_and_their_calibration() -> None:
    sure_and_right = [Outcome("who", True, True, 1.0, 1.0, True, 0.9) for _ in range(6)]
    unsure_and_near = [Outcome("who", True, False, 0.0, 0.8, True, 0.6) for _ in range(2)]
    unsure_and_wrong = [Outcome("who", True, False, 0.0, 0.0, False, 0.3) for _ in range(2)]

    (row,) = Evaluation.from_outcomes([*sure_and_right, *unsure_and_near, *unsure_and_wrong]).rows

    figures = row.confidences
    assert figures.auroc == 100.0
    assert figures.calibration_error_by_chance is not None
    assert 0.0 < figures.calibration_error_by_chance < 50.0
    assert (figures.coverage_80, figures.coverage_90, figures.coverage_80_exact) == (100, 80, 60)


def test_a_reader_without_an_archive_is_judged_on_each_questions_own_paragraph() -> None:
    class FirstWord:
        """Answers with the paragraph's first word, with a high margin where that is a name."""

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
        SquadExample("1", "Who?", "Ana fled.", (Gold("Ana", 0),), ()),
        SquadExample("2", "Who stayed?", "nobody stayed.", (), ()),
    ]

    (row,) = Evaluation.from_outcomes(read_all(FirstWord(), calibration, examples, "town")).rows

    assert (row.name, row.answers.f1, row.answers.refused, row.squad.all_f1) == (
        "town",
        100.0,
        100.0,
        100.0,
    )
    assert row.answers.article_first is None
