"""SQuAD's scores, written from their description: exact match, F1, and judging abstention."""

import random
import string
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

ARTICLES = {"a", "an", "the"}
CHANCE_ROUNDS = 100
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Lower-case, without punctuation and articles: `normalise("The U.S. Army")` is `"us army"`."""
    words = text.lower().translate(PUNCTUATION).split()
    return " ".join(word for word in words if word not in ARTICLES)


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1.0 if the answer equals a gold after normalising; no golds means that "" is right."""
    return float(any(normalise(answer) == normalise(gold) for gold in golds or [""]))


def f1(answer: str, golds: Sequence[str]) -> float:
    """Word overlap with the closest gold, from 0 to 1; no golds means that "" is right."""
    return max(_f1(normalise(answer).split(), normalise(gold).split()) for gold in golds or [""])


def _f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = (Counter(answer) & Counter(gold)).total()
    return 2 * shared / (len(answer) + len(gold))


def best_threshold_mean(
    scores: Sequence[float], if_answered: Sequence[float], if_silent: Sequence[float]
) -> float:
    """Best mean over all thresholds: questions scored above are answered, the rest are not."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    total = best = sum(if_silent)
    for place, i in enumerate(order):
        total += if_answered[i] - if_silent[i]
        # Equal scores fall on the same side of every threshold.
        if place + 1 == len(order) or scores[order[place + 1]] != scores[i]:
            best = max(best, total)
    return best / len(scores)


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Chance that a positive scores above a negative, ties counting half; needs one of each.

    Computed from ranks (Mann & Whitney 1947).
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


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """Points (share answered, share wrong among those) as ever less sure ones are answered."""
    order = sorted(range(len(confidences)), key=lambda i: -confidences[i])
    points, wrong = [], 0
    for place, i in enumerate(order, start=1):
        wrong += not right[i]
        # No threshold lies between equal confidences.
        if place == len(order) or confidences[order[place]] != confidences[i]:
            points.append((place / len(order), wrong / place))
    return points


def coverage_at(confidences: Sequence[float], right: Sequence[bool], accuracy: float) -> float:
    """Largest share of questions that some threshold answers with at least this accuracy."""
    points = risk_coverage(confidences, right)
    return max((share for share, risk in points if 1 - risk >= accuracy), default=0.0)


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int) -> float:
    """Mean distance between confidence and share of right ones, over bins of equal mass."""
    found = reliability(confidences, right, bins)
    return sum(mass * abs(confidence - share) for confidence, share, mass in found)


def calibration_error_by_chance(confidences: Sequence[float], bins: int) -> float:
    """Mean calibration error that exactly right confidences would show, from few questions alone.

    Each is right as often as it says in CHANCE_ROUNDS draws, whose seed is fixed (consistency
    resampling, Bröcker and Smith 2007).
    """
    draw = random.Random(0)
    errors = (
        calibration_error(confidences, [draw.random() < each for each in confidences], bins)
        for _ in range(CHANCE_ROUNDS)
    )
    return sum(errors) / CHANCE_ROUNDS


def reliability(
    confidences: Sequence[float], right: Sequence[bool], bins: int
) -> list[tuple[float, float, float]]:
    """Bins of equal mass by rising confidence: mean confidence, share right, share of all."""
    order = sorted(range(len(confidences)), key=lambda i: confidences[i])
    found = []
    for number in range(bins):
        members = order[number * len(order) // bins : (number + 1) * len(order) // bins]
        if members:
            mean = sum(confidences[i] for i in members) / len(members)
            share = sum(right[i] for i in members) / len(members)
            found.append((mean, share, len(members) / len(order)))
    return found
