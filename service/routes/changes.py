"""The routes that change the archive, while questions are answered."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Scope

from citewire.index.archive.protocol import Archive
from citewire.index.errors import InvalidInput, UnknownArticle
from citewire.index.ingest.fields import build_article
from citewire.index.ingest.store import Incoming, Result
from citewire.index.types import Article
from citewire.service.http.problems import build_problem, replace_surrogates
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.answers import FieldProblem
from citewire.service.wire.articles import (
    ArticleContent,
    ArticleIn,
    ArticleOutcome,
    ArticlesIn,
    BatchOutcome,
    Refused,
    StoredArticle,
)
from citewire.service.work.executor import ReadExecutor
from citewire.service.work.writer import Writer

UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


def build_store_routes(writer: Writer) -> APIRouter:
    """Return the routes that store articles."""
    router = APIRouter()

    @router.put(
        "/v1/articles/{article_id:path}",
        name="put",
        summary="Store an article",
        response_model=StoredArticle,
        responses=document_problems(400, 413, 415, 422, 503, 507)
        | {201: {"model": StoredArticle, "description": "The article is new"}},
    )
    async def store_article(article_id: str, body: ArticleContent) -> JSONResponse:
        """Add an article, or replace the one of this id; on return, questions find it."""
        stored = await store_one(writer, convert_content(article_id, body))
        status = HTTPStatus.CREATED if stored.result is Result.ADDED else HTTPStatus.OK
        return JSONResponse(stored.model_dump(mode="json"), status)

    @router.post(
        "/v1/articles",
        name="post",
        summary="Store many articles",
        response_model=BatchOutcome,
        responses=document_problems(400, 413, 415, 422, 503, 507)
        | {207: {"model": BatchOutcome, "description": "Some articles could not be stored"}},
    )
    async def store_articles(request: Request, body: ArticlesIn) -> JSONResponse:
        """Store each article on its own: one that cannot be used does not affect the others."""
        outcome = await store_batch(writer, request.scope, body)
        status = HTTPStatus.MULTI_STATUS if outcome.failed else HTTPStatus.OK
        return JSONResponse(outcome.model_dump(mode="json", exclude_none=True), status)

    return router


def build_removal_routes(archive: Archive, reads: ReadExecutor) -> APIRouter:
    """Return the route that removes an article."""
    router = APIRouter()

    @router.delete(
        "/v1/articles/{article_id:path}",
        name="delete",
        summary="Remove an article",
        status_code=HTTPStatus.NO_CONTENT,
        response_class=Response,
        responses=document_problems(404, 503),
    )
    async def remove_article(article_id: str) -> None:
        """Remove an article; on return, no question finds it. It works on a full disk, too."""

        def work() -> None:
            with archive.reading() as snapshot:
                if not snapshot.known([article_id]):
                    raise UnknownArticle(article_id)
            archive.remove([article_id])

        # Not in the writer's queue: a removed article must be gone at once.
        await reads.run(work)

    return router


async def store_one(writer: Writer, article: Article) -> StoredArticle:
    """Store an article; return its result."""
    (stored,) = await writer.put([Incoming(article)])
    return StoredArticle(
        id=article.id,
        result=stored.result,
        sha256=article.digest,
        passages=stored.passages,
    )


async def store_batch(writer: Writer, scope: Scope, body: ArticlesIn) -> BatchOutcome:
    """Store the articles that can be stored; return the outcomes of all, in their order."""
    outcomes, incoming = separate_refused(scope, body)
    written = await writer.put(list(incoming.values()))
    for (place, item), stored in zip(incoming.items(), written, strict=True):
        outcomes[place] = ArticleOutcome(
            id=item.article.id,
            result=stored.result,
            sha256=item.article.digest,
            passages=stored.passages,
        )
    return count_outcomes([outcomes[place] for place in sorted(outcomes)])


def convert_content(article_id: str, content: ArticleContent) -> Article:
    """Build the article in its canonical form; raise InvalidInput where it is none.

    By the rules of a line of a JSON-lines file, so that both give the same article.
    """
    if not article_id.strip():
        raise InvalidInput("an article needs an id")
    fields = content.model_dump(mode="json", exclude={"id", "text", "published_at", "origin"})
    published = content.published_at
    fields["published"] = None if published is None else published.isoformat()
    return build_article(article_id, fields, content.text)


def separate_refused(
    scope: Scope, body: ArticlesIn
) -> tuple[dict[int, ArticleOutcome], dict[int, Incoming]]:
    """Return the outcomes of articles that cannot be stored, and the others, by position."""
    refused: dict[int, ArticleOutcome] = {}
    incoming: dict[int, Incoming] = {}
    seen: set[str] = set()
    for place, item in enumerate(body.articles):
        try:
            article = convert_item(item, seen)
        except UnreadableArticle as error:
            problem = build_problem(
                scope, "Unprocessable Content", UNPROCESSABLE, str(error), error.errors
            )
            name = None if item.id is None else replace_surrogates(item.id)
            refused[place] = ArticleOutcome(id=name, problem=problem)
        else:
            incoming[place] = Incoming(article, item.origin)
    return refused, incoming


class UnreadableArticle(InvalidInput):
    """One article of a batch cannot be used."""

    def __init__(self, message: str, errors: list[FieldProblem] | None = None) -> None:
        super().__init__(message)
        self.errors = errors


def convert_item(item: ArticleIn | Refused, seen: set[str]) -> Article:
    """Build an item's article, and add its id to `seen`.

    Raises:
        UnreadableArticle: the item is no article, or its id was seen before.
    """
    if isinstance(item, Refused):
        detail = "; ".join(f"{each.field or 'the article'}: {each.problem}" for each in item.errors)
        raise UnreadableArticle(detail, item.errors)
    if item.id in seen:
        raise UnreadableArticle(f"{item.id}: comes twice in this batch")
    seen.add(item.id)
    try:
        return convert_content(item.id, item)
    except InvalidInput as error:
        raise UnreadableArticle(str(error)) from error


def count_outcomes(results: list[ArticleOutcome]) -> BatchOutcome:
    """Return the outcomes with their counts."""
    counts = {kind: sum(each.result is kind for each in results) for kind in Result}
    return BatchOutcome(
        results=results,
        added=counts[Result.ADDED],
        replaced=counts[Result.REPLACED],
        unchanged=counts[Result.UNCHANGED],
        passages=sum(each.passages for each in results),
        failed=sum(each.result is None for each in results),
    )
