"""The HTTP API of searching: passages, for those who want no answer."""

from fastapi import APIRouter, Request

from citewire.rag.types import Question
from citewire.rag.wiring import Pipeline
from citewire.service.http.problems import request_id
from citewire.service.routes.ask import filters_of, problems
from citewire.service.wire.convert import convert_search
from citewire.service.wire.search import SearchRequest, SearchResponse
from citewire.service.work.executor import Inference


def build_search_routes(pipeline: Pipeline, inference: Inference) -> APIRouter:
    """Return the routes of an opened pipeline."""
    router = APIRouter()

    @router.post(
        "/v1/search",
        summary="Find passages",
        responses=problems(400, 413, 415, 422, 429, 503, 504),
    )
    async def search(request: Request, body: SearchRequest) -> SearchResponse:
        """Return the passages that are worth reading for the question, best first."""
        question = Question(body.question, filters_of(body.filters))
        found = await inference.run(lambda: pipeline.retriever.retrieve(question, body.limit))
        return convert_search(found, request_id(request.scope), explain=body.explain)

    return router
