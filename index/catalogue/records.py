"""Values that a catalogue stores and returns, apart from articles and passages."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from citewire.index.embedding import Vectors
from citewire.index.text.chunking import CHUNKER_VERSION
from citewire.index.types import Article, Span


@dataclass(frozen=True, slots=True)
class EncodedArticle:
    """An article ready to be stored: its passages' spans, and a unit vector for each.

    `origin` is the file that the article was loaded from; `vectors` has shape (spans, dimension).
    """

    article: Article
    origin: str
    spans: tuple[Span, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """An article in a list: everything but the text, of which the length is given."""

    id: str
    title: str
    source: str | None
    url: str | None
    published: date | None
    author: str | None
    language: str
    digest: str
    characters: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source's name, and the number of articles that name it."""

    name: str
    articles: int


@dataclass(frozen=True, slots=True)
class Known:
    """Fingerprint and origin of a stored article: equal ones need not be stored again."""

    fingerprint: str
    origin: str


def fingerprint(article: Article, chunker: int = CHUNKER_VERSION) -> str:
    """Return a digest of everything stored of an article: an equal one means no change."""
    values = [
        article.title,
        article.source,
        article.url,
        article.published and article.published.isoformat(),
        article.author,
        article.language,
        article.digest,
        chunker,
    ]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
