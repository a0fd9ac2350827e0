"""The values between a question and its answers: frozen, and checked when they are built."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from citewire.index.errors import InvalidInput
from citewire.index.types import Article, Filters, Passage, Span, refuse_unstorable

MAX_QUESTION_CHARACTERS = 1000
# Answers to a question, and passages of a search, where no number is asked for.
DEFAULT_ANSWERS = 5
DEFAULT_HITS = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its retrieval score.

    `score`, in [0, 1], is relative to a question's best hit and orders only that question's hits;
    `similarity` is the cosine between question and passage and compares across questions.
    """

    passage: Passage
    score: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Extract:
    """A span of one hit's passage, with the reader's margin.

    `span` is in the article's coordinates. `margin` is the span's logit margin over
    "no answer here": positive means that the reader prefers the span; margins of
    different passages compare. `cls_vector` is the last hidden vector at [CLS], which sums up
    question and passage together; empty where a reader gives none.
    """

    hit: Hit
    span: Span
    margin: float
    cls_vector: tuple[float, ...] = field(default=(), repr=False)

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
    """A quote: a span of an article, with the sentence or sentences around it.

    Raises:
        InvalidInput: the context leaves the article, or does not hold the span.
    """

    article: Article
    span: Span
    context: Span

    def __post_init__(self) -> None:
        self.context.of(self.article.text)
        if not self.context.contains(self.span):
            raise InvalidInput(f"{self.context} does not hold its quote {self.span}")

    @classmethod
    def in_sentence(cls, article: Article, span: Span) -> Self:
        """Cite the span with the sentence or sentences that it touches."""
        # Here and not above: the sentence splitter would slow the start of every command.
        from citewire.index.text.chunking import find_context

        return cls(article, span, find_context(article.text, article.language, span))

    @property
    def text(self) -> str:
        """The quoted characters."""
        return self.span.of(self.article.text)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer text, the probability that it is right, and its citations."""

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
        """The number of different articles that say it."""
        return len({citation.article.id for citation in self.citations})


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the filters of its articles, and the number of answers at most.

    Raises:
        InvalidInput: the text is empty or too long, or `max_answers` is not 1 to 10.
    """

    text: str
    filters: Filters = Filters()
    max_answers: int = DEFAULT_ANSWERS

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
    """The reason for abstaining."""

    NOTHING_RELEVANT = "nothing_relevant"
    NOT_ANSWERED = "not_answered"
    TOO_CLOSE = "too_close"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Searched:
    """The archive that was searched: its size and state, and the time in milliseconds.

    `cached` means that the result was computed before, in the same state of the archive.
    """

    articles: int
    passages: int
    index_version: str
    retrieve_ms: float
    read_ms: float
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """The archive's answers, best first; different answers may disagree."""

    question: Question
    answers: tuple[Answer, ...]
    searched: Searched

    def __post_init__(self) -> None:
        if not self.answers:
            raise InvalidInput("answers without an answer; build a NoAnswer")


@dataclass(frozen=True, slots=True)
class Closest:
    """A span that was too improbable to be given as an answer, and its probability."""

    citation: Citation
    confidence: float


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """An abstention: its reason, and the spans that come closest to an answer."""

    question: Question
    reason: Reason
    closest: tuple[Closest, ...]
    searched: Searched
