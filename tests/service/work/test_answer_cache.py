"""Results are kept until the archive changes, within bounds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.types import Filters
from citewire.rag.types import Answers, Question
from citewire.service.work.answer_cache import AnswerCache, estimate_bytes

VERSION = "abc-1"


def make_result(result: Answers, text: str, **more: Any) -> Answers:
    return replace(result, question=Question(text, **more))


def test_result_is_found_again_only_in_the_same_state(answered: Answers) -> None:
    cache = AnswerCache()
    question = answered.question
    before = cache.find(question, VERSION)
    cache.keep(answered, VERSION)

    assert before is None
    assert cache.find(question, VERSION) is answered
    assert cache.find(question, "abc-2") is None
    assert cache.find(question, VERSION) is None


@pytest.mark.parametrize(
    "other",
    [
        Question("who opened it?"),
        Question("Who opened it?", max_answers=4),
        Question("Who opened it?", Filters(sources=frozenset(["Tideline"]))),
    ],
)
def test_another_question_is_not_found(answered: Answers, other: Question) -> None:
    cache = AnswerCache()
    cache.find(answered.question, VERSION)
    cache.keep(answered, VERSION)

    assert cache.find(other, VERSION) is None


def test_result_of_an_archive_that_changed_meanwhile_is_not_kept(answered: Answers) -> None:
    cache = AnswerCache()
    cache.find(answered.question, "abc-0")
    cache.keep(answered, "abc-0")
    cache.find(answered.question, "abc-2")
    cache.keep(answered, VERSION)

    assert len(cache) == 0


def test_least_recently_used_result_makes_room(answered: Answers) -> None:
    cache = AnswerCache(max_entries=2)
    cache.find(answered.question, VERSION)
    cache.keep(make_result(answered, "first"), VERSION)
    cache.keep(make_result(answered, "second"), VERSION)
    cache.find(Question("first"), VERSION)
    cache.keep(make_result(answered, "third"), VERSION)

    known = [text for text in ("first", "second", "third") if cache.find(Question(text), VERSION)]
    assert known == ["first", "third"]


def test_bytes_are_bounded(answered: Answers) -> None:
    weight = estimate_bytes(answered)
    cache = AnswerCache(max_bytes=3 * weight + 100)
    cache.find(answered.question, VERSION)
    for number in range(10):
        cache.keep(make_result(answered, f"Who opened {number}?"), VERSION)
        cache.keep(make_result(answered, f"Who opened {number}?"), VERSION)

    assert len(cache) == 3
    assert cache.bytes <= 3 * weight + 100


def test_result_that_is_larger_than_all_room_is_not_kept(answered: Answers) -> None:
    cache = AnswerCache(max_bytes=10)
    cache.find(answered.question, VERSION)
    cache.keep(answered, VERSION)

    assert len(cache) == 0


def test_service_says_that_it_answered_before_until_the_archive_changes(
    client: TestClient, answerer: Any, pipeline: Any
) -> None:
    catalogue = pipeline.archive.catalogue
    reply: Callable[[Question], Answers] = answerer.reply

    def current(question: Question) -> Answers:
        result = reply(question)
        version = str(catalogue.state())
        return replace(result, searched=replace(result.searched, index_version=version))

    answerer.reply = current
    first, second = (ask(client) for _ in range(2))
    catalogue.remove(["news/a.md"])
    third = ask(client)

    assert [first["cached"], second["cached"], third["cached"]] == [False, True, False]
    assert len(answerer.asked) == 2
    assert first["answers"] == second["answers"]
    assert (first["timing_ms"]["read"], second["timing_ms"]["read"]) == (2.5, 0.0)
    assert second["index_version"] != third["index_version"]


def ask(client: TestClient) -> dict[str, Any]:
    response: dict[str, Any] = client.post("/v1/ask", json={"question": "Who?"}).json()
    return response
