"""The JSON of a search: passages without an answer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from citewire.rag.types import DEFAULT_HITS, MAX_QUESTION_CHARACTERS
from citewire.service.wire.answers import FiltersIn, Probability, QuoteOut, Request, SearchedOut
from citewire.service.wire.examples import SEARCHED, SEARCHES

MAX_HITS = 100


class SearchRequest(Request):
    """A question to find passages for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": SEARCHES})

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)
    limit: int = Field(DEFAULT_HITS, ge=1, le=MAX_HITS, strict=True)
    filters: FiltersIn = FiltersIn()
    explain: bool = Field(False, strict=True, description="give `legs` for each passage")


class LegsOut(BaseModel):
    """A passage's scores in dense and lexical search, and its ranks where they propose it."""

    cosine: float = Field(description="of question and passage, in dense search")
    bm25: float = Field(ge=0, description="in lexical search")
    dense_rank: int | None = Field(ge=1)
    lexical_rank: int | None = Field(ge=1)


class FoundOut(QuoteOut):
    """A passage and its place: `text[start:end]` of the article is the quote."""

    quote: str = Field(description="the whole passage")
    score: Probability = Field(description="relative to the best passage, which has 1")
    legs: LegsOut | None = Field(None, description="given when `explain` is true")


class SearchResponse(BaseModel):
    """The passages that are worth reading for the question, best first."""

    model_config = ConfigDict(json_schema_extra={"examples": [SEARCHED]})

    question: str
    passages: list[FoundOut]
    searched: SearchedOut
    index_version: str
    offset_unit: Literal["codepoint"] = "codepoint"
    search_ms: float
    request_id: str
