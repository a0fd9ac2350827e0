"""An article from its text and named fields: the same rules for files, lines and requests."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from citewire.index.errors import BadArticle, InvalidInput
from citewire.index.text.cleaning import canonicalize
from citewire.index.types import Article, refuse_unstorable

# Characters of an id, which is part of addresses and cursors.
MAX_ID_CHARACTERS = 400
# Characters of a title, which is encoded with every passage.
MAX_TITLE_CHARACTERS = 1000
# Characters of any other field.
MAX_FIELD_CHARACTERS = 2000
# Characters of a text's first line that stand in for a missing title.
FIRST_LINE_CHARACTERS = 100
SOURCE_WITH_ADDRESS = re.compile(r"(?P<source>\S.*\S|\S)\s+(?P<url>https?://\S+)")
# The names under which an article's fields are found, in the order of preference.
FIELD_NAMES = {
    "id": ("id",),
    "title": ("title", "headline"),
    "source": ("source", "publisher"),
    "url": ("url", "link"),
    "published": ("published", "date"),
    "author": ("author", "byline"),
    "language": ("language", "lang"),
}


def build_article(name: str, fields: Mapping[str, object], text: str) -> Article:
    """Build the article with its canonical text from the fields that are given.

    Raises:
        BadArticle: the text is empty or a field is not what it should be.
    """
    text = canonicalize(text)
    if not text:
        raise BadArticle(name, "is empty: no text is left when markup is taken away")
    title = canonicalize(read_field(fields, "title", name) or take_first_line(text))
    source, url = split_source(read_field(fields, "source", name), read_field(fields, "url", name))
    return Article(
        id=require_length(
            read_field(fields, "id", name) or name, MAX_ID_CHARACTERS, "the id", name
        ),
        title=require_length(" ".join(title.split()), MAX_TITLE_CHARACTERS, "the title", name),
        text=require_storable(text, "the text", name),
        source=source,
        url=url,
        published=parse_published(fields, name),
        author=read_field(fields, "author", name),
        language=(read_field(fields, "language", name) or "en").lower(),
    )


def read_field(fields: Mapping[str, object], wanted: str, name: str) -> str | None:
    """Return a field's text, None when it is absent or empty."""
    for key in FIELD_NAMES[wanted]:
        value = fields.get(key)
        if value is None:
            continue
        if not isinstance(value, str | int | float):
            raise BadArticle(name, f"`{key}` is not a text but a {type(value).__name__}")
        text = canonicalize(require_storable(str(value), f"`{key}`", name))
        return require_length(text, MAX_FIELD_CHARACTERS, f"`{key}`", name) or None
    return None


def split_source(source: str | None, url: str | None) -> tuple[str | None, str | None]:
    """Split an address off the source; some archives write both into one field.

    >>> split_source("Wikinews https://en.wikinews.org/wiki/Comet", None)
    ('Wikinews', 'https://en.wikinews.org/wiki/Comet')
    """
    found = SOURCE_WITH_ADDRESS.fullmatch(source or "")
    if url is not None or found is None:
        return source, url
    return found["source"], found["url"]


def require_length(text: str, characters: int, what: str, name: str) -> str:
    """Return the text; raise BadArticle when it is longer than `characters`."""
    if len(text) > characters:
        raise BadArticle(name, f"{what} has {len(text)} characters; at most {characters} are taken")
    return text


def require_storable(text: str, what: str, name: str) -> str:
    """Return the text; raise BadArticle when the catalogue cannot hold it."""
    try:
        refuse_unstorable(text, what)
    except InvalidInput as error:
        raise BadArticle(name, str(error)) from error
    return text


def parse_published(fields: Mapping[str, object], name: str) -> date | None:
    """Return the publication date, None where it is missing."""
    text = read_field(fields, "published", name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise BadArticle(name, f"the date {text!r} is not of the form 2023-11-09") from error


def take_first_line(text: str) -> str:
    """Return the first line, cut between words to FIRST_LINE_CHARACTERS."""
    line = text.split("\n", 1)[0]
    return (
        line
        if len(line) <= FIRST_LINE_CHARACTERS
        else line[:FIRST_LINE_CHARACTERS].rsplit(" ", 1)[0] + " …"
    )
