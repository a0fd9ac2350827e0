"""The values of an archive: frozen, and checked on creation.

All offsets are half-open `[start, end)` in Unicode code points, as Python counts them.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from citewire.index.errors import InvalidInput

# NUL and surrogates, half of a pair each.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A non-empty stretch of a text.

    Raises:
        InvalidInput: the offsets are negative, equal or out of order.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InvalidInput(f"not a span: [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return the stretch of `text`; raise InvalidInput when it does not fit inside."""
        if self.end > len(text):
            raise InvalidInput(f"span ends at {self.end}, the text at {len(text)}")
        return text[self.start : self.end]

    def shift(self, by: int) -> "Span":
        """Return the same stretch in a text that starts `by` code points earlier."""
        return Span(self.start + by, self.end + by)

    def overlaps(self, other: "Span") -> bool:
        """Say whether the two share a character."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        """Say whether the whole of `other` is inside."""
        return self.start <= other.start and other.end <= self.end


def refuse_unstorable(text: str, name: str) -> None:
    """Raise InvalidInput when `text` holds NUL or half a surrogate pair.

    SQLite ends a text at NUL, and half a pair has no UTF-8 form: offsets would shift.
    """
    found = UNSTORABLE.search(text)
    if found:
        code = ord(found.group())
        raise InvalidInput(f"{name}: character {found.start()} is U+{code:04X}, not text")


@dataclass(frozen=True)  # Without slots: the digest is computed once and kept.
class Article:
    """One source text in its canonical form, with its title, source and date.

    Raises:
        InvalidInput: the id or the text is empty, or one of the texts cannot be stored.
    """

    id: str
    title: str
    text: str
    source: str | None = None
    url: str | None = None
    published: date | None = None
    author: str | None = None
    language: str = "en"

    def __post_init__(self) -> None:
        if not self.id:
            raise InvalidInput("an article needs an id")
        if not self.text.strip():
            raise InvalidInput(f"{self.id}: an article needs a text")
        known = (self.id, self.title, self.source, self.url, self.author, self.language)
        for value in (self.text, *known):
            refuse_unstorable(value or "", repr(self.id))

    @cached_property
    def digest(self) -> str:
        """The sha256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrieval unit: a sentence-aligned span of one article's canonical text.

    `id` is the catalogue's and is never given to another passage.
    """

    id: int
    article: Article
    span: Span

    def __post_init__(self) -> None:
        self.span.of(self.article.text)

    @property
    def text(self) -> str:
        """The passage's characters."""
        return self.span.of(self.article.text)


@dataclass(frozen=True, slots=True)
class Filters:
    """The articles to search: published between the dates, and from one of the sources.

    Both dates are inclusive. An article without a date passes no date filter. No source means every
    source; their names are normalised to NFC, as canonical texts are.

    Raises:
        InvalidInput: the dates are out of order, or a source cannot be stored as text.
    """

    published_from: date | None = None
    published_to: date | None = None
    sources: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.published_from and self.published_to and self.published_from > self.published_to:
            raise InvalidInput("published_from is later than published_to")
        for source in self.sources:
            refuse_unstorable(source, "the sources")
        composed = frozenset(unicodedata.normalize("NFC", source) for source in self.sources)
        object.__setattr__(self, "sources", composed)

    def __bool__(self) -> bool:
        return bool(self.published_from or self.published_to or self.sources)


EVERY_ARTICLE = Filters()
