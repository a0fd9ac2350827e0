"""The wire of a conversation: messages in, the understood question or its answer out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from citewire.rag.types import MAX_QUESTION_CHARACTERS
from citewire.service.wire.answers import AskResponse, FiltersIn, Request
from citewire.service.wire.examples import CONVERSATION, UNCLEAR

MAX_MESSAGES = 40
MAX_ANSWER_CHARACTERS = 2000


class Message(Request):
    """What one side said: a question, or the text of the answer that was given."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_ANSWER_CHARACTERS)


class UnderstandRequest(Request):
    """A conversation whose last message is the question.

    Send an earlier question as it was understood (`asked_as`), and as an answer the text of the
    best one; leave the answer out, or empty, where the archive did not say.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CONVERSATION]})

    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)

    @model_validator(mode="after")
    def last_is_a_question(self) -> "UnderstandRequest":
        """Refuse a conversation that does not end with something to answer."""
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

    max_answers: int = Field(5, ge=1, le=10, strict=True)
    filters: FiltersIn = FiltersIn()


class UnderstoodOut(BaseModel):
    """The question that stands by itself."""

    status: Literal["understood"] = "understood"
    question: str = Field(description="as it was sent")
    asked_as: str = Field(description="the question as it was understood")
    alternatives: list[str] = Field(description="other ways to read it")


class UnclearOut(BaseModel):
    """A follow-up that cannot be resolved: nothing was searched, and this is asked back."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNCLEAR]})

    status: Literal["unclear"] = "unclear"
    question: str = Field(description="as it was sent")
    ask_back: str = Field(description="what to ask the person, in plain words")
    candidates: list[str] = Field(description="whole questions, one of which may be meant")
    request_id: str


class ChatAnswer(AskResponse):
    """What `/v1/ask` answers to the question as it was understood."""

    question: str = Field(description="as it was sent")
    asked_as: str = Field(description="the question as it was understood")
    alternatives: list[str] = Field(description="other ways to read it")


class UnderstandResponse(
    RootModel[Annotated[UnderstoodOut | UnclearOut, Field(discriminator="status")]]
):
    """How the last question is understood, or what is asked back."""


class ChatResponse(RootModel[Annotated[ChatAnswer | UnclearOut, Field(discriminator="status")]]):
    """The archive's answers, why there is none, or what is asked back."""
