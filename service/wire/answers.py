"""The JSON of questions, answers, articles and problems."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from citewire.index.types import Filters
from citewire.rag.types import DEFAULT_ANSWERS, MAX_QUESTION_CHARACTERS, Reason
from citewire.service.wire.examples import ANSWERED, NOT_ANSWERED, QUESTIONS
from citewire.service.wire.phrasing import (
    Likelihood,
    describe_support,
    explain,
    format_percentage,
    name_likelihood,
)

ArticleId = Annotated[str, Field(description="the article's id", examples=["seeds/talks.md"])]
Offset = Annotated[int, Field(ge=0, description="in Unicode code points of the article's text")]
Probability = Annotated[float, Field(ge=0, le=1)]


def require_day(value: object) -> object:
    """Refuse anything but a day in ISO 8601: pydantic reads a number as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("write a day like 2023-11-09")
    if not isinstance(value, str | date):
        raise ValueError("write a day like 2023-11-09, in quotes")  # noqa: TRY004
    return value


Day = Annotated[date, BeforeValidator(require_day)]


class Request(BaseModel):
    """A request with known fields only: an unknown one is an error, not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class FiltersIn(Request):
    """Which articles may be searched; an article without a date passes no date filter."""

    published_from: Day | None = Field(None, description="this day or later")
    published_to: Day | None = Field(None, description="this day or earlier")
    sources: list[Annotated[str, Field(max_length=200)]] = Field(
        [], max_length=50, description="one of these sources; none given means all"
    )

    def to_filters(self) -> Filters:
        """Build the filters; raise InvalidInput where they contradict each other."""
        return Filters(self.published_from, self.published_to, frozenset(self.sources))


class AskRequest(Request):
    """A question to the archive."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": QUESTIONS})

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)
    max_answers: int = Field(DEFAULT_ANSWERS, ge=1, le=10, strict=True)
    filters: FiltersIn = FiltersIn()


class PlaceOut(BaseModel):
    """A stretch of an article, `text[start:end]`, and the article's origin."""

    article_id: ArticleId
    article_sha256: str = Field(description="of the article's text, in UTF-8")
    title: str
    source: str | None
    url: str | None
    published_at: date | None
    start: Offset
    end: Offset


class QuoteOut(PlaceOut):
    """A quote and its place: `text[start:end]` of the article is the quote."""

    quote: str


class CitationOut(QuoteOut):
    """A quote and its place: `text[start:end]` of the article is the quote."""

    context: str = Field(description="the sentence or sentences around the quote")
    context_start: Offset
    evidence: str = Field(
        description="a permanent address, in this service, that shows the quote in its article"
    )


class ClosestOut(CitationOut):
    """One of the closest passages, with the probability that it answers the question."""

    confidence: Probability = Field(description="the probability that it answers the question")
    percentage: str = Field(
        default_factory=lambda fields: format_percentage(fields["confidence"]),
        description="the confidence for people: “4 %”",
    )
    score: Probability = Field(
        description="deprecated: the former name of `confidence`, with the same value",
        # Not pydantic's `deprecated`, which would warn whenever a value is read or printed.
        json_schema_extra={"deprecated": True},
    )


class SupportOut(BaseModel):
    """The articles that give the same answer."""

    articles: int = Field(ge=1)
    text: str = Field(
        default_factory=lambda fields: describe_support(fields["articles"]),
        description="the same for people: “said by 2 articles”",
    )


class AnswerOut(BaseModel):
    """One answer: verbatim text, the probability that it is right, and its citations."""

    text: str
    confidence: Probability
    likelihood: Likelihood = Field(
        default_factory=lambda fields: name_likelihood(fields["confidence"]),
        description="the confidence in words, by the IPCC's scale",
    )
    percentage: str = Field(
        default_factory=lambda fields: format_percentage(fields["confidence"]),
        description="the confidence for people: “83 %”, at most “over 99 %”",
    )
    support: SupportOut
    citations: list[CitationOut] = Field(min_length=1)


class SearchedOut(BaseModel):
    """How large the archive is."""

    articles: int
    passages: int


class TimingOut(BaseModel):
    """The durations of retrieving and reading passages, in milliseconds."""

    retrieve: float
    read: float
    total: float


class AskResponse(BaseModel):
    """The archive's answers, or why there is none and the closest passages."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWERED, NOT_ANSWERED]})

    status: Literal["answered", "no_answer"]
    reason: Reason | None = Field(None, description="set when there is no answer")
    explanation: str | None = Field(
        default_factory=lambda fields: explain(fields["reason"]),
        description="the reason as a sentence about the archive, for people",
    )
    question: str
    answers: list[AnswerOut]
    closest: list[ClosestOut] = Field([], description="given when there is no answer")
    searched: SearchedOut
    index_version: str
    offset_unit: Literal["codepoint"] = "codepoint"
    timing_ms: TimingOut
    cached: bool = Field(
        False, description="kept from an earlier request; the archive has not changed since"
    )
    request_id: str


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The archive and the models can be used."""

    status: Literal["ready"] = "ready"
    articles: int
    passages: int
    index_version: str


class FieldProblem(BaseModel):
    """The problem with one field of a request."""

    field: str
    problem: str


class Problem(BaseModel):
    """An error, as problem details (RFC 9457)."""

    type: str = Field(examples=["/problems/unprocessable-content"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="names this request, also in the logs")
    errors: list[FieldProblem] | None = None
    retry_after_s: int | None = Field(None, description="as Retry-After says, where trying helps")
