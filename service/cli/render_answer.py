"""Show answers on a terminal: the wire object as text."""

import os
import re
import shutil
import sys
import textwrap
from dataclasses import dataclass

from citewire.index.errors import CitewireError
from citewire.service.wire.answers import AskResponse, CitationOut
from citewire.service.wire.phrasing import CLOSEST, NO_ANSWER, OTHER_ANSWERS, count

# Controls and bidirectional overrides could rewrite what stands around them on a terminal.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MAX_WIDTH = 100
CITATIONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Style:
    """How to mark text: escape codes on a terminal that shows colours, else nothing."""

    colours: bool

    def strong(self, text: str) -> str:
        """Mark what matters most."""
        return f"\x1b[1m{text}\x1b[0m" if self.colours else text

    def faint(self, text: str) -> str:
        """Mark what is beside the point."""
        return f"\x1b[2m{text}\x1b[0m" if self.colours else text

    def quoted(self, text: str) -> str:
        """Mark the quoted span in its sentence; by guillemets, which survive being copied."""
        return self.strong(f"»{text}«")


def render(response: AskResponse, style: Style) -> str:
    """Return the response as lines for a person."""
    searched = response.searched
    footer = style.faint(
        f"{count(searched.articles, 'article')} searched in {response.timing_ms.total:.0f} ms"
    )
    if response.status == "no_answer":
        return "\n".join([*no_answer_lines(response, style), footer])
    lines: list[str] = []
    for number, answer in enumerate(response.answers):
        if number == 1:
            lines += [OTHER_ANSWERS, ""]
        facts = f"{answer.likelihood}, {answer.percentage}, {answer.support.text}"
        lines.append(f"{style.strong(safe(answer.text))}  ({facts})")
        for place, citation in enumerate(answer.citations[:CITATIONS_SHOWN], start=1):
            lines += citation_lines(f"[{place}]", citation, style)
        more = len(answer.citations) - CITATIONS_SHOWN
        if more > 0:
            lines.append(style.faint(f"  and {count(more, 'more citation')}; --json has them all"))
        lines.append("")
    return "\n".join([*lines, footer])


def no_answer_lines(response: AskResponse, style: Style) -> list[str]:
    """Return what is said instead of an answer."""
    lines = [style.strong(NO_ANSWER), response.explanation or "", ""]
    if response.closest:
        lines.append(style.faint(CLOSEST))
    for citation in response.closest:
        lines += citation_lines(f"({citation.percentage})", citation, style)
    return [*lines, ""]


def citation_lines(label: str, citation: CitationOut, style: Style) -> list[str]:
    """Return the quote in its sentence, and where it stands."""
    first = citation.start - citation.context_start
    last = citation.end - citation.context_start
    context = citation.context
    # The mark is put in after wrapping would be too late: its codes have no width.
    marked = f"{safe(context[:first])}\0{safe(context[first:last])}\1{safe(context[last:])}"
    width = min(shutil.get_terminal_size().columns, MAX_WIDTH)
    indent = "      "
    label = f"  {label:<3} "
    wrapped = textwrap.fill(marked, width, initial_indent=label, subsequent_indent=indent)
    before, rest = wrapped.split("\0")
    quote, after = rest.split("\1")
    body = before + style.quoted(quote) + after
    origin = [citation.source, str(citation.published_at) if citation.published_at else None]
    where = " · ".join(safe(part) for part in [citation.title, *origin] if part)
    place = f"{citation.article_id} [{citation.start}:{citation.end}]"
    return [body, style.faint(f"{indent}{where}"), style.faint(f"{indent}{safe(place)}")]


def safe(text: str) -> str:
    """Return the text in one line; what would act on a terminal is replaced."""
    return UNSAFE.sub("�", re.sub(r"\s+", " ", text))


def output_style() -> Style:
    """Use colours where a person looks and has not asked for none (no-color.org)."""
    return Style(colours=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def complain(error: CitewireError) -> None:
    """Say what is wrong; names of files and articles in it may hold anything."""
    print(f"citewire: {safe(str(error))}", file=sys.stderr)
