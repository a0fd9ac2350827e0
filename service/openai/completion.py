"""A chat completion in the shapes of OpenAI's API: in one piece, or in the chunks of a stream."""

import json
import time
from collections.abc import Iterator

from pydantic import JsonValue

from citewire.service.openai.message import CitedMessage, build_source_url
from citewire.service.openai.schemas import MODEL
from citewire.service.wire.answers import AnswerOut, AskResponse

# No language model takes part, so that no tokens are counted.
USAGE: dict[str, JsonValue] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
END = b"data: [DONE]\n\n"
Fields = dict[str, JsonValue]


class Completion:
    """The completion of one request: its id, and the shapes of its parts."""

    def __init__(self, request_id: str, base_url: str, *, with_usage: bool) -> None:
        self.request_id = request_id
        self._base_url = base_url
        self._with_usage = with_usage
        self._head: Fields = {
            "id": f"chatcmpl-{request_id}",
            "created": int(time.time()),
            "model": MODEL,
        }

    def build(self, message: CitedMessage, response: AskResponse | None) -> Fields:
        """Return the completion in one piece; `response` None where nothing was searched."""
        said: Fields = {"role": "assistant", "content": message.text, "refusal": None}
        choice: Fields = {
            "index": 0,
            "message": said | build_extras(message, response),
            "finish_reason": "stop",
            "logprobs": None,
        }
        return self._head | {"object": "chat.completion", "choices": [choice], "usage": USAGE}

    def begin(self) -> bytes:
        """Return the first chunk of a stream, in which no text is."""
        return self._chunk({"role": "assistant", "content": ""})

    def show_progress(self, description: str, *, done: bool = False) -> bytes:
        """Return a chunk with a status, an extension that Open WebUI displays."""
        status: Fields = {"description": description, "done": done}
        return self._chunk({}, event={"type": "status", "data": status})

    def finish(self, message: CitedMessage, response: AskResponse | None) -> Iterator[bytes]:
        """Yield the chunks that hold the text, and all that follow it."""
        for piece in message.pieces:
            yield self._chunk({"content": piece})
        for answer in response.answers if response else []:
            for event in build_source_events(answer, self._base_url):
                yield self._chunk({}, event=event)
        yield self._chunk(build_extras(message, response))
        yield self._chunk({}, finish="stop")
        if self._with_usage:
            yield encode(
                self._head | {"object": "chat.completion.chunk", "choices": [], "usage": USAGE}
            )
        yield END

    def _chunk(self, delta: Fields, *, finish: str | None = None, **more: JsonValue) -> bytes:
        choices: JsonValue = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return encode(self._head | {"object": "chat.completion.chunk", "choices": choices} | more)


def encode(content: Fields) -> bytes:
    """Write a server-sent event without a name, as this API has them."""
    return encode_data(json.dumps(content, ensure_ascii=False).encode())


def encode_data(content: bytes) -> bytes:
    """Write a server-sent event that holds this JSON."""
    return b"data: " + content + b"\n\n"


def build_extras(message: CitedMessage, response: AskResponse | None) -> Fields:
    """Return the annotations of a message and, as an extension, the response of `/v1/ask`."""
    if response is None:
        return {"annotations": []}
    return {
        "annotations": [each.model_dump(mode="json") for each in message.annotations],
        "citewire": response.model_dump(mode="json"),
    }


def build_source_events(answer: AnswerOut, base_url: str) -> Iterator[Fields]:
    """Yield the answer's sources, an extension that Open WebUI displays."""
    for citation in answer.citations:
        address = build_source_url(citation, base_url)
        named: Fields = {"id": citation.article_id, "name": citation.title, "url": address}
        where: Fields = {"source": address, "name": citation.title, "source_url": address}
        yield {
            "type": "source",
            "data": {
                "source": named,
                "document": [citation.context],
                "metadata": [where],
                "distances": [answer.confidence],
            },
        }
