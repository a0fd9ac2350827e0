"""Values that a catalogue takes in and gives out, apart from articles and passages."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from citewire.index.embedding import Vectors
from citewire.index.text.chunking import CHUNKER_VERSION
from citewire.index.types import Article, Span


@dataclass(frozen=True, slots=True)
class EncodedArticle:
    """An article ready to be stored: its passages' spans, a unit vector for each, its origin.

    `origin` is where the article was loaded from; `vectors` has shape (spans, dimension).
    """

    article: Article
    origin: str
    spans: tuple[Span, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """What a list of articles shows of each: everything but the text."""

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
    """A source by its name, and how many articles name it."""

    name: str
    articles: int


@dataclass(frozen=True, slots=True)
class Known:
    """What tells whether an article is stored as it is: its fingerprint, and its origin."""

    fingerprint: str
    origin: str


def fingerprint(article: Article, chunker: int = CHUNKER_VERSION) -> str:
    """Return a digest of everything that is stored of the article: equal means unchanged."""
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
