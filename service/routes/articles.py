"""The HTTP API of articles: storing, replacing and removing them while questions are answered."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from citewire.index.errors import InvalidInput, UnknownArticle
from citewire.index.ingest.fields import build_article
from citewire.index.ingest.store import Incoming, Result
from citewire.index.types import Article
from citewire.rag.wiring import Pipeline
from citewire.service.http.problems import sendable, titled
from citewire.service.routes.ask import problems, read_cursor, write_cursor
from citewire.service.wire.answers import FieldProblem
from citewire.service.wire.articles import (
    MAX_KNOWN,
    ArticleContent,
    ArticleIn,
    ArticleOutcome,
    ArticlesIn,
    BatchOutcome,
    KnownArticle,
    KnownArticles,
    KnownQuery,
    Refused,
    StoredArticle,
)
from citewire.service.work.executor import Reads
from citewire.service.work.snapshots import from_snapshot
from citewire.service.work.writer import Writer

UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


def build_article_routes(pipeline: Pipeline, reads: Reads, writer: Writer) -> APIRouter:
    """Return the routes that read and change an archive."""
    router = APIRouter()
    archive = pipeline.archive

    @router.put(
        "/v1/articles/{article_id:path}",
        summary="Store an article",
        response_model=StoredArticle,
        responses=problems(400, 413, 415, 422, 503, 507)
        | {201: {"model": StoredArticle, "description": "The article is new"}},
    )
    async def put(article_id: str, body: ArticleContent) -> JSONResponse:
        """Add an article, or replace that of the same id; it is found once this answers."""
        article = article_of(article_id, body)
        (written,) = await writer.put([Incoming(article)])
        stored = StoredArticle(
            id=article.id,
            result=written.result,
            sha256=article.digest,
            passages=written.passages,
        )
        status = HTTPStatus.CREATED if written.result is Result.ADDED else HTTPStatus.OK
        return JSONResponse(stored.model_dump(mode="json"), status)

    @router.post(
        "/v1/articles",
        summary="Store many articles",
        response_model=BatchOutcome,
        responses=problems(400, 413, 415, 422, 503, 507)
        | {207: {"model": BatchOutcome, "description": "Some articles could not be stored"}},
    )
    async def post(request: Request, body: ArticlesIn) -> JSONResponse:
        """Store each article on its own: one that cannot be used does not hinder the others."""
        outcomes, incoming = sorted_out(request, body)
        written = await writer.put(list(incoming.values()))
        for (place, item), each in zip(incoming.items(), written, strict=True):
            outcomes[place] = ArticleOutcome(
                id=item.article.id,
                result=each.result,
                sha256=item.article.digest,
                passages=each.passages,
            )
        outcome = batch_outcome([outcomes[place] for place in sorted(outcomes)])
        status = HTTPStatus.MULTI_STATUS if outcome.failed else HTTPStatus.OK
        return JSONResponse(outcome.model_dump(mode="json", exclude_none=True), status)

    @router.delete(
        "/v1/articles/{article_id:path}",
        summary="Remove an article",
        status_code=HTTPStatus.NO_CONTENT,
        response_class=Response,
        responses=problems(404, 503),
    )
    async def delete(article_id: str) -> None:
        """Remove an article; no question finds it any more. It works on a full disk, too."""

        def work() -> None:
            with archive.reading() as snapshot:
                if not snapshot.known([article_id]):
                    raise UnknownArticle(article_id)
            archive.remove([article_id])

        # Not behind the writer's queue: what is removed must be gone at once.
        await reads.run(work)

    @router.post(
        "/v1/articles/known",
        summary="List the articles' fingerprints",
        responses=problems(400, 413, 415, 422, 503),
    )
    async def known(body: KnownQuery) -> KnownArticles:
        """Return a page of fingerprints, by which `citewire index` skips what is unchanged."""
        after = read_cursor(body.cursor)
        found = await reads.run(
            from_snapshot(archive, lambda snapshot: snapshot.known_after(after, MAX_KNOWN))
        )
        articles = [
            KnownArticle(id=article_id, fingerprint=item.fingerprint, origin=item.origin)
            for article_id, item in found.items()
        ]
        more = write_cursor(articles[-1].id) if len(articles) == MAX_KNOWN else None
        return KnownArticles(articles=articles, next_cursor=more)

    return router


def article_of(article_id: str, content: ArticleContent) -> Article:
    """Return the article in its canonical form; raise InvalidInput when it is none.

    By the rules that hold for a line of a JSON-lines file, so that both make the same article.
    """
    if not article_id.strip():
        raise InvalidInput("an article needs an id")
    fields = content.model_dump(mode="json", exclude={"id", "text", "published_at", "origin"})
    published = content.published_at
    fields["published"] = None if published is None else published.isoformat()
    return build_article(article_id, fields, content.text)


def sorted_out(
    request: Request, body: ArticlesIn
) -> tuple[dict[int, ArticleOutcome], dict[int, Incoming]]:
    """Return the outcomes of those that cannot be stored, and the others, by their places."""
    refused: dict[int, ArticleOutcome] = {}
    incoming: dict[int, Incoming] = {}
    seen: set[str] = set()
    for place, item in enumerate(body.articles):
        try:
            article = readable(item, seen)
        except UnreadableArticle as error:
            detail = str(error)
            problem = titled(
                request.scope, "Unprocessable Content", UNPROCESSABLE, detail, error.errors
            )
            name = None if item.id is None else sendable(item.id)
            refused[place] = ArticleOutcome(id=name, problem=problem)
        else:
            incoming[place] = Incoming(article, item.origin)
    return refused, incoming


class UnreadableArticle(InvalidInput):
    """One article of a batch cannot be used."""

    def __init__(self, message: str, errors: list[FieldProblem] | None = None) -> None:
        super().__init__(message)
        self.errors = errors


def readable(item: ArticleIn | Refused, seen: set[str]) -> Article:
    """Return the item's article; raise UnreadableArticle when it is none or comes again."""
    if isinstance(item, Refused):
        detail = "; ".join(f"{each.field or 'the article'}: {each.problem}" for each in item.errors)
        raise UnreadableArticle(detail, item.errors)
    if item.id in seen:
        raise UnreadableArticle(f"{item.id}: comes twice in this batch")
    seen.add(item.id)
    try:
        return article_of(item.id, item)
    except InvalidInput as error:
        raise UnreadableArticle(str(error)) from error


def batch_outcome(results: list[ArticleOutcome]) -> BatchOutcome:
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
