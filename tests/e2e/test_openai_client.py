"""OpenAI's own client against the real service."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from citewire.service.wire.answers import AskResponse

QUESTION = "who met Park Jin?"
MESSAGES = [{"role": "user", "content": QUESTION}]


@pytest.fixture(scope="module")
def client(service_url: str) -> Iterator[openai.OpenAI]:
    with (
        httpx.Client(trust_env=False, timeout=60) as http,
        openai.OpenAI(
            base_url=f"{service_url}/v1", api_key="none", http_client=http, max_retries=0
        ) as opened,
    ):
        yield opened


def test_the_model_is_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["citewire"]


def test_a_completion_is_cited(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="citewire", messages=MESSAGES)
    message = completion.choices[0].message
    notes = [note.url_citation for note in message.annotations]
    cited = AskResponse.model_validate(message.model_extra["citewire"]).answers[0]

    assert "Blinken" in message.content
    assert cited.text in message.content
    assert all("»" in message.content[note.start_index : note.end_index] for note in notes)
    assert notes[0].url == cited.citations[0].url


def test_a_stream_ends_with_its_reason_and_its_usage(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="citewire", messages=MESSAGES)
    chunks = list(
        client.chat.completions.create(
            model="citewire",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *spoken, usage = chunks

    content = "".join(chunk.choices[0].delta.content or "" for chunk in spoken)
    assert content == whole.choices[0].message.content
    assert spoken[-1].choices[0].finish_reason == "stop"
    assert usage.usage.total_tokens == 0


def test_errors_are_the_clients_classes(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-4", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="citewire", messages=[])
    too_long = [{"role": "user", "content": "x" * 70_000}]
    with pytest.raises(openai.APIStatusError) as large:
        client.chat.completions.create(model="citewire", messages=too_long)

    assert unknown.value.code == "model_not_found"
    assert large.value.status_code == 413
