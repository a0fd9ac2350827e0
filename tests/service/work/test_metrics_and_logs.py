"""Metrics for Prometheus, and a log line of JSON for every request."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from citewire.rag.types import NoAnswer, Question
from citewire.service.auth.keys import KeyFile, Keyring, KeyScope
from citewire.service.work.logs import JsonFormatter

Serve = Callable[..., TestClient]
SECRET = "Who is the informant?"


def read_metrics(client: TestClient) -> dict[str, float]:
    """Every sample by its name and labels."""
    text = client.get("/metrics").text
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_questions_are_counted_by_their_outcome(
    client: TestClient, answerer: Any, not_answered: NoAnswer
) -> None:
    client.post("/v1/ask", json={"question": "Who?"})
    answerer.reply = lambda question: not_answered
    client.post("/v1/ask", json={"question": "Why?"})
    client.post("/v1/ask", json={})
    counts = read_metrics(client)

    assert counts["citewire_questions_total answered"] == 1
    assert counts["citewire_questions_total no_answer"] == 1
    assert counts["citewire_abstentions_total not_answered"] == 1
    assert counts["citewire_requests_total 200"] == 2
    assert counts["citewire_problems_total unprocessable-content"] == 1
    assert counts["citewire_stage_seconds_count read"] == 2
    assert counts["citewire_stage_seconds_count wait"] == 2
    assert counts["citewire_cache_lookups_total miss"] == 2
    assert counts["citewire_articles"] == 5
    assert counts["citewire_questions_running"] == 0


def test_metrics_need_a_key_that_may_see_them(serve: Serve, tmp_path: Any) -> None:
    file = KeyFile(tmp_path / "keys.json")
    reader, operator = (file.add(scope, [scope]) for scope in (KeyScope.ASK, KeyScope.ADMIN))
    client = serve(keys=Keyring(file))

    statuses = [
        client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in ("", reader, operator)
    ]
    assert statuses == [401, 403, 200]


# Logs


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that were logged."""
    yield from capture_lines(JsonFormatter())


@pytest.fixture
def lines_with_questions() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that were logged, with questions."""
    yield from capture_lines(JsonFormatter(questions=True))


def capture_lines(formatter: JsonFormatter) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("citewire")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_every_request_is_one_line(
    client: TestClient, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    answered = client.post("/v1/ask", json={"question": SECRET})
    client.get("/v1/articles/absent")
    asked, missed = lines()

    assert asked["request_id"] == answered.headers["x-request-id"]
    assert (asked["method"], asked["path"], asked["status"]) == ("POST", "/v1/ask", 200)
    assert (asked["outcome"], asked["read_ms"], asked["cached"]) == ("answered", 2.5, False)
    assert (missed["status"], missed["problem"]) == (404, "/problems/not-found")


def test_question_is_not_logged(
    client: TestClient, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    client.post("/v1/ask", json={"question": SECRET})

    assert "informant" not in json.dumps(lines())


def test_question_is_logged_where_that_is_configured(
    client: TestClient, lines_with_questions: Callable[[], list[dict[str, Any]]]
) -> None:
    client.post("/v1/ask", json={"question": SECRET})

    assert lines_with_questions()[0]["question"] == SECRET


def test_line_names_the_key_and_never_shows_it(
    serve: Serve, tmp_path: Any, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    file = KeyFile(tmp_path / "keys.json")
    secret = file.add("desk", [KeyScope.ASK])
    serve(keys=Keyring(file)).get("/v1/articles", headers={"Authorization": f"Bearer {secret}"})

    assert lines()[0]["key"] == "desk"
    assert secret not in json.dumps(lines())


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31mred", "\u202eabc", "\u2028", "\x00", "\ud800"])
def test_nothing_in_a_line_can_forge_another_or_control_a_terminal(text: str) -> None:
    record = logging.LogRecord("citewire", logging.ERROR, "", 0, text, None, None)
    line = JsonFormatter().format(record)

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text


def test_bug_is_logged_on_one_line_with_its_traceback(
    client: TestClient, answerer: Any, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    def fail(question: Question) -> NoAnswer:
        raise RuntimeError("bug\nwith lines")

    answerer.reply = fail
    response = client.post("/v1/ask", json={"question": "Who?"})
    bug = next(line for line in lines() if line["level"] == "error")

    assert "RuntimeError: bug\nwith lines" in bug["exception"]
    assert response.headers["x-request-id"] in bug["message"]
