"""The question's path: retrieve, read, group, weigh, and answer or abstain."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from citewire.rag.errors import BrokenCitation
from citewire.rag.query import Query
from citewire.rag.reader_protocol import Reader
from citewire.rag.reading.calibration import MAX_LEAD, Calibration, Features
from citewire.rag.reading.grouping import group
from citewire.rag.reading.question_kind import find_kind
from citewire.rag.reading.selective import Watcher, compute_rank_score, read_selectively
from citewire.rag.reading.term_coverage import compute_coverage
from citewire.rag.retriever_protocol import Retrieval, Retriever
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

# Passages that may be read: the best for an answer, the others to confirm or contradict it.
PASSAGES_FOUND = 8
# Softmax temperature, in logits, between different answers: a reader's logits are overconfident.
TEMPERATURE = 1.5
# Closest passages that come with an abstention.
CLOSEST_SHOWN = 3
# Logits that a contradicting answer may rank behind the best one and still be given.
RIVAL_LAG = 3.0
# Share of the best confidence from which a rival is too close to decide between the two.
TOO_CLOSE_SHARE = 0.8


class QuestionAnswerer(Protocol):
    """Answers questions; the service's implementation keeps the results of another one."""

    def answer(self, question: Question, watcher: Watcher = ..., /) -> Answers | NoAnswer:
        """Return the answers, best first, or why there is none; see Answerer."""


def ignore_hits(_hits: Sequence[Hit]) -> None:
    """Let the passages pass unseen."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Extracts that say the same, the best first, and their features."""

    extracts: tuple[Extract, ...]
    features: Features


class Answerer:
    """Answers questions with verbatim, cited spans, or says that the archive does not."""

    def __init__(self, retriever: Retriever, reader: Reader, calibration: Calibration) -> None:
        self._retriever = retriever
        self._reader = reader
        self._calibration = calibration

    def answer(self, question: Question, watcher: Watcher = ignore_hits) -> Answers | NoAnswer:
        """Return the archive's answers, best first, or why there is none and the closest passages.

        `watcher` is called with the passages before they are read: the most promising, then others.
        """
        retrieval = self._retriever.retrieve(question, PASSAGES_FOUND)
        started = time.perf_counter()
        extracts = read_selectively(self._reader, retrieval.query, retrieval.hits, watcher)
        weighed = self._weigh(build_candidates(retrieval.query, extracts))
        answers = [answer for answer, _ in weighed]
        searched = Searched(
            retrieval.articles,
            retrieval.passages,
            retrieval.index_version,
            retrieve_ms=retrieval.elapsed_ms,
            read_ms=1000 * (time.perf_counter() - started),
        )
        reason = self._reason_to_abstain(retrieval, answers)
        if reason is not None:
            closest = [Closest(weak.citations[0], weak.confidence) for weak in answers]
            return NoAnswer(question, reason, tuple(closest[:CLOSEST_SHOWN]), searched)
        return Answers(question, tuple(select_rivals(weighed)[: question.max_answers]), searched)

    def find_candidates(self, question: Question) -> list[Candidate]:
        """Return all candidates without probabilities: a calibration is fitted to these."""
        retrieval = self._retriever.retrieve(question, PASSAGES_FOUND)
        extracts = read_selectively(self._reader, retrieval.query, retrieval.hits, ignore_hits)
        return build_candidates(retrieval.query, extracts)

    def _weigh(self, candidates: Sequence[Candidate]) -> list[tuple[Answer, float]]:
        """Return each candidate as an answer with its best extract's rank score, best first."""
        weighed = [
            (
                Answer(
                    candidate.extracts[0].text,
                    self._calibration.probability(candidate.features),
                    tuple(cite(extract) for extract in candidate.extracts),
                ),
                compute_rank_score(candidate.extracts[0]),
            )
            for candidate in candidates
        ]
        return sorted(weighed, key=lambda pair: -pair[0].confidence)

    def _reason_to_abstain(self, retrieval: Retrieval, answers: Sequence[Answer]) -> Reason | None:
        nearest = max((hit.similarity for hit in retrieval.hits), default=0.0)
        if not answers or nearest < self._calibration.relevance:
            return Reason.NOTHING_RELEVANT
        best, *rivals = [answer.confidence for answer in answers[:2]]
        threshold = self._calibration.threshold_for(find_kind(retrieval.query.text))
        if best >= threshold:
            return None
        if rivals and rivals[0] >= TOO_CLOSE_SHARE * best and best + rivals[0] >= threshold:
            return Reason.TOO_CLOSE
        if best >= self._calibration.possible:
            return Reason.UNCERTAIN
        return Reason.NOT_ANSWERED


def select_rivals(weighed: Sequence[tuple[Answer, float]]) -> list[Answer]:
    """Return the best answer and those that contradict it, each from an article of its own.

    `weighed` are answers with their rank scores, best first. Two answers from one article are its
    two halves, or a slip of the reader; two from different articles are a disagreement that the
    user should see.
    """
    least = weighed[0][1] - RIVAL_LAG
    given: list[Answer] = []
    seen: set[str] = set()
    for answer, score in weighed:
        articles = {citation.article.id for citation in answer.citations}
        if score >= least and not articles <= seen:
            given.append(answer)
        seen |= articles
    return given


def build_candidates(query: Query, extracts: Iterable[Extract]) -> list[Candidate]:
    """Group the extracts that say the same, best first."""
    groups = [
        [members[0], *filter(is_support, members[1:])]
        for members in group(sorted(extracts, key=lambda extract: -compute_rank_score(extract)))
    ]
    weights = [
        sum(math.exp(compute_rank_score(member) / TEMPERATURE) for member in each)
        for each in groups
    ]
    total = sum(weights)
    kind = find_kind(query.text)
    return [
        Candidate(
            tuple(members),
            Features(
                margin=members[0].margin,
                similarity=max(member.hit.similarity for member in members),
                coverage=compute_coverage(query.stems, members[0].hit.passage),
                lead=compute_log_odds(weight, total - weight),
                cls_vector=members[0].cls_vector,
                kind=kind,
            ),
        )
        for weight, members in zip(weights, groups, strict=True)
    ]


def is_support(extract: Extract) -> bool:
    """Say whether the reader would give the answer from this passage by itself.

    The same words elsewhere may mean something else; they do not support the answer.
    """
    return extract.margin > 0


def compute_log_odds(weight: float, others: float) -> float:
    """Return the logarithm of the odds, MAX_LEAD when there is no other weight."""
    return math.log(weight / others) if others > 0 else MAX_LEAD


def cite(extract: Extract) -> Citation:
    """Return the extract in its sentences; raise BrokenCitation when it is not the article's."""
    article, span = extract.article, extract.span
    if article.text[span.start : span.end] != extract.text:
        raise BrokenCitation(f"{article.id} [{span.start}, {span.end}) is not its quote")
    return Citation.in_sentence(article, span)
