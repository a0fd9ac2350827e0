import pytest

from citewire.rag.evaluation.metrics import (
    auroc,
    best_threshold_mean,
    exact_match,
    expected_calibration_error,
    expected_calibration_error_by_chance,
    f1,
    normalize_answer,
    threshold_between_most,
    threshold_keeping,
)


def test_case_punctuation_and_articles_do_not_count() -> None:
    assert normalize_answer("The  U.S. Army, a force!") == "us army force"


def test_exact_match_takes_any_gold() -> None:
    assert exact_match("the Vire", ["a river", "Vire."]) == 1.0


def test_f1_is_the_overlap_with_the_closest_gold() -> None:
    assert f1("old stone bridge", ["a tower", "the stone bridge of Vire"]) == pytest.approx(
        2 * 2 / (3 + 4)
    )


def test_silence_is_right_only_without_golds() -> None:
    assert (f1("", []), f1("Vire", []), f1("", ["Vire"])) == (1.0, 0.0, 0.0)


def test_best_threshold_answers_the_sure_and_abstains_on_the_rest() -> None:
    assert best_threshold_mean([3.0, 2.0, 1.0], [1.0, 0.5, 0.0], [0.0, 0.0, 1.0]) == pytest.approx(
        2.5 / 3
    )


def test_threshold_cannot_part_equal_scores() -> None:
    assert best_threshold_mean([1.0, 1.0], [1.0, 0.0], [0.0, 1.0]) == 0.5


def test_threshold_keeps_at_least_the_share_that_is_asked_for() -> None:
    scores = [number / 10 for number in range(10)]
    assert threshold_keeping(scores, 90) == 0.1
    # 95 % of ten are nine and a half.
    assert threshold_keeping(scores, 95) == 0.0


def test_threshold_between_most_pairs_is_above_the_first_and_reached_by_the_second() -> None:
    assert threshold_between_most([(0.1, 0.4), (0.4, 0.6), (0.5, 0.9)]) == 0.6
    # No threshold parts a pair whose second score is not higher.
    assert threshold_between_most([(0.1, 0.2), (0.5, 0.5), (0.9, 0.5)]) == 0.2
    assert threshold_between_most([(0.7, 0.3)]) == 0.3


def test_auroc_counts_ties_half() -> None:
    assert auroc([3.0, 1.0, 1.0], [True, True, False]) == 0.75


def test_calibration_error_is_the_distance_of_confidence_and_truth() -> None:
    confidences = [0.1, 0.1, 0.8, 0.8]
    right = [False, False, True, False]
    # The lower bin is off by 0.1, the upper by 0.8 - 0.5.
    assert expected_calibration_error(confidences, right, bins=2) == pytest.approx((0.1 + 0.3) / 2)


def test_few_questions_show_an_error_even_where_confidences_are_right() -> None:
    # A single answer in a bin is off by a half either way; the share of 1,000 hardly is.
    assert expected_calibration_error_by_chance([0.5, 0.5], bins=2) == pytest.approx(0.5)
    # The mean distance of a share of 500 from one half is sqrt(2 / pi) * 0.5 / sqrt(500).
    assert expected_calibration_error_by_chance([0.5] * 1000, bins=2) == pytest.approx(
        0.0178, rel=0.2
    )
    assert expected_calibration_error_by_chance([0.0, 1.0], bins=2) == 0.0
