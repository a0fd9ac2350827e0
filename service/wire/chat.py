"""The JSON of a conversation: messages in; the rewritten question or its answer out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from citewire.rag.types import DEFAULT_ANSWERS, MAX_QUESTION_CHARACTERS
from citewire.service.wire.answers import AskResponse, FiltersIn, Request
from citewire.service.wire.examples import CONVERSATION, UNCLEAR

MAX_MESSAGES = 40
MAX_ANSWER_CHARACTERS = 2000


class Message(Request):
    """A question of the user, or the text of the answer to it."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_ANSWER_CHARACTERS)


class UnderstandRequest(Request):
    """A conversation whose last message is the question.

    Send an earlier question as it was rewritten (`asked_as`), and as an answer the text of the
    best one; leave the answer out, or empty, where the archive did not say.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CONVERSATION]})

    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)

    @model_validator(mode="after")
    def require_question_last(self) -> "UnderstandRequest":
        """Refuse a conversation that does not end with a question."""
        last = self.messages[-1]
        if last.role != "user" or not last.content.strip():
            raise ValueError("the last message must be a question, of role `user`")
        if any(
            message.role == "user" and len(message.content) > MAX_QUESTION_CHARACTERS
            for message in self.messages
        ):
            raise ValueError(f"a question has at most {MAX_QUESTION_CHARACTERS} characters")
        return self


class ChatRequest(UnderstandRequest):
    """A conversation to be answered."""

    max_answers: int = Field(DEFAULT_ANSWERS, ge=1, le=10, strict=True)
    filters: FiltersIn = FiltersIn()


class UnderstoodOut(BaseModel):
    """A question rewritten so that it needs no conversation."""

    status: Literal["understood"] = "understood"
    question: str = Field(description="as it was sent")
    asked_as: str = Field(description="the question as it was rewritten")
    alternatives: list[str] = Field(description="other readings of it")


class UnclearOut(BaseModel):
    """A follow-up that cannot be resolved: nothing was searched, and the user is asked."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNCLEAR]})

    status: Literal["unclear"] = "unclear"
    question: str = Field(description="as it was sent")
    ask_back: str = Field(description="the question to the user")
    candidates: list[str] = Field(description="complete questions, one of which may be meant")
    request_id: str


class ChatAnswer(AskResponse):
    """The response of `/v1/ask` to the rewritten question."""

    question: str = Field(description="as it was sent")
    asked_as: str = Field(description="the question as it was rewritten")
    alternatives: list[str] = Field(description="other readings of it")


class UnderstandResponse(
    RootModel[Annotated[UnderstoodOut | UnclearOut, Field(discriminator="status")]]
):
    """The last question as it is rewritten, or a question to the user."""


class ChatResponse(RootModel[Annotated[ChatAnswer | UnclearOut, Field(discriminator="status")]]):
    """The archive's answers, why there is none, or a question to the user."""
