"""The wire of changes to the archive: articles that come in, and what became of them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator

from citewire.index.ingest.store import Result
from citewire.service.wire.answers import ArticleId, Day, FieldProblem, Problem, Request
from citewire.service.wire.examples import NEW_ARTICLE

MAX_ARTICLES = 1000
MAX_ARTICLES_BYTES = 16 * 1024 * 1024
MAX_KNOWN = 5000


class ArticleContent(Request):
    """What an article says and where it is from; the text is plain."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_ARTICLE]})

    text: str = Field(min_length=1)
    title: str | None = Field(None, description="the text's first line when it is not given")
    source: str | None = None
    url: str | None = None
    published_at: Day | None = None
    author: str | None = None
    language: str = "en"


class ArticleIn(ArticleContent):
    """An article with its id; the same id again replaces the article."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": []})

    id: ArticleId = Field(min_length=1, max_length=400, pattern=r"\S")
    origin: str | None = Field(
        None, description="the file that it was loaded from, for `citewire index --prune`"
    )


class Refused(BaseModel):
    """An article that is none, and why: the others of its batch are not concerned."""

    id: str | None
    errors: list[FieldProblem]


def article_or_refused(value: Any, read: Any) -> "ArticleIn | Refused":
    """Read one article of a batch without failing the batch."""
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
    """Articles to be stored; each on its own."""

    articles: list[Annotated[ArticleIn, WrapValidator(article_or_refused)]] = Field(
        min_length=1, max_length=MAX_ARTICLES
    )


class StoredArticle(BaseModel):
    """What became of an article: it can be found by questions already."""

    id: ArticleId
    result: Result
    sha256: str = Field(description="of the article's canonical text, in UTF-8")
    passages: int = Field(description="into how many it was cut; 0 when it is unchanged")


class ArticleOutcome(BaseModel):
    """What became of one article of a batch: `problem` says why it was not stored."""

    id: str | None = None
    result: Result | None = None
    sha256: str | None = None
    passages: int = 0
    problem: Problem | None = None


class BatchOutcome(BaseModel):
    """What became of a batch, article by article in its order."""

    results: list[ArticleOutcome]
    added: int
    replaced: int
    unchanged: int
    failed: int
    passages: int


class KnownQuery(Request):
    """Which page of the stored articles' fingerprints is wanted."""

    cursor: str = Field("", max_length=4000)


class KnownArticle(BaseModel):
    """What tells whether an article is stored as it is."""

    id: ArticleId
    fingerprint: str
    origin: str


class KnownArticles(BaseModel):
    """A page of fingerprints in the order of the articles' ids."""

    articles: list[KnownArticle]
    next_cursor: str | None
