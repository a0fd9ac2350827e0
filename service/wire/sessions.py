"""The wire of sessions."""

from datetime import datetime

from pydantic import BaseModel, Field

from citewire.service.wire.answers import Request


class SignIn(Request):
    """Nothing: the key is in the header `Authorization`, as everywhere."""


class SessionOut(BaseModel):
    """Whether keys are needed here, and what the browser's session is."""

    required: bool = Field(description="whether this service asks for keys")
    key: str | None = Field(description="the name of the key that the session stands for")
    expires_at: datetime | None = Field(description="when the session ends")
