"""From what a search finds to the wire."""

from citewire.rag.retrieval.retriever import Found, Search
from citewire.service.wire.answers import SearchedOut
from citewire.service.wire.convert import quote_out
from citewire.service.wire.search import FoundOut, LegsOut, SearchResponse


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
    quote = quote_out(passage.article, passage.span, passage.text)
    legs = found.legs
    explained = LegsOut(
        cosine=round(legs.cosine, 4),
        bm25=round(legs.bm25, 4),
        dense_rank=legs.dense_rank,
        lexical_rank=legs.lexical_rank,
    )
    return FoundOut(
        **quote.model_dump(),
        score=round(found.hit.score, 4),
        legs=explained if explain else None,
    )
