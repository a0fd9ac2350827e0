"""The JSON of quotes: verification, and the evidence that a link leads to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from citewire.rag.quotes.evidence import State
from citewire.rag.quotes.matching import MAX_QUOTE_CHARACTERS
from citewire.rag.quotes.verification import Status
from citewire.service.wire.answers import CitationOut, Request, SearchedOut
from citewire.service.wire.examples import QUOTES


class VerifyRequest(Request):
    """A quote to be looked up, in one article where one is named."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": QUOTES})

    quote: str = Field(min_length=1, max_length=MAX_QUOTE_CHARACTERS)
    article_id: str | None = Field(
        None, min_length=1, max_length=2000, description="the article that is said to hold it"
    )


class VerifyResponse(BaseModel):
    """Whether the archive holds the quote, and where.

    `exact`: letter by letter. `whitespace_only`: with other white space. `misattributed`: not in
    the article that was named, but in those given. `not_found`: nowhere; `closest` is given where
    only case, accents, quotation marks or dashes differ.
    """

    status: Status
    matches: list[CitationOut]
    more: bool = Field(description="there are more matches than these")
    closest: CitationOut | None
    searched: SearchedOut
    index_version: str
    offset_unit: Literal["codepoint"] = "codepoint"
    request_id: str


class EvidenceOut(BaseModel):
    """The state of a quote since it was cited, checked for this response.

    `ok`: its article is as it was, and the quote in its place. `moved`: the article's text is
    another one, and the quote is in it. `changed`: the article no longer holds the quote.
    `removed`: there is no such article.
    """

    state: State
    citation: CitationOut | None = Field(description="the quote's place now, where it has one")
    offset_unit: Literal["codepoint"] = "codepoint"
