"""The HTTP API of a conversation: follow-up questions are understood, then asked."""

from collections.abc import Sequence

from fastapi import APIRouter, Request

from citewire.index.types import Filters
from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification, Rewrite
from citewire.rag.types import Question
from citewire.service.http.problems import request_id
from citewire.service.routes.ask import problems
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
        responses=problems(400, 413, 415, 422, 429, 503, 504),
    )
    async def chat(request: Request, body: ChatRequest) -> ChatResponse:
        """Understand the last question by those before it, and answer as `/v1/ask` does.

        A follow-up that cannot be resolved is not guessed: `status` is then `unclear`.
        """
        identity = request_id(request.scope)
        rewritten = rewrite_last_question(body.messages)
        if isinstance(rewritten, Clarification):
            return ChatResponse(unclear_out(rewritten, identity))
        given = body.filters
        filters = Filters(given.published_from, given.published_to, frozenset(given.sources))
        question = Question(rewritten.question, filters, body.max_answers)
        answer = (await asker.ask(question, identity)).model_dump() | {
            "question": body.messages[-1].content,
            "asked_as": rewritten.question,
            "alternatives": list(rewritten.alternatives),
        }
        return ChatResponse(ChatAnswer.model_validate(answer))

    @router.post(
        "/v1/understand",
        summary="Understand a follow-up question",
        responses=problems(400, 413, 415, 422),
    )
    async def understand(request: Request, body: UnderstandRequest) -> UnderstandResponse:
        """Say how `/v1/chat` would understand the last question; nothing is searched."""
        rewritten = rewrite_last_question(body.messages)
        if isinstance(rewritten, Clarification):
            return UnderstandResponse(unclear_out(rewritten, request_id(request.scope)))
        return UnderstandResponse(
            UnderstoodOut(
                question=body.messages[-1].content,
                asked_as=rewritten.question,
                alternatives=list(rewritten.alternatives),
            )
        )

    return router


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


def unclear_out(clarification: Clarification, identity: str) -> UnclearOut:
    """Return the wire object of a question that is asked back."""
    return UnclearOut(
        question=clarification.question,
        ask_back=clarification.ask_back,
        candidates=list(clarification.candidates),
        request_id=identity,
    )
