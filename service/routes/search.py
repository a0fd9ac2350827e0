"""The route of searches: passages without an answer."""

from fastapi import APIRouter, Request

from citewire.rag.types import Question
from citewire.rag.wiring import Pipeline
from citewire.service.http.problems import get_request_id
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.convert import convert_search
from citewire.service.wire.search import SearchRequest, SearchResponse
from citewire.service.work.executor import QuestionExecutor


def build_search_routes(pipeline: Pipeline, questions: QuestionExecutor) -> APIRouter:
    """Return the route that finds passages."""
    router = APIRouter()

    @router.post(
        "/v1/search",
        summary="Find passages",
        responses=document_problems(400, 413, 415, 422, 429, 503, 504),
    )
    async def search(request: Request, body: SearchRequest) -> SearchResponse:
        """Return the passages that are worth reading for the question, best first."""
        question = Question(body.question, body.filters.to_filters())
        found = await questions.run(lambda: pipeline.retriever.retrieve(question, body.limit))
        return convert_search(found, get_request_id(request.scope), explain=body.explain)

    return router
