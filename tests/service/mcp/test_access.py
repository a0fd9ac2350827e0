"""Who may use the tools over HTTP, and how many at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.rag.types import Question
from citewire.service.auth.keys import KeyFile, Keyring, KeyScope
from citewire.service.work.executor import MAX_QUESTIONS, WORKERS

KEY = "a-key-of-more-than-sixteen-characters"
HEADERS = {"Accept": "application/json, text/event-stream"}


def call(client: TestClient, tool: str, key: str | None = None, **arguments: Any) -> Any:
    """The HTTP response to a tool's call."""
    headers = HEADERS if key is None else HEADERS | {"Authorization": f"Bearer {key}"}
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    return client.post("/mcp", json=body, headers=headers)


@pytest.fixture
def guarded(serve: Callable[..., TestClient], tmp_path: Path) -> tuple[TestClient, KeyFile]:
    """A service that needs keys, and where they are made."""
    keys = KeyFile(tmp_path / "keys.json")
    return serve(keys=Keyring(keys, KEY)), keys


def test_no_key_or_a_wrong_one_is_turned_away(guarded: tuple[TestClient, KeyFile]) -> None:
    client, _ = guarded
    for key in (None, "another-key-of-sixteen-characters"):
        refused = call(client, "ask", key, question="Who?")
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert refused.json()["type"] == "/problems/unauthorized"


def test_a_key_for_asking_is_enough(guarded: tuple[TestClient, KeyFile]) -> None:
    client, keys = guarded
    key = keys.add("desk", [KeyScope.ASK], None)
    answered = call(client, "ask", key, question="Who opened it?")
    assert answered.json()["result"]["structuredContent"]["status"] == "answered"


def test_several_first_calls_at_once_are_all_answered(client: TestClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call(client, "verify", quote="It rained."), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4


def test_a_key_for_something_else_is_not(guarded: tuple[TestClient, KeyFile]) -> None:
    client, keys = guarded
    key = keys.add("feed", [KeyScope.WRITE], None)
    assert call(client, "ask", key, question="Who?").status_code == 403


def test_a_key_may_call_tools_as_often_as_it_may_ask(guarded: tuple[TestClient, KeyFile]) -> None:
    client, keys = guarded
    key = keys.add("desk", [KeyScope.ASK], 2)
    statuses = [call(client, "verify", key, quote="It rained.").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_question_for_which_there_is_no_place_is_refused_in_words(
    client: TestClient, answerer: Any
) -> None:
    """The tool's error says to wait; requests that need no place are still answered."""
    held, reply = threading.Event(), answerer.reply

    def wait(question: Question) -> Any:
        held.wait(60)
        return reply(question)

    answerer.reply = wait
    with ThreadPoolExecutor(MAX_QUESTIONS) as pool:
        asked = [
            pool.submit(call, client, "ask", question=f"Who is {number}?")
            for number in range(MAX_QUESTIONS)
        ]
        try:
            wait_until_full(client)
            refused = call(client, "ask", question="One more?").json()["result"]
            verified = call(client, "verify", quote="It rained.").json()["result"]
        finally:
            held.set()
        results = [each.result().json()["result"] for each in asked]
    assert refused["isError"]
    assert "too many questions are waiting" in refused["content"][0]["text"]
    assert verified["structuredContent"]["status"] == "exact"
    assert {result["structuredContent"]["status"] for result in results} == {"answered"}


def wait_until_full(client: TestClient) -> None:
    """Wait until the queue of questions is full."""
    full = f"citewire_questions_waiting {MAX_QUESTIONS - WORKERS:.1f}"
    deadline = time.monotonic() + 60
    while full not in client.get("/metrics").text:
        assert time.monotonic() < deadline, "the questions do not come in"
        time.sleep(0.01)
