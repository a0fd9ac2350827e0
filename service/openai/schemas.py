"""The wire of OpenAI's chat completions, as far as clients of an archive use it.

Parameters of sampling are accepted and ignored: no language model takes part.
"""

from typing import Literal

from pydantic import BaseModel, Field

MODEL = "citewire"


class TextPart(BaseModel):
    """A part of a message; a part of another type than text is ignored."""

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message of the user, the assistant or the system."""

    role: str
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The message's text, its parts one after another."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or [] if part.type == "text")


class StreamOptions(BaseModel):
    """Options of a stream."""

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """A conversation whose last question is to be answered."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None

    @property
    def asked(self) -> str:
        """The user's last message, empty where there is none."""
        said = [message.text for message in self.messages if message.role == "user"]
        return said[-1] if said else ""


class UrlCitation(BaseModel):
    """A source, and the stretch of the message that is quoted from it.

    `start_index` and `end_index` are half-open and count Unicode code points of the message.
    """

    url: str
    title: str
    start_index: int
    end_index: int


class Annotation(BaseModel):
    """A note to a stretch of the message."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation
