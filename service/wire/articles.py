"""The JSON of articles: read, listed, stored, and their outcomes."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator

from citewire.index.ingest.store import Result
from citewire.service.wire.answers import ArticleId, Day, FieldProblem, Problem, Request
from citewire.service.wire.examples import NEW_ARTICLE

# Articles, and bytes, of one batch.
MAX_ARTICLES = 1000
MAX_ARTICLES_BYTES = 16 * 1024 * 1024
# Articles of one page of fingerprints.
MAX_KNOWN = 5000


class ArticleFields(BaseModel):
    """The metadata of an article."""

    id: ArticleId
    title: str
    source: str | None
    url: str | None
    published_at: date | None
    author: str | None
    language: str
    sha256: str


class ArticleSummary(ArticleFields):
    """An article's metadata and the length of its text."""

    characters: int


class ArticleList(BaseModel):
    """A page of articles in the order of their ids."""

    articles: list[ArticleSummary]
    next_cursor: str | None = Field(description="pass it as `cursor` for the next page")


class SourceOut(BaseModel):
    """A source, and how many articles name it."""

    name: str
    articles: int = Field(ge=1)


class SourceList(BaseModel):
    """The archive's sources, those of most articles first."""

    sources: list[SourceOut]
    more: bool = Field(description="whether there are more than these")


class ArticleOut(ArticleFields):
    """An article with its canonical text, to which all offsets refer."""

    text: str
    offset_unit: Literal["codepoint"] = "codepoint"


class ArticleContent(Request):
    """An article's plain text and its metadata."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_ARTICLE]})

    text: str = Field(min_length=1)
    title: str | None = Field(None, description="the text's first line when it is not given")
    source: str | None = None
    url: str | None = None
    published_at: Day | None = None
    author: str | None = None
    language: str = "en"


class ArticleIn(ArticleContent):
    """An article with its id; it replaces the stored article of the same id."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": []})

    id: ArticleId = Field(min_length=1, max_length=400, pattern=r"\S")
    origin: str | None = Field(
        None, description="the file that it was loaded from, for `citewire index --prune`"
    )


class Refused(BaseModel):
    """An item of a batch that is no article, and why; the other items are not affected."""

    id: str | None
    errors: list[FieldProblem]


def validate_item(value: Any, read: Any) -> "ArticleIn | Refused":
    """Validate one item of a batch, so that an invalid one does not fail the batch."""
    try:
        article: ArticleIn = read(value)
    except ValidationError as error:
        named = value.get("id") if isinstance(value, dict) else None
        return Refused(
            id=named if isinstance(named, str) else None,
            errors=[
                FieldProblem(field=".".join(map(str, item["loc"])), problem=item["msg"])
                for item in error.errors()
            ],
        )
    return article


class ArticlesIn(Request):
    """Articles to be stored, each on its own."""

    articles: list[Annotated[ArticleIn, WrapValidator(validate_item)]] = Field(
        min_length=1, max_length=MAX_ARTICLES
    )


class StoredArticle(BaseModel):
    """The outcome of storing an article, which questions can already find."""

    id: ArticleId
    result: Result
    sha256: str = Field(description="of the article's canonical text, in UTF-8")
    passages: int = Field(description="the number of its passages; 0 when it is unchanged")


class ArticleOutcome(BaseModel):
    """The outcome of one article of a batch; `problem` says why it was not stored."""

    id: str | None = None
    result: Result | None = None
    sha256: str | None = None
    passages: int = 0
    problem: Problem | None = None


class BatchOutcome(BaseModel):
    """The outcomes of a batch, in its order, and their counts."""

    results: list[ArticleOutcome]
    added: int
    replaced: int
    unchanged: int
    failed: int
    passages: int


class KnownQuery(Request):
    """A request for a page of the stored articles' fingerprints."""

    cursor: str = Field("", max_length=4000)


class KnownArticle(BaseModel):
    """An article's fingerprint, which changes with its content or metadata, and its file."""

    id: ArticleId
    fingerprint: str
    origin: str


class KnownArticles(BaseModel):
    """A page of fingerprints in the order of the articles' ids."""

    articles: list[KnownArticle]
    next_cursor: str | None
