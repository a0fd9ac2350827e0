"""An answer as the Markdown of a chat message, and where in it the quotes stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from citewire.service.openai.schemas import Annotation, UrlCitation
from citewire.service.wire.answers import AskResponse, CitationOut
from citewire.service.wire.phrasing import CLOSEST, NO_ANSWER, OTHER_ANSWERS, count

CITATIONS_SHOWN = 3
# What Markdown, with the extensions that chat programs know, would take for markup.
MARKUP = re.compile(r"[\\`*_{}\[\]<>#!|~&$^@]|:(?=//)|(?<=www)\.")
# Whitespace that Markdown would take for the end of a line or for code.
LAYOUT = re.compile(r"[\t\n\r]")


@dataclass(frozen=True, slots=True)
class Message:
    """A message in pieces, as they are streamed, and the notes to it."""

    pieces: tuple[str, ...]
    annotations: tuple[Annotation, ...]

    @property
    def text(self) -> str:
        """The whole message."""
        return "".join(self.pieces)


def message_of(response: AskResponse, base_url: str, asked_as: str = "") -> Message:
    """Return the message that says what the response says; `asked_as` goes before, if anything.

    Each note's stretch is a citation's sentence, escaped: as Markdown it reads as it stands in
    the article, with the quoted words in »guillemets«.
    """
    pieces = [f"*Asked as: {escaped(asked_as)}*\n\n"] if asked_as else []
    annotations: list[Annotation] = []
    length = sum(map(len, pieces))
    for piece, citation in parts(response, base_url):
        if citation is not None:
            place = UrlCitation(
                url=url_of(citation, base_url),
                title=citation.title,
                start_index=length,
                end_index=length + len(piece),
            )
            annotations.append(Annotation(url_citation=place))
        pieces.append(piece)
        length += len(piece)
    return Message(tuple(pieces), tuple(annotations))


def parts(response: AskResponse, base_url: str) -> Iterator[tuple[str, CitationOut | None]]:
    """Yield the message's pieces; those that quote come with their citation."""
    if response.reason is not None:
        yield f"{NO_ANSWER} {response.explanation}\n\n", None
        if response.closest:
            yield f"{CLOSEST}\n\n", None
        for weak in response.closest:
            yield from quoted(f"({weak.percentage})", weak, base_url)
    number = 0
    for place, answer in enumerate(response.answers):
        if place == 1:
            yield f"{OTHER_ANSWERS}:\n\n", None
        facts = f"{answer.likelihood}, {answer.percentage}, {answer.support.text}"
        yield f"**{escaped(answer.text)}** ({facts})\n\n", None
        for citation in answer.citations[:CITATIONS_SHOWN]:
            number += 1
            yield from quoted(f"({number})", citation, base_url)
        more = len(answer.citations) - CITATIONS_SHOWN
        if more > 0:
            yield f"and {count(more, 'more citation')}\n\n", None


def quoted(
    label: str, citation: CitationOut, base_url: str
) -> Iterator[tuple[str, CitationOut | None]]:
    """Yield a citation: its label, its sentence, and its source as a link."""
    yield f"> {label} ", None
    yield sentence(citation), citation
    origin = [citation.source, str(citation.published_at) if citation.published_at else None]
    where = " · ".join(escaped(part) for part in origin if part)
    link = f"[{escaped(citation.title) or 'source'}](<{url_of(citation, base_url)}>)"
    yield "  \n> — " + " · ".join(part for part in (link, where) if part) + "\n\n", None


def sentence(citation: CitationOut) -> str:
    """Return the sentence with the quote in guillemets, escaped."""
    first = citation.start - citation.context_start
    last = citation.end - citation.context_start
    context = citation.context
    before, after = escaped(context[:first]), escaped(context[last:])
    return f"{before}»{escaped(context[first:last])}«{after}"


def escaped(text: str) -> str:
    r"""Return Markdown that reads as the text.

    >>> print(escaped("*Not* <b>bold</b>"))
    \*Not\* \<b\>bold\</b\>
    """
    marked = MARKUP.sub(lambda found: "\\" + found.group(), text)
    return LAYOUT.sub(lambda found: f"&#{ord(found.group())};", marked)


def url_of(citation: CitationOut, base_url: str) -> str:
    """Return where the source can be read: at its publisher's, else as evidence from here."""
    url = citation.url or ""
    if not url.startswith(("http://", "https://")):
        url = base_url.rstrip("/") + citation.evidence
    return quote(url, safe="%/:=&?~#+!$,;'@()*[].-_")
