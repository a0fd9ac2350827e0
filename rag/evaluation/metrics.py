"""Metrics: SQuAD's exact match and F1, threshold and calibration metrics of confidences.

The functions bear the metrics' usual names.
"""

import math
import random
import string
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

# English articles, left out by SQuAD's normalisation.
ARTICLES = {"a", "an", "the"}
# Draws whose mean estimates the calibration error by chance.
CHANCE_ROUNDS = 100
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text: str) -> str:
    """Lower-case the text and leave out punctuation and articles, as SQuAD does.

    >>> normalize_answer("The U.S. Army")
    'us army'
    """
    words = text.lower().translate(PUNCTUATION).split()
    return " ".join(word for word in words if word not in ARTICLES)


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """Return 1.0 if the normalised answer equals a gold; no golds means that "" is right."""
    return float(any(normalize_answer(answer) == normalize_answer(gold) for gold in golds or [""]))


def f1(answer: str, golds: Sequence[str]) -> float:
    """Return the token F1 with the closest gold, from 0 to 1; no golds means that "" is right."""
    return max(
        _token_f1(normalize_answer(answer).split(), normalize_answer(gold).split())
        for gold in golds or [""]
    )


def _token_f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = (Counter(answer) & Counter(gold)).total()
    return 2 * shared / (len(answer) + len(gold))


def best_threshold_mean(
    scores: Sequence[float], if_answered: Sequence[float], if_silent: Sequence[float]
) -> float:
    """Return the best mean over all thresholds: questions scored above are answered, others not."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    total = best = sum(if_silent)
    for place, i in enumerate(order):
        total += if_answered[i] - if_silent[i]
        # Equal scores fall on the same side of every threshold.
        if place + 1 == len(order) or scores[order[place + 1]] != scores[i]:
            best = max(best, total)
    return best / len(scores)


def threshold_keeping(scores: Sequence[float], percent: int) -> float:
    """Return the highest threshold that at least this many per cent of the scores reach.

    >>> threshold_keeping([0.2, 0.9, 0.4, 0.8], 75)
    0.4

    Raises:
        ValueError: there are no scores.
    """
    if not scores:
        raise ValueError("threshold_keeping: needs at least one score")
    return sorted(scores, reverse=True)[math.ceil(percent * len(scores) / 100) - 1]


def threshold_between_most(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the lowest of the thresholds that part most pairs: above the first, not the second.

    >>> threshold_between_most([(0.1, 0.5), (0.3, 0.9), (0.8, 0.7)])
    0.5

    Raises:
        ValueError: there are no pairs.
    """
    rising = [(low, high) for low, high in pairs if low < high]
    lows, highs = sorted(low for low, _ in rising), sorted(high for _, high in rising)
    # Pairs whose lower score is below the threshold, less those whose higher one is as well.
    return max(
        sorted(high for _, high in pairs),
        key=lambda threshold: bisect_left(lows, threshold) - bisect_left(highs, threshold),
    )


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Return the area under the ROC curve; ties count half.

    It is the chance that a positive scores above a negative, computed from ranks (Mann &
    Whitney 1947).

    Raises:
        ValueError: there is no positive, or no negative.
    """
    positives = sum(positive)
    negatives = len(positive) - positives
    if not positives or not negatives:
        raise ValueError("auroc: needs at least one positive and one negative")
    rank_sum = below = 0.0
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    for _, tied in groupby(order, key=lambda i: scores[i]):
        members = list(tied)
        # Those with equal scores share the mean of their ranks.
        rank_sum += (below + (len(members) + 1) / 2) * sum(positive[i] for i in members)
        below += len(members)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def risk_coverage_curve(
    confidences: Sequence[float], right: Sequence[bool]
) -> list[tuple[float, float]]:
    """Return the points (coverage, risk) of all thresholds, from the highest threshold down.

    Coverage is the share of questions answered, risk the share of wrong answers among them.
    """
    order = sorted(range(len(confidences)), key=lambda i: -confidences[i])
    points, wrong = [], 0
    for place, i in enumerate(order, start=1):
        wrong += not right[i]
        # No threshold separates equal confidences.
        if place == len(order) or confidences[order[place]] != confidences[i]:
            points.append((place / len(order), wrong / place))
    return points


def coverage_at_accuracy(
    confidences: Sequence[float], right: Sequence[bool], accuracy: float
) -> float:
    """Return the largest share of questions that a threshold answers with this accuracy or more."""
    points = risk_coverage_curve(confidences, right)
    return max((share for share, risk in points if 1 - risk >= accuracy), default=0.0)


def expected_calibration_error(
    confidences: Sequence[float], right: Sequence[bool], bins: int
) -> float:
    """Return the ECE: the mean distance of confidence and share of right ones over equal bins."""
    found = reliability_bins(confidences, right, bins)
    return sum(mass * abs(confidence - share) for confidence, share, mass in found)


def expected_calibration_error_by_chance(confidences: Sequence[float], bins: int) -> float:
    """Return the mean ECE that perfectly calibrated confidences would show by chance.

    Consistency resampling (Bröcker and Smith 2007): in each of CHANCE_ROUNDS draws with a fixed
    seed, every answer is right with the probability of its confidence.
    """
    draw = random.Random(0)
    errors = (
        expected_calibration_error(
            confidences, [draw.random() < each for each in confidences], bins
        )
        for _ in range(CHANCE_ROUNDS)
    )
    return sum(errors) / CHANCE_ROUNDS


def reliability_bins(
    confidences: Sequence[float], right: Sequence[bool], bins: int
) -> list[tuple[float, float, float]]:
    """Return bins of equal mass by rising confidence: mean confidence, accuracy, share of all."""
    order = sorted(range(len(confidences)), key=lambda i: confidences[i])
    found = []
    for number in range(bins):
        members = order[number * len(order) // bins : (number + 1) * len(order) // bins]
        if members:
            mean = sum(confidences[i] for i in members) / len(members)
            share = sum(right[i] for i in members) / len(members)
            found.append((mean, share, len(members) / len(order)))
    return found


def compute_percentage(values: Sequence[float]) -> float | None:
    """Return the mean in per cent with one decimal, None for no values."""
    return round(100 * sum(values) / len(values), 1) if values else None
