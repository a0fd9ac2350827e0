"""Show on a terminal whether a quote is in the archive."""

from citewire.rag.quotes.verification import Status
from citewire.service.cli.render_citation import render_citation
from citewire.service.cli.terminal import Style
from citewire.service.wire.phrasing import count
from citewire.service.wire.quotes import VerifyResponse

VERDICTS = {
    Status.EXACT: "The archive says exactly this.",
    Status.WHITESPACE_ONLY: "The archive says this, with other white space.",
    Status.MISATTRIBUTED: "That article does not say this; another does.",
    Status.NOT_FOUND: "The archive does not say this.",
}


def render_verdict(response: VerifyResponse, style: Style) -> str:
    """Return the response as lines for a person."""
    lines = [style.strong(VERDICTS[response.status])]
    for number, match in enumerate(response.matches, start=1):
        lines += render_citation(f"[{number}]", match, style)
    if response.more:
        lines.append(style.faint(f"  and more than these {count(len(response.matches), 'place')}"))
    if response.closest is not None:
        lines.append(style.faint("It says this, in other letters or marks:"))
        lines += render_citation("", response.closest, style)
    return "\n".join(lines)
