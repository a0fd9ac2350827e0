"""The HTTP API of searching: passages, for those who want no answer."""

from fastapi import APIRouter, Request

from citewire.rag.types import Question
from citewire.rag.wiring import Library
from citewire.service.http.problems import request_id
from citewire.service.routes.ask import filters_of, problems
from citewire.service.wire.convert import convert_search
from citewire.service.wire.search import SearchRequest, SearchResponse
from citewire.service.work.executor import Inference


def build_search_routes(library: Library, inference: Inference) -> APIRouter:
    """Return the routes of an opened library."""
    router = APIRouter()

    @router.post(
        "/v1/search",
        summary="Find passages",
        responses=problems(400, 413, 415, 422, 429, 503, 504),
    )
    async def search(request: Request, body: SearchRequest) -> SearchResponse:
        """Return the passages that are worth reading for the question, best first."""
        question = Question(body.question, filters_of(body.filters))
        found = await inference.run(lambda: library.retriever.search(question, body.limit))
        return convert_search(found, request_id(request.scope), explain=body.explain)

    return router
