"""From Citewire's values to JSON objects: each quote is checked here before it leaves."""

from collections.abc import Sequence
from typing import Any

from citewire.index.archive.protocol import Snapshot
from citewire.index.catalogue.records import ArticleRecord
from citewire.index.types import Article, Span
from citewire.rag.errors import BrokenCitation
from citewire.rag.quotes.evidence import Evidence
from citewire.rag.quotes.permalink import EvidenceId
from citewire.rag.quotes.verification import Verdict
from citewire.rag.retriever_protocol import Retrieval, ScoredHit
from citewire.rag.types import Answer, Answers, Citation, Closest, Hit, NoAnswer
from citewire.service.wire.answers import (
    AnswerOut,
    AskResponse,
    CitationOut,
    ClosestOut,
    SearchedOut,
    SupportOut,
    TimingOut,
)
from citewire.service.wire.articles import ArticleOut, ArticleSummary
from citewire.service.wire.events import PassageOut, PassagesOut
from citewire.service.wire.quotes import EvidenceOut, VerifyResponse
from citewire.service.wire.search import FoundOut, LegsOut, SearchResponse


def convert_result(result: Answers | NoAnswer, request_id: str) -> AskResponse:
    """Return the wire object; raise BrokenCitation when a quote is not its article's text."""
    searched = result.searched
    no_answer = result if isinstance(result, NoAnswer) else None
    answers = () if isinstance(result, NoAnswer) else result.answers
    return AskResponse(
        status="no_answer" if no_answer else "answered",
        reason=no_answer.reason if no_answer else None,
        question=result.question.text,
        answers=[convert_answer(item) for item in answers],
        closest=[convert_closest(item) for item in no_answer.closest] if no_answer else [],
        searched=SearchedOut(articles=searched.articles, passages=searched.passages),
        index_version=searched.index_version,
        timing_ms=TimingOut(
            retrieve=round(searched.retrieve_ms, 1),
            read=round(searched.read_ms, 1),
            total=round(searched.retrieve_ms + searched.read_ms, 1),
        ),
        cached=searched.cached,
        request_id=request_id,
    )


def convert_answer(item: Answer) -> AnswerOut:
    """Return an answer's wire object."""
    return AnswerOut(
        text=item.text,
        confidence=round(item.confidence, 4),
        support=SupportOut(articles=item.supporting_articles),
        citations=[convert_citation(citation) for citation in item.citations],
    )


def convert_closest(item: Closest) -> ClosestOut:
    """Return the wire object of a passage that comes close."""
    confidence = round(item.confidence, 4)
    citation = dict(convert_citation(item.citation))
    return ClosestOut(confidence=confidence, score=confidence, **citation)


def convert_citation(citation: Citation) -> CitationOut:
    """Return a citation's wire object after checking it against the article, as a client would."""
    article, span, around = citation.article, citation.span, citation.context
    context = around.of(article.text)
    if span.shift(-around.start).of(context) != citation.text:
        raise BrokenCitation(describe_mismatch(article, span))
    return CitationOut(
        **describe_quote(article, span, citation.text),
        context=context,
        context_start=around.start,
        evidence=f"/evidence/{EvidenceId.from_span(article, span)}",
    )


def describe_quote(article: Article, span: Span, quote: str) -> dict[str, Any]:
    """Return the fields of QuoteOut; raise BrokenCitation when it is not the article's text."""
    if article.text[span.start : span.end] != quote:
        raise BrokenCitation(describe_mismatch(article, span))
    return describe_place(article, span) | {"quote": quote}


def describe_place(article: Article, span: Span) -> dict[str, Any]:
    """Return the fields of PlaceOut."""
    return {
        "article_id": article.id,
        "article_sha256": article.digest,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": article.published,
        "start": span.start,
        "end": span.end,
    }


def describe_mismatch(article: Article, span: Span) -> str:
    """Return the message about a quote that is not its article's text."""
    return f"{article.id} [{span.start}, {span.end}) is not its quote"


def convert_verdict(verdict: Verdict, snapshot: Snapshot, request_id: str) -> VerifyResponse:
    """Return a verdict's wire object; the snapshot is of the state that was searched."""
    size = snapshot.size
    return VerifyResponse(
        status=verdict.status,
        matches=[convert_citation(match) for match in verdict.matches],
        more=verdict.more,
        closest=None if verdict.closest is None else convert_citation(verdict.closest),
        searched=SearchedOut(articles=size.articles, passages=size.passages),
        index_version=str(snapshot.state),
        request_id=request_id,
    )


def convert_evidence(evidence: Evidence) -> EvidenceOut:
    """Return the wire object of a link's evidence."""
    place = evidence.citation
    return EvidenceOut(
        state=evidence.state, citation=None if place is None else convert_citation(place)
    )


def convert_search(found: Retrieval, request_id: str, *, explain: bool) -> SearchResponse:
    """Return the wire object; raise BrokenCitation when a quote is not its article's text."""
    return SearchResponse(
        question=found.query.text,
        passages=[convert_hit(scored, explain=explain) for scored in found.scored],
        searched=SearchedOut(articles=found.articles, passages=found.passages),
        index_version=found.index_version,
        search_ms=round(found.elapsed_ms, 1),
        request_id=request_id,
    )


def convert_hit(scored: ScoredHit, *, explain: bool) -> FoundOut:
    """Return a passage's wire object after checking it against its article."""
    passage = scored.hit.passage
    scores = scored.scores
    explained = LegsOut(
        cosine=round(scores.cosine, 4),
        bm25=round(scores.bm25, 4),
        dense_rank=scores.dense_rank,
        lexical_rank=scores.lexical_rank,
    )
    return FoundOut(
        **describe_quote(passage.article, passage.span, passage.text),
        score=round(scored.hit.score, 4),
        legs=explained if explain else None,
    )


def convert_hits(hits: Sequence[Hit]) -> PassagesOut:
    """Return the wire object of the passages that are read."""
    return PassagesOut(
        passages=[
            PassageOut(
                **describe_place(hit.passage.article, hit.passage.span),
                score=round(hit.score, 4),
            )
            for hit in hits
        ]
    )


def convert_article(article: Article) -> ArticleOut:
    """Return an article's wire object."""
    return ArticleOut(**describe_article(article), text=article.text)


def convert_record(record: ArticleRecord) -> ArticleSummary:
    """Return the wire object of an article in a list."""
    return ArticleSummary(**describe_article(record), characters=record.characters)


def describe_article(article: Article | ArticleRecord) -> dict[str, Any]:
    """Return the fields of ArticleFields."""
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": article.published,
        "author": article.author,
        "language": article.language,
        "sha256": article.digest,
    }
