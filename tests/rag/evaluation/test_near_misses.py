from collections.abc import Sequence

import pytest

from citewire.index.types import Span
from citewire.rag.evaluation.near_misses import find_flips
from citewire.rag.evaluation.outcomes import Outcome, read_all
from citewire.rag.evaluation.report import Evaluation
from citewire.rag.evaluation.squad import Gold, SquadExample
from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration
from citewire.rag.types import Extract, Hit

# Answers are given from here on, where the outcomes are made by hand.
THRESHOLD = 0.5


def outcome(
    confidence: float,
    *,
    gold: bool = True,
    right: bool = True,
    twins: str = "",
    kind: str = "who",
    cause: str = "role",
) -> Outcome:
    score = float(gold and right)
    return Outcome(
        kind,
        gold,
        confidence >= THRESHOLD,
        score,
        score,
        None,
        confidence,
        cause,
        (twins,) if twins else (),
    )


def flip(with_answer: float, without: float, twins: str, *, right: bool = True) -> list[Outcome]:
    """A question on two twins, of which the first answers it."""
    return [
        outcome(with_answer, twins=twins, right=right),
        outcome(without, twins=twins, gold=False),
    ]


def test_only_questions_that_one_twin_answers_and_another_does_not_are_flips() -> None:
    both = [outcome(0.9, twins="both"), outcome(0.8, twins="both")]
    neither = [outcome(0.2, twins="neither", gold=False) for _ in range(2)]
    alone = [outcome(0.9), outcome(0.1, gold=False)]

    found = find_flips([*both, *neither, *alone, *flip(0.7, 0.3, "flip")])

    assert [(f.answerable.confidence, f.unanswerable.confidence) for f in found] == [(0.7, 0.3)]


def test_a_question_on_three_twins_flips_with_each_that_does_not_answer_it() -> None:
    third = outcome(0.4, twins="who", gold=False)

    found = find_flips([*flip(0.7, 0.3, "who"), third])

    assert [f.unanswerable.confidence for f in found] == [0.3, 0.4]


def test_flips_are_measured_by_order_and_at_the_thresholds() -> None:
    outcomes = [
        *flip(0.9, 0.1, "right"),
        *flip(0.9, 0.6, "right from 0.61 to 0.9"),
        *flip(0.8, 0.7, "right from 0.71 to 0.8"),
        *flip(0.2, 0.2, "not apart"),
        *flip(0.9, 0.1, "in order, but the answer is wrong", right=False),
    ]

    evaluation = Evaluation.from_outcomes(outcomes)

    (row,) = evaluation.rows
    assert row.flips.flips == 5
    assert row.flips.flips_in_order == 80.0
    # At 0.5, where answers were given, only the first; at 0.8 the first three.
    assert row.flips.flips_both_right == 20.0
    assert row.flips.flips_both_right_best_threshold == 60.0
    assert evaluation.thresholds.flips == 0.8


def test_flips_whose_answers_are_all_wrong_are_right_at_no_threshold() -> None:
    evaluation = Evaluation.from_outcomes(flip(0.9, 0.1, "who", right=False))

    assert evaluation.rows[0].flips.flips_both_right_best_threshold == 0.0
    assert evaluation.thresholds.flips is None


def test_refusals_are_counted_where_nine_in_ten_right_answers_are_kept() -> None:
    right = [outcome(number / 10) for number in range(1, 11)]
    wrong = [outcome(0.0, right=False)]
    near_misses = [outcome(confidence, gold=False) for confidence in (0.05, 0.1, 0.2, 0.8)]

    evaluation = Evaluation.from_outcomes([*right, *wrong, *near_misses])

    # Nine of ten are at 0.2 and above; nine and a half are only had with all ten.
    assert (evaluation.thresholds.keep_90, evaluation.thresholds.keep_95) == (0.2, 0.1)
    (row,) = evaluation.rows
    assert (row.near_misses.kept_90, row.near_misses.refused_90) == (90.0, 50.0)
    assert (row.near_misses.kept_95, row.near_misses.refused_95) == (100.0, 25.0)


