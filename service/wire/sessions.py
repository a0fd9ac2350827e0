"""The JSON of browser sessions."""

from datetime import datetime

from pydantic import BaseModel, Field

from citewire.service.wire.answers import Request


class SignIn(Request):
    """Empty: the key is in the header `Authorization`, as for every request."""


class SessionOut(BaseModel):
    """Whether this service requires keys, and the browser's session."""

    required: bool = Field(description="whether this service requires keys")
    key: str | None = Field(description="the name of the session's key")
    expires_at: datetime | None = Field(description="when the session ends")
