"""The JSON of a streamed answer: its events and their data."""

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
    """The stage that a question has reached."""

    stage: Literal["waiting", "retrieving", "reading"] = Field(
        description="`waiting` is sent only while other questions go first"
    )


class PassageOut(PlaceOut):
    """A passage that is read: `text[start:end]` of its article."""

    score: Probability = Field(description="of retrieval, relative to the best passage")


class PassagesOut(BaseModel):
    """Passages that are read for an answer, the most promising first."""

    passages: list[PassageOut]


class DoneOut(BaseModel):
    """Empty: the stream is complete."""


class StatusEvent(BaseModel):
    """The question has reached a new stage."""

    event: Literal["status"] = "status"
    data: StatusOut


class PassagesEvent(BaseModel):
    """Passages that will be read: the most promising first, then perhaps others."""

    event: Literal["passages"] = "passages"
    data: PassagesOut


class AnswerEvent(BaseModel):
    """One answer, as in the result."""

    event: Literal["answer"] = "answer"
    data: AnswerOut


class ResultEvent(BaseModel):
    """The response of `/v1/ask`."""

    event: Literal["result"] = "result"
    data: AskResponse


class ErrorEvent(BaseModel):
    """A problem after the stream had begun; nothing follows."""

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
    all events that are still to come. Comment lines keep a stream alive.
    """
