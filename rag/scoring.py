"""SQuAD's scores, written from their description: exact match, F1, and judging abstention."""

import string
from collections import Counter
from collections.abc import Sequence

ARTICLES = {"a", "an", "the"}
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
    """Chance that a positive scores above a negative, ties counting half; needs one of each."""
    positives = [score for score, is_positive in zip(scores, positive, strict=True) if is_positive]
    negatives = [
        score for score, is_positive in zip(scores, positive, strict=True) if not is_positive
    ]
    if not positives or not negatives:
        raise ValueError("auroc: needs at least one positive and one negative")
    won = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return won / (len(positives) * len(negatives))


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int) -> float:
    """Mean distance between confidence and share of right ones, over bins of equal mass."""
    order = sorted(range(len(confidences)), key=lambda i: confidences[i])
    error = 0.0
    for number in range(bins):
        members = order[number * len(order) // bins : (number + 1) * len(order) // bins]
        error += abs(sum(confidences[i] - right[i] for i in members)) / len(order)
    return error
