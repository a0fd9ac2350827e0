"""Show on a terminal what a search found."""

import shutil
import textwrap

from citewire.service.cli.render_answer import MAX_WIDTH, Style, safe
from citewire.service.wire.phrasing import count
from citewire.service.wire.search import FoundOut, SearchResponse


def render_found(response: SearchResponse, style: Style) -> str:
    """Return the response as lines for a person."""
    footer = style.faint(
        f"{count(response.searched.articles, 'article')} searched in {response.search_ms:.0f} ms"
    )
    if not response.passages:
        return f"{style.strong('Nothing is found.')}\n\n{footer}"
    lines = [
        line
        for place, found in enumerate(response.passages, start=1)
        for line in passage_lines(place, found, style)
    ]
    return "\n".join([*lines, "", footer])


def passage_lines(place: int, found: FoundOut, style: Style) -> list[str]:
    """Return a passage's text, and where it stands."""
    width = min(shutil.get_terminal_size().columns, MAX_WIDTH)
    indent = "      "
    label = f"  {f'[{place}]':<3} "
    body = textwrap.fill(safe(found.quote), width, initial_indent=label, subsequent_indent=indent)
    origin = [found.source, str(found.published_at) if found.published_at else None]
    where = " · ".join(safe(part) for part in [found.title, *origin] if part)
    stands = f"{found.article_id} [{found.start}:{found.end}]"
    lines = [body, style.faint(f"{indent}{where}"), style.faint(f"{indent}{safe(stands)}")]
    if found.legs is not None:
        legs = found.legs
        lines.append(
            style.faint(
                f"{indent}score {found.score:.2f}; dense {ranked(legs.dense_rank)}, cosine"
                f" {legs.cosine:.2f}; lexical {ranked(legs.lexical_rank)}, BM25 {legs.bm25:.1f}"
            )
        )
    return lines


def ranked(rank: int | None) -> str:
    """Return a leg's rank in words."""
    return "not among its best" if rank is None else f"no. {rank}"
