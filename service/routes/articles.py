"""The routes that read articles: lists, one article, sources, fingerprints."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from citewire.index.archive.protocol import Archive, Snapshot
from citewire.index.catalogue.records import ArticleRecord
from citewire.index.types import Filters, refuse_unstorable
from citewire.service.routes.cursors import read_cursor, write_cursor
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.answers import Day
from citewire.service.wire.articles import (
    MAX_KNOWN,
    ArticleList,
    ArticleOut,
    KnownArticle,
    KnownArticles,
    KnownQuery,
    SourceList,
    SourceOut,
)
from citewire.service.wire.convert import convert_article, convert_record
from citewire.service.work.executor import ReadExecutor
from citewire.service.work.snapshots import from_snapshot

MAX_PAGE = 200
MAX_SOURCES = 500


class ArticleFilters:
    """The query parameters that filter a list of articles."""

    def __init__(
        self,
        published_from: Annotated[Day | None, Query(description="this day or later")] = None,
        published_to: Annotated[Day | None, Query(description="this day or earlier")] = None,
        source: Annotated[list[str], Query(max_length=50, description="one of these sources")] = [],  # noqa: B006
        named: Annotated[str, Query(max_length=400, description="in the title or the id")] = "",
    ) -> None:
        self.published_from = published_from
        self.published_to = published_to
        self.sources = source
        self.named = named

    def to_filters(self) -> Filters:
        """Build the filters; raise InvalidInput when they contradict each other."""
        refuse_unstorable(self.named, "named")
        return Filters(self.published_from, self.published_to, frozenset(self.sources))


def build_article_routes(archive: Archive, reads: ReadExecutor) -> APIRouter:
    """Return the routes that read articles."""
    router = APIRouter()

    @router.get(
        "/v1/articles",
        name="articles",
        summary="List the articles",
        responses=document_problems(422, 503),
    )
    async def list_articles(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str, Query(max_length=4000)] = "",
        only: Annotated[ArticleFilters, Depends()] = ArticleFilters(),  # noqa: B008
    ) -> ArticleList:
        """Return a page of the archive's articles, in the order of their ids."""
        after, filters = read_cursor(cursor), only.to_filters()
        found = await reads.run(
            from_snapshot(
                archive,
                # One more than the page has, to know whether it is the last.
                lambda snapshot: snapshot.list_articles(
                    after=after, limit=limit + 1, filters=filters, named=only.named
                ),
            )
        )
        return convert_page(found, limit)

    @router.get(
        "/v1/articles/{article_id:path}",
        name="article",
        summary="Read an article",
        responses=document_problems(404, 503),
    )
    async def read_article(article_id: str) -> ArticleOut:
        """Return an article's canonical text, to which citations' offsets refer."""
        read = from_snapshot(archive, lambda snapshot: snapshot.article(article_id))
        return convert_article(await reads.run(read))

    return router


def convert_page(records: list[ArticleRecord], limit: int) -> ArticleList:
    """Return the first `limit` articles as a page, with a cursor where there are more."""
    page = records[:limit]
    more = write_cursor(page[-1].id) if len(records) > limit else None
    return ArticleList(articles=[convert_record(record) for record in page], next_cursor=more)


def build_overview_routes(archive: Archive, reads: ReadExecutor) -> APIRouter:
    """Return the routes of the articles' sources and fingerprints."""
    router = APIRouter()

    @router.get(
        "/v1/sources",
        name="sources",
        summary="List the sources",
        responses=document_problems(503),
    )
    async def list_sources() -> SourceList:
        """Return the names that `filters.sources` may have."""
        return await reads.run(from_snapshot(archive, build_source_list))

    @router.post(
        "/v1/articles/known",
        name="known",
        summary="List the articles' fingerprints",
        responses=document_problems(400, 413, 415, 422, 503),
    )
    async def list_known(body: KnownQuery) -> KnownArticles:
        """Return a page of fingerprints, by which `citewire index` skips unchanged articles."""
        after = read_cursor(body.cursor)
        return await reads.run(
            from_snapshot(archive, lambda snapshot: build_known_page(snapshot, after))
        )

    return router


def build_source_list(snapshot: Snapshot) -> SourceList:
    """Return the sources of most articles."""
    found = snapshot.sources(limit=MAX_SOURCES + 1)
    return SourceList(
        sources=[SourceOut(name=item.name, articles=item.articles) for item in found[:MAX_SOURCES]],
        more=len(found) > MAX_SOURCES,
    )


def build_known_page(snapshot: Snapshot, after: str) -> KnownArticles:
    """Return a page of fingerprints, of articles whose ids are greater than `after`."""
    articles = [
        KnownArticle(id=article_id, fingerprint=known.fingerprint, origin=known.origin)
        for article_id, known in snapshot.known_after(after, MAX_KNOWN).items()
    ]
    more = write_cursor(articles[-1].id) if len(articles) == MAX_KNOWN else None
    return KnownArticles(articles=articles, next_cursor=more)
