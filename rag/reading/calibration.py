"""Calibration: from an answer's features to the probability that it is right."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from citewire.rag.errors import ModelRejected
from citewire.rag.reading.question_kind import QuestionKind

CALIBRATION_FILE = "confidence.json"
FEATURE_NAMES = ("margin", "similarity", "coverage", "lead")
# Logits: larger leads are clipped, since they say no more.
MAX_LEAD = 8.0


@dataclass(frozen=True, slots=True)
class Features:
    """The features of one candidate answer, from which its probability is computed.

    `margin` is its best extract's logit margin; `similarity` the cosine between the question and
    the nearest passage that says it; `coverage` the share of the question's words that the best
    extract's passage or its title has; `lead` the log-odds of the answer against all others
    that were found, each weighted by the passages that say it; `cls_vector` the reader's last
    hidden vector of the best extract's window at [CLS], empty where the reader gives none; `kind`
    what the question asks for.
    """

    margin: float
    similarity: float
    coverage: float
    lead: float
    cls_vector: tuple[float, ...] = ()
    kind: QuestionKind = QuestionKind.KEYWORDS

    def vector(self) -> tuple[float, ...]:
        """Return the feature vector, in the order of FEATURE_NAMES, with the lead clipped."""
        lead = max(-MAX_LEAD, min(MAX_LEAD, self.lead))
        return (self.margin, self.similarity, self.coverage, lead)


@dataclass(frozen=True, slots=True)
class KindWeights:
    """What a kind of question adds to the bias and to the weight of the margin."""

    bias: float
    margin: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling (Platt 1999): a logistic regression over Features, and the answering threshold.

    `threshold` is the lowest probability of an answer that is given, `who_threshold` that of one to
    a question that asks who did it, since a wrong name accuses somebody; `possible` that of one
    which is named as possible. `risk` bounds the share of wrong answers among those given, with
    95 % confidence, on questions like those that it was fitted to. `relevance` is the lowest
    similarity at which the archive counts as relevant to the question. `kinds` are corrections for
    kinds of question, shrunk towards none.
    `paragraph` holds bias and weight of the margin by itself, for a question that is read on a
    given paragraph, without an archive. `cls_weights` are the weights of `cls_vector`: they
    score whether the passage answers such a question at all, in addition to the span's margin
    (passage selection as in Karpukhin 2020, fitted afterwards); without them the vector is ignored.
    """

    bias: float
    weights: tuple[float, ...]
    threshold: float
    relevance: float
    paragraph: tuple[float, float] = (0.0, 0.5)
    cls_weights: tuple[float, ...] = ()
    kinds: Mapping[QuestionKind, KindWeights] = field(default_factory=dict)
    possible: float = 1.0
    risk: float | None = None
    who_threshold: float | None = None

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURE_NAMES):
            raise ModelRejected(
                f"a calibration has {len(self.weights)} weights; it needs {len(FEATURE_NAMES)}"
            )

    def probability(self, features: Features) -> float:
        """Return the probability that the answer is right."""
        logit = self.bias + dot(self.weights, features.vector())
        if self.cls_weights and features.cls_vector:
            logit += dot(self.cls_weights, features.cls_vector)
        if kind := self.kinds.get(features.kind):
            logit += kind.bias + kind.margin * features.margin
        return sigmoid(logit)

    def threshold_for(self, kind: QuestionKind) -> float:
        """Return the lowest probability of an answer that is given to a question of this kind."""
        if kind is QuestionKind.WHO and self.who_threshold is not None:
            return self.who_threshold
        return self.threshold

    def probability_in_paragraph(self, margin: float) -> float:
        """Return the probability that a given paragraph's best span is right."""
        bias, weight = self.paragraph
        return sigmoid(bias + weight * margin)


# For a reader without a calibration: even odds at a margin of 0.
UNCALIBRATED = Calibration(bias=0.0, weights=(0.5, 0.0, 0.0, 0.0), threshold=0.5, relevance=0.2)


def sigmoid(logit: float) -> float:
    """Return the logistic function of a logit, which is clipped so that it cannot overflow."""
    return 1.0 / (1.0 + math.exp(-max(min(logit, 60.0), -60.0)))


def dot(weights: Sequence[float], features: Sequence[float]) -> float:
    """Return the dot product: the features' weighted sum."""
    return sum(weight * feature for weight, feature in zip(weights, features, strict=True))


def read_calibration(folder: Path, reader_identity: str) -> Calibration:
    """Read the calibration in a reader's folder; return UNCALIBRATED when there is none.

    Raises:
        ModelRejected: the calibration is broken, or was fitted to another reader.
    """
    file = folder / CALIBRATION_FILE
    if not file.exists():
        return UNCALIBRATED
    try:
        fields = json.loads(file.read_text("utf-8"))
        if fields["reader"] != reader_identity:
            raise ModelRejected(f"{file}: was fitted to another reader; fit it again")
        return Calibration(
            bias=float(fields["bias"]),
            weights=tuple(float(fields["weights"][name]) for name in FEATURE_NAMES),
            threshold=float(fields["threshold"]),
            relevance=float(fields["relevance"]),
            paragraph=(float(fields["paragraph"]["bias"]), float(fields["paragraph"]["margin"])),
            cls_weights=tuple(float(weight) for weight in fields.get("state_weights", [])),
            kinds={
                QuestionKind(kind): KindWeights(float(own["bias"]), float(own["margin"]))
                for kind, own in fields.get("kinds", {}).items()
            },
            possible=float(fields.get("possible", 1.0)),
            who_threshold=float(fields["who_threshold"]) if "who_threshold" in fields else None,
            risk=float(fields["risk"]["bound"]) if "risk" in fields else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRejected(f"{file}: no usable calibration: {error!r}") from error
