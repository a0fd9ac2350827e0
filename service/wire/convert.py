"""From Citewire's values to the wire: the last place that sees a citation before it leaves."""

from collections.abc import Sequence

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.schema import ArticleRecord
from citewire.index.types import Article, Span
from citewire.rag.errors import BrokenCitation
from citewire.rag.quotes.evidence import Evidence
from citewire.rag.quotes.matching import Quotation
from citewire.rag.quotes.permalink import evidence_id
from citewire.rag.quotes.verification import Verdict
from citewire.rag.types import Answer, Answers, Citation, Closest, Hit, NoAnswer
from citewire.service.wire.answers import (
    AnswerOut,
    ArticleOut,
    ArticleSummary,
    AskResponse,
    CitationOut,
    ClosestOut,
    QuoteOut,
    SearchedOut,
    SupportOut,
    TimingOut,
)
from citewire.service.wire.events import PassageOut, PassagesOut
from citewire.service.wire.quotes import EvidenceOut, VerifyResponse


def ask_response(result: Answers | NoAnswer, request_id: str) -> AskResponse:
    """Return the wire object; raise BrokenCitation when a quote is not its article's text."""
    searched = result.searched
    no_answer = result if isinstance(result, NoAnswer) else None
    return AskResponse(
        status="no_answer" if no_answer else "answered",
        reason=no_answer.reason if no_answer else None,
        question=result.question.text,
        answers=[] if isinstance(result, NoAnswer) else [answer(item) for item in result.answers],
        closest=[closest(item) for item in no_answer.closest] if no_answer else [],
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


def answer(item: Answer) -> AnswerOut:
    """Return an answer's wire object."""
    return AnswerOut(
        text=item.text,
        confidence=round(item.confidence, 4),
        support=SupportOut(articles=item.supporting_articles),
        citations=[citation_out(citation) for citation in item.citations],
    )


def closest(item: Closest) -> ClosestOut:
    """Return the wire object of a passage that comes close."""
    confidence = round(item.confidence, 4)
    return ClosestOut(confidence=confidence, **citation_out(item.citation).model_dump())


def citation_out(citation: Citation) -> CitationOut:
    """Return a citation's wire object after checking it against the article, as a client would."""
    extract = citation.extract
    return checked(extract.article, extract.span, extract.text, citation.context)


def quotation_out(quotation: Quotation) -> CitationOut:
    """Return a quotation's wire object, checked in the same way."""
    return checked(quotation.article, quotation.span, quotation.text, quotation.context)


def checked(article: Article, span: Span, quote: str, around: Span) -> CitationOut:
    """Return a quote's wire object; raise BrokenCitation when it is not the article's text."""
    context = around.of(article.text)
    if span.shifted(-around.start).of(context) != quote:
        raise broken(article, span)
    return CitationOut(
        **quote_out(article, span, quote).model_dump(),
        context=context,
        context_start=around.start,
        evidence=f"/evidence/{evidence_id(article, span)}",
    )


def quote_out(article: Article, span: Span, quote: str) -> QuoteOut:
    """Return a quote without what is around it; raises as `checked` does."""
    if article.text[span.start : span.end] != quote:
        raise broken(article, span)
    return QuoteOut(
        article_id=article.id,
        article_sha256=article.digest,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published,
        start=span.start,
        end=span.end,
        quote=quote,
    )


def broken(article: Article, span: Span) -> BrokenCitation:
    """Return the error for a quote that is not its article's text."""
    return BrokenCitation(f"{article.id} [{span.start}, {span.end}) is not its quote")


def verify_response(verdict: Verdict, catalogue: Catalogue, request_id: str) -> VerifyResponse:
    """Return a verdict's wire object; the catalogue is still in the state that was searched."""
    articles, passages = catalogue.counts()
    return VerifyResponse(
        status=verdict.status,
        matches=[quotation_out(match) for match in verdict.matches],
        more=verdict.more,
        closest=None if verdict.closest is None else quotation_out(verdict.closest),
        searched=SearchedOut(articles=articles, passages=passages),
        index_version=str(catalogue.state()),
        request_id=request_id,
    )


def evidence_out(evidence: Evidence) -> EvidenceOut:
    """Return the wire object of what an evidence link leads to."""
    place = evidence.quotation
    return EvidenceOut(
        state=evidence.state, citation=None if place is None else quotation_out(place)
    )


def passages_out(hits: Sequence[Hit]) -> PassagesOut:
    """Return the wire object of the passages that are read."""
    return PassagesOut(
        passages=[
            PassageOut(
                article_id=hit.passage.article.id,
                article_sha256=hit.passage.article.digest,
                title=hit.passage.article.title,
                source=hit.passage.article.source,
                url=hit.passage.article.url,
                published_at=hit.passage.article.published,
                start=hit.passage.span.start,
                end=hit.passage.span.end,
                score=round(hit.score, 4),
            )
            for hit in hits
        ]
    )


def article_out(article: Article) -> ArticleOut:
    """Return an article's wire object."""
    return ArticleOut(
        id=article.id,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published,
        author=article.author,
        language=article.language,
        sha256=article.digest,
        text=article.text,
    )


def article_summary(record: ArticleRecord) -> ArticleSummary:
    """Return the wire object of an article in a list."""
    return ArticleSummary(
        id=record.id,
        title=record.title,
        source=record.source,
        url=record.url,
        published_at=record.published,
        author=record.author,
        language=record.language,
        sha256=record.digest,
        characters=record.characters,
    )
