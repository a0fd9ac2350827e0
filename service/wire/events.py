"""The wire of a streamed answer: which events there are, and what each one holds."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel

from citewire.service.wire.answers import (
    AnswerOut,
    AskResponse,
    PlaceOut,
    Probability,
    Problem,
)


class StatusOut(BaseModel):
    """How far the question has come."""

    stage: Literal["waiting", "retrieving", "reading"] = Field(
        description="`waiting` is told only to those who wait for other questions"
    )


class PassageOut(PlaceOut):
    """A passage that is read: `text[start:end]` of its article."""

    score: Probability = Field(description="of retrieval, relative to the best passage")


class PassagesOut(BaseModel):
    """Passages that are read for an answer, the most promising first."""

    passages: list[PassageOut]


class DoneOut(BaseModel):
    """Nothing more: the stream is whole."""


class StatusEvent(BaseModel):
    """The question has come to a new stage."""

    event: Literal["status"] = "status"
    data: StatusOut


class PassagesEvent(BaseModel):
    """Passages were found and are about to be read: the most promising, then perhaps others."""

    event: Literal["passages"] = "passages"
    data: PassagesOut


class AnswerEvent(BaseModel):
    """One answer, as it stands in the result."""

    event: Literal["answer"] = "answer"
    data: AnswerOut


class ResultEvent(BaseModel):
    """The whole of what `/v1/ask` answers."""

    event: Literal["result"] = "result"
    data: AskResponse


class ErrorEvent(BaseModel):
    """What went wrong after the stream had begun; nothing follows."""

    event: Literal["error"] = "error"
    data: Problem


class DoneEvent(BaseModel):
    """The stream's end; one that ends without it was cut off."""

    event: Literal["done"] = "done"
    data: DoneOut = DoneOut()


AskEvent = StatusEvent | PassagesEvent | AnswerEvent | ResultEvent | ErrorEvent | DoneEvent


class StreamedEvent(RootModel[Annotated[AskEvent, Field(discriminator="event")]]):
    """A server-sent event: its name, and its data in JSON.

    In this order: `status` and `passages`, twice where more than the most promising passages
    are read, an `answer` for each answer, `result`, `done`. An `error` may take the place of
    all that is still to come. Comment lines keep a stream alive.
    """
