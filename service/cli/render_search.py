"""Show on a terminal the passages that a search found."""

from collections.abc import Iterator

from citewire.service.cli.render_citation import INDENT, render_origin, wrap
from citewire.service.cli.terminal import Style, make_safe
from citewire.service.wire.phrasing import count
from citewire.service.wire.search import FoundOut, LegsOut, SearchResponse


def render_search(response: SearchResponse, style: Style) -> str:
    """Return the response as lines for a person."""
    articles = count(response.searched.articles, "article")
    footer = style.faint(f"{articles} searched in {response.search_ms:.0f} ms")
    if not response.passages:
        return f"{style.strong('Nothing is found.')}\n\n{footer}"
    lines = [
        line
        for number, passage in enumerate(response.passages, start=1)
        for line in render_passage(number, passage, style)
    ]
    return "\n".join([*lines, "", footer])


def render_passage(number: int, passage: FoundOut, style: Style) -> Iterator[str]:
    """Yield the lines of a passage: its text, its origin, and its scores where they are given."""
    yield wrap(f"[{number}]", make_safe(passage.quote))
    yield from render_origin(passage, style)
    if passage.legs is not None:
        yield style.faint(f"{INDENT}score {passage.score:.2f}; {describe_scores(passage.legs)}")


def describe_scores(legs: LegsOut) -> str:
    """Return a passage's rank and score in each search."""
    dense = f"dense {describe_rank(legs.dense_rank)}, cosine {legs.cosine:.2f}"
    return f"{dense}; lexical {describe_rank(legs.lexical_rank)}, BM25 {legs.bm25:.1f}"


def describe_rank(rank: int | None) -> str:
    """Return a rank in words; None where that search did not propose the passage."""
    return "not among its best" if rank is None else f"no. {rank}"
