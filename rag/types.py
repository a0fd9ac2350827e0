"""The values that cross Citewire's seams: frozen, and wrong ones cannot be built.

All offsets are half-open `[start, end)` in Unicode code points, as Python counts them.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from citewire.rag.errors import InvalidInput

MAX_QUESTION_CHARACTERS = 1000
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

    def shifted(self, by: int) -> "Span":
        """Return the same stretch in a text that starts `by` code points earlier."""
        return Span(self.start + by, self.end + by)

    def overlaps(self, other: "Span") -> bool:
        """Say whether the two share a character."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        """Say whether `other` lies wholly inside."""
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
    """One source text in its canonical form, with what is known of its origin.

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
class Hit:
    """A passage with its retrieval score.

    `score`, in [0, 1], orders the hits of one question and is relative to the best of them;
    `similarity` is the cosine between question and passage and compares across questions.
    """

    passage: Passage
    score: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Extract:
    """A span of one hit's passage, with the reader's score.

    `span` is in the article's coordinates. `score` is the span's logit margin over
    "no answer here": positive means that the reader prefers the span; margins of
    different passages compare. `state` is what the reader's network holds of question and
    passage together, at its first token; empty where a reader does not tell.
    """

    hit: Hit
    span: Span
    score: float
    state: tuple[float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.hit.passage.span.contains(self.span):
            raise InvalidInput(f"{self.span} leaves its passage {self.hit.passage.span}")

    @property
    def article(self) -> Article:
        """The article that is quoted."""
        return self.hit.passage.article

    @property
    def text(self) -> str:
        """The quoted characters."""
        return self.span.of(self.article.text)


@dataclass(frozen=True, slots=True)
class Citation:
    """An extract shown in the sentence or sentences around it."""

    extract: Extract
    context: Span

    def __post_init__(self) -> None:
        if not self.context.contains(self.extract.span):
            raise InvalidInput(f"{self.context} does not hold its quote {self.extract.span}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer text, the probability that it is right, and where it stands."""

    text: str
    confidence: float
    citations: tuple[Citation, ...]

    def __post_init__(self) -> None:
        if not self.citations:
            raise InvalidInput("an answer needs a citation")
        if not 0 <= self.confidence <= 1:
            raise InvalidInput(f"not a probability: {self.confidence}")

    @property
    def supporting_articles(self) -> int:
        """How many different articles say it."""
        return len({citation.extract.article.id for citation in self.citations})


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may be searched: published within the dates, from one of the sources.

    Both dates are inclusive. An article without a date passes no date filter. No source
    given means every source; their names become NFC, which canonical texts are.

    Raises:
        InvalidInput: the dates are out of order, or a source holds what is not text.
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which articles, for how many answers at most.

    Raises:
        InvalidInput: nothing is asked, too much is, or `max_answers` is not 1 to 10.
    """

    text: str
    filters: Filters = Filters()
    max_answers: int = 5

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidInput("the question is empty")
        refuse_unstorable(self.text, "the question")
        if len(self.text) > MAX_QUESTION_CHARACTERS:
            raise InvalidInput(
                f"the question has {len(self.text)} characters; at most "
                f"{MAX_QUESTION_CHARACTERS} are read"
            )
        if not 1 <= self.max_answers <= 10:
            raise InvalidInput(f"max_answers is {self.max_answers}; it goes from 1 to 10")


class Reason(StrEnum):
    """Why the archive's answer is withheld."""

    NOTHING_RELEVANT = "nothing_relevant"
    NOT_ANSWERED = "not_answered"
    TOO_CLOSE = "too_close"


@dataclass(frozen=True, slots=True)
class Searched:
    """What a question was asked of: the archive's size and state, and the time it took.

    `cached` says that the result was found before, in the same state of the archive.
    """

    articles: int
    passages: int
    index_version: str
    retrieve_ms: float
    read_ms: float
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What the archive says, best first: different answers may disagree."""

    question: Question
    answers: tuple[Answer, ...]
    searched: Searched

    def __post_init__(self) -> None:
        if not self.answers:
            raise InvalidInput("no answer is a NoAnswer")


@dataclass(frozen=True, slots=True)
class Closest:
    """A passage's best span that was too weak to be an answer, and its probability."""

    citation: Citation
    confidence: float


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The archive does not say: why, and the closest it comes."""

    question: Question
    reason: Reason
    closest: tuple[Closest, ...]
    searched: Searched
