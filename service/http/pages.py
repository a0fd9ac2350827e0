"""The page of an evidence link: a quote marked in its article, or a form to sign in."""

from html import escape

from citewire.index.types import Article
from citewire.rag.quotes.evidence import Evidence, State

STATES = {
    State.OK: (
        "Verified",
        "The article is unchanged since it was cited, and the quote is in its place.",
    ),
    State.MOVED: (
        "Moved",
        "The article has changed since it was cited; the quote is in it, at another place or in"
        " another text.",
    ),
    State.CHANGED: (
        "Changed",
        "The article has changed since it was cited, and the quote is no longer in it.",
    ),
    State.REMOVED: ("Removed", "The archive does not hold this article, or no longer."),
}


def render_evidence_page(evidence: Evidence) -> str:
    """Write the page of a link's evidence."""
    word, sentence = STATES[evidence.state]
    parts = [f'<p class="state {evidence.state}"><strong>{word}.</strong> {sentence}</p>']
    if evidence.article is not None:
        parts.append(render_heading(evidence.article))
    if evidence.citation is not None:
        text, span = evidence.citation.article.text, evidence.citation.span
        before, quote, after = text[: span.start], text[span.start : span.end], text[span.end :]
        parts += [
            '<p><a href="#quote">To the quote</a></p>',
            # In one element: a mark may cross from one paragraph into the next.
            f'<div class="text">{escape(before)}<mark id="quote">{escape(quote)}</mark>'
            f"{escape(after)}</div>",
        ]
    return render_page("\n".join(parts))


def render_unknown_page() -> str:
    """Write the page of an address that is no evidence link."""
    return render_page(
        '<p class="state removed"><strong>Not a link.</strong> This is not an evidence link of'
        " Citewire, or only a part of one.</p>"
    )


def render_sign_in_page() -> str:
    """Write the page that asks for a key, and then gives way to the page that was asked for."""
    return render_page(
        "<h1>Sign in</h1>\n"
        "<p>This archive is open to people who have a key of the service.</p>\n"
        '<div id="sign-in"></div>\n'
        "<noscript><p>Signing in needs JavaScript.</p></noscript>\n"
        '<script type="module" src="/static/sign-in.js"></script>',
        title="Sign in",
    )


def render_heading(article: Article) -> str:
    """Write the article's title and origin."""
    origin = [article.source, article.author, article.published and article.published.isoformat()]
    facts = [f"<span>{escape(fact)}</span>" for fact in origin if fact]
    if article.url and article.url.startswith(("http://", "https://")):
        facts.append(f'<a href="{escape(article.url)}" rel="noreferrer">at the source</a>')
    facts.append(f"<code>{escape(article.id)}</code>")
    return f"<h1>{escape(article.title)}</h1>\n<p class='facts'>{' · '.join(facts)}</p>"


def render_page(content: str, title: str = "Evidence") -> str:
    """Write a whole page around its content."""
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
