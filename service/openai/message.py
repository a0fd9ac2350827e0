"""An answer as the Markdown of a chat message: written for the program, and read back from it.

The protocol is stateless: a chat program sends our earlier messages along, and a follow-up needs
the answer that each of them gives.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from citewire.rag.conversation.types import Clarification
from citewire.service.openai.schemas import Annotation, UrlCitation
from citewire.service.wire.answers import AskResponse, CitationOut
from citewire.service.wire.phrasing import CLOSEST, NO_ANSWER, OTHER_ANSWERS, count

# Citations of each answer.
CITATIONS_SHOWN = 3
# Characters that Markdown, with the extensions that chat programs know, would take for markup.
MARKUP = re.compile(r"[\\`*_{}\[\]<>#!|~&$^@]|:(?=//)|(?<=www)\.")
# Whitespace that Markdown would take for the end of a line or for code.
LAYOUT = re.compile(r"[\t\n\r]")
# The two forms of an escaped character: of MARKUP and of LAYOUT.
ESCAPED = re.compile(r"\\(.)|&#(\d+);")
# The best answer of a message: in bold, at the beginning of a line, with its facts behind it.
ANSWER = re.compile(r"^\*\*((?:\\.|[^*\\\n])+)\*\* \(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CitedMessage:
    """A message in the pieces in which it is streamed, and its annotations."""

    pieces: tuple[str, ...]
    annotations: tuple[Annotation, ...]

    @property
    def text(self) -> str:
        """The whole message."""
        return "".join(self.pieces)


def write_message(response: AskResponse, base_url: str, asked_as: str = "") -> CitedMessage:
    """Write the response as a message; `asked_as`, where given, is shown before it.

    Each annotation's stretch is a citation's context, escaped: as Markdown it reads as it stands
    in the article, with the quote in »guillemets«.
    """
    pieces = [f"*Asked as: {escape(asked_as)}*\n\n"] if asked_as else []
    annotations: list[Annotation] = []
    length = sum(map(len, pieces))
    for piece, citation in write_pieces(response, base_url):
        if citation is not None:
            place = UrlCitation(
                url=build_source_url(citation, base_url),
                title=citation.title,
                start_index=length,
                end_index=length + len(piece),
            )
            annotations.append(Annotation(url_citation=place))
        pieces.append(piece)
        length += len(piece)
    return CitedMessage(tuple(pieces), tuple(annotations))


def read_answer(message: str) -> str:
    r"""Return the best answer that a message by `write_message` gives, "" where it gives none.

    >>> read_answer("**Mr\\. A \\& B** (likely, 66 %, said by 1 article)")
    'Mr. A & B'
    """
    found = ANSWER.search(message)
    return unescape(found.group(1)) if found else ""


def write_clarification(clarification: Clarification) -> str:
    """Write the message that asks which question is meant."""
    lines = [escape(clarification.ask_back)]
    if clarification.candidates:
        lines += ["Perhaps:", "\n".join(f"- {escape(each)}" for each in clarification.candidates)]
    return "\n\n".join(lines)


def write_pieces(response: AskResponse, base_url: str) -> Iterator[tuple[str, CitationOut | None]]:
    """Yield the message's pieces; a piece that quotes comes with its citation."""
    if response.reason is not None:
        yield f"{NO_ANSWER} {response.explanation}\n\n", None
        if response.closest:
            yield f"{CLOSEST}\n\n", None
        for passage in response.closest:
            yield from write_citation(f"({passage.percentage})", passage, base_url)
    number = 0
    for place, answer in enumerate(response.answers):
        if place == 1:
            yield f"{OTHER_ANSWERS}:\n\n", None
        facts = f"{answer.likelihood}, {answer.percentage}, {answer.support.text}"
        yield f"**{escape(answer.text)}** ({facts})\n\n", None
        for citation in answer.citations[:CITATIONS_SHOWN]:
            number += 1
            yield from write_citation(f"({number})", citation, base_url)
        more = len(answer.citations) - CITATIONS_SHOWN
        if more > 0:
            yield f"and {count(more, 'more citation')}\n\n", None


def write_citation(
    label: str, citation: CitationOut, base_url: str
) -> Iterator[tuple[str, CitationOut | None]]:
    """Yield a citation: its label, its context, and its source as a link."""
    yield f"> {label} ", None
    yield write_context(citation), citation
    origin = [citation.source, str(citation.published_at) if citation.published_at else None]
    where = " · ".join(escape(part) for part in origin if part)
    link = f"[{escape(citation.title) or 'source'}](<{build_source_url(citation, base_url)}>)"
    yield "  \n> — " + " · ".join(part for part in (link, where) if part) + "\n\n", None


def write_context(citation: CitationOut) -> str:
    """Write the sentence or sentences around a quote, with the quote in guillemets."""
    first = citation.start - citation.context_start
    last = citation.end - citation.context_start
    context = citation.context
    before, after = escape(context[:first]), escape(context[last:])
    return f"{before}»{escape(context[first:last])}«{after}"


def escape(text: str) -> str:
    r"""Return Markdown that is shown as the text.

    >>> print(escape("*Not* <b>bold</b>"))
    \*Not\* \<b\>bold\</b\>
    """
    marked = MARKUP.sub(lambda found: "\\" + found.group(), text)
    return LAYOUT.sub(lambda found: f"&#{ord(found.group())};", marked)


def unescape(markdown: str) -> str:
    """Undo `escape`."""
    return ESCAPED.sub(lambda found: found[1] or chr(int(found[2])), markdown)


def build_source_url(citation: CitationOut, base_url: str) -> str:
    """Return the publisher's URL of the article, or that of this service's evidence."""
    url = citation.url or ""
    if not url.startswith(("http://", "https://")):
        url = base_url.rstrip("/") + citation.evidence
    return quote(url, safe="%/:=&?~#+!$,;'@()*[].-_")
