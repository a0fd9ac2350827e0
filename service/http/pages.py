"""The page of an evidence link: a quote marked in its article, or what asks for a key before it."""

from html import escape

from citewire.index.types import Article
from citewire.rag.quotes.evidence import Evidence, State

SAYS = {
    State.OK: (
        "Verified",
        "The article is unchanged since it was cited, and the quote stands in its place.",
    ),
    State.MOVED: (
        "Moved",
        "The article is no longer the one that was cited; the quote stands in it, at another"
        " place or in another text.",
    ),
    State.CHANGED: (
        "Changed",
        "The article is no longer the one that was cited, and the quote does not stand in it.",
    ),
    State.REMOVED: ("Removed", "The archive holds no such article, or no longer."),
}


def evidence_page(evidence: Evidence) -> str:
    """Return the page of what a link leads to."""
    word, sentence = SAYS[evidence.state]
    parts = [f'<p class="state {evidence.state}"><strong>{word}.</strong> {sentence}</p>']
    if evidence.article is not None:
        parts.append(heading(evidence.article))
    if evidence.citation is not None:
        text, span = evidence.citation.article.text, evidence.citation.span
        before, quote, after = text[: span.start], text[span.start : span.end], text[span.end :]
        parts += [
            '<p><a href="#quote">To the quote</a></p>',
            # In one element: a mark may go on from one paragraph into the next.
            f'<div class="text">{escape(before)}<mark id="quote">{escape(quote)}</mark>'
            f"{escape(after)}</div>",
        ]
    return page("\n".join(parts))


def unknown_page() -> str:
    """Return the page of a link that is none."""
    return page(
        '<p class="state removed"><strong>Not a link.</strong> This is no evidence link of'
        " Citewire, or not the whole of one.</p>"
    )


def sign_in_page() -> str:
    """Return the page that stands before another one, and gives way to it with a key."""
    return page(
        "<h1>Sign in</h1>\n"
        "<p>This archive is shown to those who have a key of the service.</p>\n"
        '<div id="sign-in"></div>\n'
        "<noscript><p>Signing in needs JavaScript.</p></noscript>\n"
        '<script type="module" src="/static/sign-in.js"></script>',
        title="Sign in",
    )


def heading(article: Article) -> str:
    """Return the article's title and where it is from."""
    origin = [article.source, article.author, article.published and article.published.isoformat()]
    facts = [f"<span>{escape(fact)}</span>" for fact in origin if fact]
    if article.url and article.url.startswith(("http://", "https://")):
        facts.append(f'<a href="{escape(article.url)}" rel="noreferrer">at the source</a>')
    facts.append(f"<code>{escape(article.id)}</code>")
    return f"<h1>{escape(article.title)}</h1>\n<p class='facts'>{' · '.join(facts)}</p>"


def page(content: str, title: str = "Evidence") -> str:
    """Return a whole page around its content."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Citewire</title>
<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/evidence.css">
</head>
<body>
<main>
{content}
</main>
</body>
</html>
"""
