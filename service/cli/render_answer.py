"""Show answers on a terminal: the wire object as text."""

from collections.abc import Iterator

from citewire.service.cli.render_citation import render_citation
from citewire.service.cli.terminal import Style, make_safe
from citewire.service.wire.answers import AnswerOut, AskResponse
from citewire.service.wire.phrasing import CLOSEST, NO_ANSWER, OTHER_ANSWERS, count

CITATIONS_SHOWN = 3


def render_response(response: AskResponse, style: Style) -> str:
    """Return the response as lines for a person."""
    answered = response.status == "answered"
    lines = render_answers(response, style) if answered else render_no_answer(response, style)
    articles = count(response.searched.articles, "article")
    footer = style.faint(f"{articles} searched in {response.timing_ms.total:.0f} ms")
    return "\n".join([*lines, footer])


def render_answers(response: AskResponse, style: Style) -> Iterator[str]:
    """Yield the lines of all answers, the best first."""
    for position, answer in enumerate(response.answers):
        if position == 1:
            yield from (OTHER_ANSWERS, "")
        yield from render_answer(answer, style)
        yield ""


def render_answer(answer: AnswerOut, style: Style) -> Iterator[str]:
    """Yield the lines of an answer and its first citations."""
    facts = f"{answer.likelihood}, {answer.percentage}, {answer.support.text}"
    yield f"{style.strong(make_safe(answer.text))}  ({facts})"
    for number, citation in enumerate(answer.citations[:CITATIONS_SHOWN], start=1):
        yield from render_citation(f"[{number}]", citation, style)
    more = len(answer.citations) - CITATIONS_SHOWN
    if more > 0:
        yield style.faint(f"  and {count(more, 'more citation')}; --json has them all")


def render_no_answer(response: AskResponse, style: Style) -> Iterator[str]:
    """Yield the lines that stand in an answer's place: the reason, and the closest passages."""
    yield style.strong(NO_ANSWER)
    yield response.explanation or ""
    yield ""
    if response.closest:
        yield style.faint(CLOSEST)
    for citation in response.closest:
        yield from render_citation(f"({citation.percentage})", citation, style)
    yield ""
