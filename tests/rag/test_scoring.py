import pytest

from rag.scoring import auroc, best_threshold_mean, exact_match, f1, normalise


def test_case_punctuation_and_articles_do_not_count() -> None:
    assert normalise("The  U.S. Army, a force!") == "us army force"


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


def test_auroc_counts_ties_half() -> None:
    assert auroc([3.0, 1.0, 1.0], [True, True, False]) == 0.75
