"""The Model Context Protocol's own client against the real service."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from mcp import Client

from citewire.service.wire.answers import AskResponse

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call(service_url: str) -> Call:
    """Calls a tool, and returns its result."""

    def run(name: str, **arguments: Any) -> Any:
        return asyncio.run(
            with_client(service_url, lambda client: client.call_tool(name, arguments))
        )

    return run


async def with_client(url: str, act: Callable[[Client], Awaitable[Any]]) -> Any:
    async with Client(f"{url}/mcp") as client:
        return await act(client)


def read_json(result: Any) -> Any:
    (text,) = result.content
    return json.loads(text.text)


def test_the_tools_only_read(service_url: str) -> None:
    listed = asyncio.run(with_client(service_url, lambda client: client.list_tools()))

    assert sorted(tool.name for tool in listed.tools) == ["ask", "fetch", "search", "verify"]
    assert all(tool.annotations.read_only_hint for tool in listed.tools)


def test_articles_that_search_finds_can_be_fetched(call: Call) -> None:
    (first, *_) = read_json(call("search", query="who met Park Jin?"))["results"]
    document = read_json(call("fetch", id=first["id"]))

    assert first.keys() == {"id", "title", "url"}
    assert document.keys() == {"id", "title", "text", "url", "metadata"}
    assert "Park Jin" in document["text"]
    assert (document["title"], document["url"]) == (first["title"], first["url"])


def test_an_answer_comes_as_the_api_gives_it(call: Call) -> None:
    result = call("ask", question="who met Park Jin?")
    citation = AskResponse.model_validate(result.structured_content).answers[0].citations[0]
    text = read_json(call("fetch", id=citation.article_id))["text"]

    assert text[citation.start : citation.end] == citation.quote
    assert "Blinken" in citation.quote


def test_a_quote_is_verified(call: Call) -> None:
    assert call("verify", quote="met South Korean Foreign").structured_content["status"] == "exact"
    assert call("verify", quote="danced on").structured_content["status"] == "not_found"


def test_refusal_is_the_tools_error(call: Call) -> None:
    absent = call("fetch", id="absent")
    empty = call("ask", question=" ")

    assert (absent.is_error, empty.is_error) == (True, True)
    assert "holds no article" in absent.content[0].text
    assert "the question is empty" in empty.content[0].text


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)],
)
def test_other_sites_are_kept_out(service_url: str, headers: dict[str, str], status: int) -> None:
    response = httpx2.post(f"{service_url}/mcp", json={}, headers=headers, trust_env=False)

    assert response.status_code == status
