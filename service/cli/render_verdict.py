"""Show on a terminal what became of a quote."""

from citewire.rag.quotes.verification import Status
from citewire.service.cli.render_answer import Style, citation_lines
from citewire.service.wire.phrasing import count
from citewire.service.wire.quotes import VerifyResponse

SAYS = {
    Status.EXACT: "The archive says exactly this.",
    Status.WHITESPACE_ONLY: "The archive says this, with other white space.",
    Status.MISATTRIBUTED: "That article does not say this; another does.",
    Status.NOT_FOUND: "The archive does not say this.",
}


def render_verdict(response: VerifyResponse, style: Style) -> str:
    """Return the response as lines for a person."""
    lines = [style.strong(SAYS[response.status])]
    for place, match in enumerate(response.matches, start=1):
        lines += citation_lines(f"[{place}]", match, style)
    if response.more:
        lines.append(style.faint(f"  and more than these {count(len(response.matches), 'place')}"))
    if response.closest is not None:
        lines.append(style.faint("It says this, in other letters or marks:"))
        lines += citation_lines("", response.closest, style)
    return "\n".join(lines)
