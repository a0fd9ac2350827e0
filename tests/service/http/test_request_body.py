"""Work for a client that has hung up is not begun."""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from citewire.service.http.request_body import CancellableRequest


def test_nothing_is_begun_for_a_client_that_went_when_it_had_asked() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"{}", "more_body": False},
        {"type": "http.disconnect"},
    ]
    begun = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        raise AssertionError("no client is there")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        begun.append(True)

    asyncio.run(CancellableRequest(receive, send, 1000).serve(app, {"type": "http"}))
    assert begun == []
