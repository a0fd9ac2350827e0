"""The question's path: retrieve, read, group, weigh, and answer or abstain."""

import time
from collections.abc import Sequence
from typing import Protocol

from rag.catalogue import Catalogue
from rag.chunking import surrounding
from rag.confidence import Calibration, Evidence
from rag.errors import BrokenCitation
from rag.grouping import group
from rag.protocols import Reader
from rag.retriever import Retrieval
from rag.types import (
    Answer,
    Answers,
    Citation,
    Closest,
    Extract,
    NoAnswer,
    Question,
    Reason,
    Searched,
)

# How many passages are read: the reader is what a question costs.
PASSAGES_READ = 10
# A reader's score is joined by the retrieval score when answers are ranked: this many
# logits for the best passage of the question over a passage of score 0.
RETRIEVAL_LOGITS = 4.0
CLOSEST_SHOWN = 3
# Further answers are shown down to this share of the best one's confidence.
RIVAL_SHARE = 0.4
# Two different answers this near to each other cannot be told apart.
TOO_CLOSE_SHARE = 0.8


class Finder(Protocol):
    """What the answerer needs of a retriever."""

    def retrieve(self, question: Question, limit: int) -> Retrieval:
        """Return at most `limit` hits, best first."""


class Answerer:
    """Answers questions with verbatim, cited spans, or says that the archive does not."""

    def __init__(
        self, retriever: Finder, reader: Reader, calibration: Calibration, catalogue: Catalogue
    ) -> None:
        self._retriever = retriever
        self._reader = reader
        self._calibration = calibration
        self._catalogue = catalogue

    def answer(self, question: Question) -> Answers | NoAnswer:
        """Return the archive's answers, best first, or why there is none and the closest."""
        started = time.perf_counter()
        with self._catalogue.reading():
            articles, passages = self._catalogue.counts()
            version = str(self._catalogue.state())
            retrieval = self._retriever.retrieve(question, PASSAGES_READ)
        retrieved = time.perf_counter()
        extracts = self._reader.read(question.text, retrieval.hits)
        candidates = self._weigh(ranked(extracts), retrieval)
        read = time.perf_counter()
        searched = Searched(
            articles,
            passages,
            version,
            retrieve_ms=1000 * (retrieved - started),
            read_ms=1000 * (read - retrieved),
        )
        reason = self._reason_to_abstain(candidates, retrieval)
        if reason is not None:
            closest = tuple(
                Closest(answer.citations[0], answer.confidence)
                for answer in candidates[:CLOSEST_SHOWN]
            )
            return NoAnswer(question, reason, closest, searched)
        least = RIVAL_SHARE * candidates[0].confidence
        given = [answer for answer in candidates if answer.confidence >= least]
        return Answers(question, tuple(given[: question.max_answers]), searched)

    def _weigh(self, extracts: Sequence[Extract], retrieval: Retrieval) -> list[Answer]:
        answers = []
        for members in group(extracts):
            best = members[0]
            evidence = Evidence(
                margin=best.score,
                similarity=retrieval.similarity,
                hit_score=best.hit.score,
                agreement=len(members) - 1,
            )
            confidence = self._calibration.probability(evidence)
            citations = tuple(cite(member) for member in members)
            answers.append(Answer(best.text, confidence, citations))
        return sorted(answers, key=lambda answer: -answer.confidence)

    def _reason_to_abstain(
        self, candidates: Sequence[Answer], retrieval: Retrieval
    ) -> Reason | None:
        if not candidates or retrieval.similarity < self._calibration.relevance:
            return Reason.NOTHING_RELEVANT
        best, *rivals = [answer.confidence for answer in candidates[:2]]
        threshold = self._calibration.threshold
        if best >= threshold:
            return None
        if rivals and rivals[0] >= TOO_CLOSE_SHARE * best and best + rivals[0] >= threshold:
            return Reason.TOO_CLOSE
        return Reason.NOT_ANSWERED


def ranked(extracts: Sequence[Extract]) -> list[Extract]:
    """Return the extracts best first, by the reader's and the retriever's scores together."""
    return sorted(
        extracts, key=lambda extract: -(extract.score + RETRIEVAL_LOGITS * extract.hit.score)
    )


def cite(extract: Extract) -> Citation:
    """Return the extract in its sentence, after making sure that the quote is the article's."""
    article, span = extract.article, extract.span
    if article.text[span.start : span.end] != extract.text:
        raise BrokenCitation(f"{article.id} [{span.start}, {span.end}) is not its quote")
    return Citation(extract, surrounding(article.text, article.language, span))
