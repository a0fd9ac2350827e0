"""The routes of a conversation: a follow-up question is rewritten, then asked."""

from collections.abc import Sequence

from fastapi import APIRouter, Request

from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification, Rewrite
from citewire.rag.types import Question
from citewire.service.http.problems import get_request_id
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.chat import (
    ChatAnswer,
    ChatRequest,
    ChatResponse,
    Message,
    UnclearOut,
    UnderstandRequest,
    UnderstandResponse,
    UnderstoodOut,
)
from citewire.service.work.asker import Asker


def build_chat_routes(asker: Asker) -> APIRouter:
    """Return the routes of a conversation."""
    router = APIRouter()

    @router.post(
        "/v1/chat",
        summary="Ask the archive in a conversation",
        responses=document_problems(400, 413, 415, 422, 429, 503, 504),
    )
    async def chat(request: Request, body: ChatRequest) -> ChatResponse:
        """Rewrite the last question by those before it, and answer as `/v1/ask` does.

        A follow-up that cannot be resolved is not guessed: `status` is then `unclear`.
        """
        return await answer_last(asker, body, get_request_id(request.scope))

    @router.post(
        "/v1/understand",
        summary="Understand a follow-up question",
        responses=document_problems(400, 413, 415, 422),
    )
    async def understand(request: Request, body: UnderstandRequest) -> UnderstandResponse:
        """Return the last question as `/v1/chat` would rewrite it; nothing is searched."""
        return understand_last(body, get_request_id(request.scope))

    return router


async def answer_last(asker: Asker, body: ChatRequest, request_id: str) -> ChatResponse:
    """Answer the last question, or ask which one is meant."""
    rewritten = rewrite_last_question(body.messages)
    if isinstance(rewritten, Clarification):
        return ChatResponse(convert_clarification(rewritten, request_id))
    question = Question(rewritten.question, body.filters.to_filters(), body.max_answers)
    answer = (await asker.ask(question, request_id)).model_dump() | {
        "question": body.messages[-1].content,
        "asked_as": rewritten.question,
        "alternatives": list(rewritten.alternatives),
    }
    return ChatResponse(ChatAnswer.model_validate(answer))


def understand_last(body: UnderstandRequest, request_id: str) -> UnderstandResponse:
    """Return the last question as it is rewritten, or ask which one is meant."""
    rewritten = rewrite_last_question(body.messages)
    if isinstance(rewritten, Clarification):
        return UnderstandResponse(convert_clarification(rewritten, request_id))
    return UnderstandResponse(
        UnderstoodOut(
            question=body.messages[-1].content,
            asked_as=rewritten.question,
            alternatives=list(rewritten.alternatives),
        )
    )


def rewrite_last_question(messages: Sequence[Message]) -> Rewrite | Clarification:
    """Rewrite the last question; an answer belongs to the question before it."""
    questions: list[str] = []
    answers: list[str] = []
    for message in messages:
        if message.role == "user" and message.content.strip():
            questions.append(message.content)
            answers.append("")
        elif message.role == "assistant" and answers:
            answers[-1] = message.content
    return rewrite_last(questions, answers[:-1])


def convert_clarification(clarification: Clarification, request_id: str) -> UnclearOut:
    """Return the wire object of a clarification."""
    return UnclearOut(
        question=clarification.question,
        ask_back=clarification.ask_back,
        candidates=list(clarification.candidates),
        request_id=request_id,
    )
