"""Show a citation on a terminal: the quote in its sentence, and where it stands."""

import textwrap
from collections.abc import Iterator

from citewire.service.cli.terminal import Style, make_safe, measure_width
from citewire.service.wire.answers import CitationOut, QuoteOut

INDENT = " " * 6
# Stand for the quote's ends while the sentence is wrapped: no text that was made safe has them.
QUOTE_STARTS, QUOTE_ENDS = "\0", "\1"


def render_citation(label: str, citation: CitationOut, style: Style) -> Iterator[str]:
    """Yield the lines of a citation: the quote marked in its sentence, then its origin."""
    first = citation.start - citation.context_start
    last = citation.end - citation.context_start
    before, quote, after = (
        make_safe(part)
        for part in (
            citation.context[:first],
            citation.context[first:last],
            citation.context[last:],
        )
    )
    # Escape codes have no width: put in before wrapping, they would count as characters.
    wrapped = wrap(label, f"{before}{QUOTE_STARTS}{quote}{QUOTE_ENDS}{after}")
    before, rest = wrapped.split(QUOTE_STARTS)
    quote, after = rest.split(QUOTE_ENDS)
    yield before + style.quoted(quote) + after
    yield from render_origin(citation, style)


def render_origin(quote: QuoteOut, style: Style) -> Iterator[str]:
    """Yield two lines: title, source and date, then the article's id and the offsets."""
    day = str(quote.published_at) if quote.published_at else None
    parts = [make_safe(part) for part in (quote.title, quote.source, day) if part]
    yield style.faint(INDENT + " · ".join(parts))
    yield style.faint(f"{INDENT}{make_safe(quote.article_id)} [{quote.start}:{quote.end}]")


def wrap(label: str, text: str) -> str:
    """Return the text wrapped to the terminal and indented, its first line behind the label."""
    return textwrap.fill(
        text, measure_width(), initial_indent=f"  {label:<3} ", subsequent_indent=INDENT
    )
