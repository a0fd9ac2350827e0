"""From what a search finds to the wire."""

from rag.errors import BrokenCitation
from rag.retriever import Found, Search
from service.schemas import SearchedOut
from service.search_schemas import FoundOut, LegsOut, SearchResponse


def search_response(search: Search, request_id: str, *, explain: bool) -> SearchResponse:
    """Return the wire object; raise BrokenCitation when a quote is not its article's text."""
    return SearchResponse(
        question=search.question.text,
        passages=[found_out(found, explain=explain) for found in search.found],
        searched=SearchedOut(articles=search.articles, passages=search.passages),
        index_version=search.index_version,
        search_ms=round(search.search_ms, 1),
        request_id=request_id,
    )


def found_out(found: Found, *, explain: bool) -> FoundOut:
    """Return a passage's wire object after checking it against its article."""
    passage = found.hit.passage
    article, span = passage.article, passage.span
    if article.text[span.start : span.end] != passage.text:
        raise BrokenCitation(f"{article.id} [{span.start}, {span.end}) is not its passage")
    legs = found.legs
    explained = LegsOut(
        cosine=round(legs.cosine, 4),
        bm25=round(legs.bm25, 4),
        dense_rank=legs.dense_rank,
        lexical_rank=legs.lexical_rank,
    )
    return FoundOut(
        article_id=article.id,
        article_sha256=article.digest,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published,
        start=span.start,
        end=span.end,
        quote=passage.text,
        score=round(found.hit.score, 4),
        legs=explained if explain else None,
    )
