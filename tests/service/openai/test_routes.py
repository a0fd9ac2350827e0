"""The archive for chat programs: one model of OpenAI's API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.errors import ArchiveDamaged
from citewire.rag.types import Answers, NoAnswer, Question
from citewire.service.auth.keys import Keyring
from citewire.service.wire.answers import AskResponse
from citewire.service.work.executor import DeadlinePassed, Overloaded

PATH = "/v1/chat/completions"
BASE = "http://127.0.0.1:8000/"
USER = {"role": "user", "content": "Who opened it?"}


def body(**more: Any) -> dict[str, Any]:
    return {"model": "citewire", "messages": [USER]} | more


def read_chunks(text: str) -> list[Any]:
    """Read a stream as Open WebUI does: only `data:` lines count, and `[DONE]` is no JSON."""
    lines = [line for line in text.split("\n") if line.startswith("data:")]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data:")) for line in lines[:-1]]


def test_the_archive_is_the_one_model(client: TestClient) -> None:
    assert [each["id"] for each in client.get("/v1/models").json()["data"]] == ["citewire"]


def test_the_message_quotes_and_links_its_sources(client: TestClient) -> None:
    completion = client.post(PATH, json=body()).json()
    content = completion["choices"][0]["message"]["content"]

    assert completion["object"] == "chat.completion"
    assert content.startswith("**Mayor Ada Quill** (very likely, 91 %, said by 2 articles)\n\n")
    assert (
        "> (1) »Mayor Ada Quill« opened the harbour on Thursday.  \n"
        "> — [Harbour opens](<https://example.org/harbour>) · Tideline · 2023-11-09\n\n"
    ) in content
    assert f"> (2) »Ada Quill« spoke.  \n> — [Bare](<{BASE}evidence/" in content


def test_annotations_are_stretches_of_the_message_that_quote(client: TestClient) -> None:
    message = client.post(PATH, json=body()).json()["choices"][0]["message"]
    citations = [note["url_citation"] for note in message["annotations"]]
    stretches = [message["content"][each["start_index"] : each["end_index"]] for each in citations]

    assert stretches == [
        "»Mayor Ada Quill« opened the harbour on Thursday.",
        "»Ada Quill« spoke.",
    ]
    assert [each["title"] for each in citations] == ["Harbour opens", "Bare"]
    cited = AskResponse.model_validate(message["citewire"]).answers[0].citations
    assert [(each.start, each.end) for each in cited] == [(14, 29), (0, 9)]


def test_a_refusal_says_so_and_shows_the_closest_passages(
    client: TestClient, answerer: Any, not_answered: NoAnswer
) -> None:
    answerer.reply = lambda question: not_answered
    message = client.post(PATH, json=body()).json()["choices"][0]["message"]

    assert message["content"].startswith("The archive does not say. Some articles come near")
    assert "> (12 %) Ada Quill »spoke«." in message["content"]
    assert message["citewire"]["status"] == "no_answer"


def test_the_stream_says_the_same_as_the_whole(client: TestClient) -> None:
    message = client.post(PATH, json=body()).json()["choices"][0]["message"]
    response = client.post(PATH, json=body(stream=True))
    chunks = read_chunks(response.text)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == message["content"]
    assert [delta["annotations"] for delta in deltas if "annotations" in delta] == [
        message["annotations"]
    ]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_open_webui_gets_the_sources(client: TestClient) -> None:
    chunks = read_chunks(client.post(PATH, json=body(stream=True)).text)
    events = [chunk["event"] for chunk in chunks if "event" in chunk]
    found = [event["data"] for event in events if event["type"] == "source"]

    assert found[0] == {
        "source": {
            "id": "news/harbour.md",
            "name": "Harbour opens",
            "url": "https://example.org/harbour",
        },
        "document": ["Mayor Ada Quill opened the harbour on Thursday."],
        "metadata": [
            {
                "source": "https://example.org/harbour",
                "name": "Harbour opens",
                "source_url": "https://example.org/harbour",
            }
        ],
        "distances": [0.9124],
    }
    assert len(found) == 2


def test_usage_comes_last_where_it_is_wanted(client: TestClient) -> None:
    wanted = body(stream=True, stream_options={"include_usage": True})
    last = read_chunks(client.post(PATH, json=wanted).text)[-1]

    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 0)


def test_the_last_question_is_asked_and_sampling_is_passed_over(
    client: TestClient, answerer: Any
) -> None:
    parts = [{"type": "text", "text": "Who spoke?"}, {"type": "image_url", "image_url": {}}]
    messages = [
        {"role": "system", "content": "You are a pirate."},
        USER,
        {"role": "assistant", "content": "Ada Quill"},
        {"role": "user", "content": parts},
    ]
    more = {"temperature": 2, "n": 3, "max_tokens": 1, "tools": [{}], "seed": None, "top_k": 7}
    response = client.post(PATH, json=body(messages=messages, **more))

    assert response.status_code == 200
    assert answerer.asked == [Question("Who spoke?")]


@pytest.mark.parametrize(
    ("prompt", "reply"),
    [
        (
            '### Task:\nWrite a title.\n### Output:\nJSON format: { "title": "…" }\n'
            "<chat_history>\nUSER: Who met Park Jin?\nASSISTANT: Blinken\n</chat_history>",
            {"title": "Who met Park Jin?"},
        ),
        ('### Task:\nSuggest tags.\nJSON format: { "tags": ["tag1"] }', {"tags": []}),
        ('### Task:\nSuggest.\nJSON format: { "follow_ups": ["Q?"] }', {"follow_ups": []}),
        ('### Task:\nSearch? `{ "queries": ["q1"] }`', {"queries": []}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_prompts_about_the_chat_are_answered_without_searching(
    client: TestClient, answerer: Any, prompt: str, reply: dict[str, Any], stream: bool
) -> None:
    asked = body(messages=[{"role": "user", "content": prompt}], stream=stream)
    response = client.post(PATH, json=asked)
    if stream:
        deltas = [chunk["choices"][0]["delta"] for chunk in read_chunks(response.text)]
        content = "".join(delta.get("content", "") for delta in deltas)
    else:
        content = response.json()["choices"][0]["message"]["content"]

    assert json.loads(content) == reply
    assert answerer.asked == []


@pytest.mark.parametrize("messages", [[{"role": "system", "content": "Hi"}], [{"role": "user"}]])
def test_message_without_a_question_is_answered_with_a_hint(
    client: TestClient, answerer: Any, messages: list[Any]
) -> None:
    response = client.post(PATH, json=body(messages=messages))

    assert response.json()["choices"][0]["message"]["content"].startswith("Ask a question")
    assert answerer.asked == []


# Errors


def failing(error: Exception) -> Callable[[Question], Answers]:
    def fail(question: Question) -> Answers:
        raise error

    return fail


@pytest.mark.parametrize(
    ("options", "status", "kind", "code"),
    [
        ({"json": body(model="gpt-4")}, 404, "invalid_request_error", "model_not_found"),
        ({"json": body(messages=[])}, 400, "invalid_request_error", "unprocessable_content"),
        ({"json": {}}, 400, "invalid_request_error", "unprocessable_content"),
        ({"content": b"{"}, 400, "invalid_request_error", "bad_request"),
        ({"content": b" " * 70_000}, 413, "invalid_request_error", "content_too_large"),
        ({"content": b"", "headers": {"Content-Type": "text/plain"}}, 415, None, None),
        ({"json": body(messages=[{"role": "user", "content": "x" * 1001}])}, 400, None, None),
    ],
)
def test_errors_have_openais_shape(
    client: TestClient, options: dict[str, Any], status: int, kind: str | None, code: str | None
) -> None:
    headers = {"Content-Type": "application/json"} | options.pop("headers", {})
    response = client.post(PATH, headers=headers, **options)
    error = response.json()["error"]

    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    assert error.keys() == {"message", "type", "param", "code"}
    assert kind is None or (error["type"], error["code"]) == (kind, code)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Overloaded("full"), 429, "rate_limit_error"),
        (ArchiveDamaged("broken"), 503, "server_error"),
        (DeadlinePassed("late"), 504, "server_error"),
        (RuntimeError("secret"), 500, "server_error"),
    ],
)
def test_failures_have_openais_shape(
    client: TestClient, answerer: Any, error: Exception, status: int, kind: str
) -> None:
    answerer.reply = failing(error)
    response = client.post(PATH, json=body())

    assert (response.status_code, response.json()["error"]["type"]) == (status, kind)
    assert "secret" not in response.text
    assert status != 429 or response.headers["retry-after"]


def test_a_failure_in_the_midst_of_a_stream_is_an_error_object(
    client: TestClient, answerer: Any
) -> None:
    answerer.reply = failing(RuntimeError("secret"))
    text = client.post(PATH, json=body(stream=True)).text
    last = [line for line in text.split("\n") if line.startswith("data:")][-1]

    assert json.loads(last.removeprefix("data:"))["error"]["type"] == "server_error"


def test_without_a_key_the_error_is_openais(serve: Callable[..., TestClient]) -> None:
    client = serve(keys=Keyring(api_key="a-key-of-sixteen"))
    for response in (client.get("/v1/models"), client.post(PATH, json=body())):
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"
    assert client.get("/v1/articles").headers["content-type"] == "application/problem+json"


# Follow-ups


def conversation(*said: str) -> list[dict[str, str]]:
    """Turns of a user and an assistant, the user first."""
    roles = ["user", "assistant"]
    return [{"role": roles[turn % 2], "content": text} for turn, text in enumerate(said)]


def test_follow_up_is_made_whole_by_the_messages_before_it(
    client: TestClient, answerer: Any
) -> None:
    first = client.post(PATH, json=body()).json()["choices"][0]["message"]["content"]
    messages = conversation("Who opened the harbour?", first, "when was she born?")
    again = client.post(PATH, json=body(messages=messages)).json()["choices"][0]["message"]

    assert answerer.asked[-1].text == "When was Mayor Ada Quill born?"
    assert again["content"].startswith("*Asked as: When was Mayor Ada Quill born?*\n\n**Mayor")
    note = again["annotations"][0]["url_citation"]
    stretch = again["content"][note["start_index"] : note["end_index"]]
    assert stretch == "»Mayor Ada Quill« opened the harbour on Thursday."


def test_follow_up_to_a_follow_up_is_streamed(client: TestClient, answerer: Any) -> None:
    earlier = "*Asked as: Who was Ada Quill's deputy?*\n\n**Bo Frost** (likely, 66 %)"
    messages = conversation("Who opened it?", "**Ada Quill** (…)", "and her deputy?", earlier)
    messages.append({"role": "user", "content": "where was he born?"})
    text = client.post(PATH, json=body(messages=messages, stream=True)).text
    spoken = [chunk["choices"][0]["delta"].get("content") for chunk in read_chunks(text)]

    assert answerer.asked[-1].text == "Where was Bo Frost born?"
    assert "*Asked as: Where was Bo Frost born?*\n\n" in spoken


def test_follow_up_that_cannot_be_resolved_is_asked_back_unsearched(
    client: TestClient, answerer: Any
) -> None:
    messages = conversation("When did Ada Quill and Bo Frost marry?", "", "where was she born?")
    reply = client.post(PATH, json=body(messages=messages)).json()["choices"][0]["message"]

    assert answerer.asked == []
    assert reply["content"].endswith(
        "Perhaps:\n\n- Where was Ada Quill born?\n- Where was Bo Frost born?"
    )
    assert "citewire" not in reply


def test_tasks_and_endless_messages_before_a_question_are_passed_over(
    client: TestClient, answerer: Any
) -> None:
    task = '### Task:\nSuggest a title. JSON format: { "title": "…" }'
    messages = conversation("Who opened it?", "**Ada Quill** (…)", task, "{}", "x" * 5000, "?")
    messages.append({"role": "user", "content": "where was she born?"})
    client.post(PATH, json=body(messages=messages))

    assert answerer.asked[-1].text == "Where was Ada Quill born?"