def test_one_threshold_holds_for_every_kind_and_every_cause() -> None:
    plain = [outcome(0.9, kind="when", cause="") for _ in range(9)]
    hard = [
        outcome(0.3, cause="role"),
        outcome(0.4, gold=False, cause="role"),
        outcome(0.95, gold=False, kind="what", cause="byline"),
    ]

    evaluation = Evaluation.from_outcomes([*plain, *hard])

    kinds = {row.name: row.near_misses for row in evaluation.rows}
    assert list(kinds) == ["what", "when", "who", "all"]
    assert (kinds["when"].kept_90, kinds["when"].refused_90) == (100.0, None)
    assert (kinds["who"].kept_90, kinds["who"].refused_90) == (0.0, 100.0)
    assert (kinds["what"].kept_90, kinds["what"].refused_90) == (None, 0.0)
    assert (kinds["all"].kept_90, kinds["all"].refused_90) == (90.0, 50.0)
    causes = {row.name: (row.questions, row.near_misses.refused_90) for row in evaluation.causes}
    assert causes == {"": (9, None), "byline": (1, 0.0), "role": (2, 100.0)}


def test_nothing_is_said_of_refusals_where_all_questions_have_an_answer() -> None:
    evaluation = Evaluation.from_outcomes([outcome(0.9), outcome(0.8)])

    (row,) = evaluation.rows
    assert (row.near_misses.kept_90, row.near_misses.refused_90) == (None, None)
    assert evaluation.thresholds.keep_90 is None


def test_false_namings_are_wrong_answers_to_a_hundred_who_questions() -> None:
    outcomes = [
        outcome(0.9),
        outcome(0.9, right=False),
        outcome(0.9, gold=False),
        outcome(0.4, right=False),
        outcome(0.4, gold=False),
        outcome(0.9, gold=False, kind="keyword"),
    ]

    rows = {row.name: row.near_misses for row in Evaluation.from_outcomes(outcomes).rows}

    assert (rows["who"].who_questions, rows["who"].false_namings) == (5, 40.0)
    assert (rows["keyword"].who_questions, rows["keyword"].false_namings) == (0, None)
    # The others are not asked who did it.
    assert rows["all"].false_namings == 40.0


def test_a_reader_that_overlooks_a_denial_is_caught_by_the_twins() -> None:
    class TakesTheName:
        """Takes the first word for the answer, and is surer where nobody denies it."""

        def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
            assert question == "Who lit it?"
            text = hits[0].passage.text
            margin = 2.0 if "denied" in text else 4.0
            return [Extract(hits[0], Span(0, len(text.split()[0])), margin)]

    calibration = Calibration(
        bias=0.0,
        weights=(0.0,) * len(FEATURE_NAMES),
        threshold=0.5,
        relevance=0.0,
        paragraph=(0.0, 1.0),
    )
    twins = ("Ana lit the fire.", "Ana denied that she lit the fire.")
    examples = [
        SquadExample("1-a-0", "Who lit it?", twins[0], (Gold("Ana", 0),), twins, kind="who"),
        SquadExample("1-b-0", "Who lit it?", twins[1], (), twins, kind="who", cause="negation"),
    ]

    outcomes = read_all(TakesTheName(), calibration, examples, "contrast")

    (row,) = Evaluation.from_outcomes(outcomes).rows
    assert row.name == "who"
    assert (row.flips.flips_in_order, row.flips.flips_both_right) == (100.0, 0.0)
    assert row.flips.flips_both_right_best_threshold == 100.0
    assert row.near_misses.false_namings == 50.0
    assert [each.cause for each in outcomes] == ["", "negation"]


@pytest.mark.parametrize("cause", ["", "role"])
def test_there_are_rows_by_cause_only_where_questions_say_one(cause: str) -> None:
    evaluation = Evaluation.from_outcomes([outcome(0.9, cause=cause)])

    assert [row.name for row in evaluation.causes] == ([cause] if cause else [])
