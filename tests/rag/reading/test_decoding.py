import math
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.types import Span
from citewire.rag.reading.decoding import (
    ScoredSpan,
    Window,
    find_best_spans,
    suppress_overlaps,
    widen_to_characters,
)

CHARACTERS = [
    "a",
    " ",
    "ß",
    "e\u0301",
    "n\u0303\u0301",
    "q\u20dd",
    "का",
    "👩\u200d👩\u200d👧",
    "👍🏽",
    "👩🏿\u200d🚀",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
]


@st.composite
def windows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Window]:
    """A first token for "no answer", then tokens of one to three characters with gaps."""
    tokens = draw(st.integers(1, 45))
    offsets, position = [(0, 0)], 0
    for _ in range(tokens):
        start = position + draw(st.integers(0, 1))
        position = start + draw(st.integers(1, 3))
        offsets.append((start, position))
    logits = st.lists(
        st.floats(-20, 20, width=32), min_size=len(offsets), max_size=len(offsets)
    ).map(lambda values: np.array(values, np.float32))
    flags = st.lists(st.booleans(), min_size=tokens, max_size=tokens).map(
        lambda values: np.array([False, *values])
    )
    regions = np.zeros(len(offsets), np.int64)
    return draw(logits), draw(logits), Window(offsets, draw(flags), draw(flags), regions)


def tokens_of(span: Span, window: Window) -> tuple[int, int]:
    first = next(i for i, offset in enumerate(window.offsets) if i and offset[0] == span.start)
    last = next(i for i, offset in enumerate(window.offsets) if i and offset[1] == span.end)
    return first, last


@given(windows(), st.data())
def test_no_span_leaves_its_region(
    case: tuple[np.ndarray, np.ndarray, Window], data: st.DataObject
) -> None:
    starts, ends, window = case
    count = len(window.offsets)
    steps = data.draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    divided = replace(window, regions=np.cumsum(steps))
    for found in find_best_spans(starts, ends, divided):
        first, last = tokens_of(found.span, divided)
        assert divided.regions[first] == divided.regions[last]


@given(windows())
def test_spans_begin_and_end_where_they_may(
    case: tuple[np.ndarray, np.ndarray, Window],
) -> None:
    starts, ends, window = case
    found = [tokens_of(scored.span, window) for scored in find_best_spans(starts, ends, window)]
    assert all(window.starts[first] and window.ends[last] for first, last in found)


@given(windows())
def test_spans_have_one_to_thirty_tokens(case: tuple[np.ndarray, np.ndarray, Window]) -> None:
    starts, ends, window = case
    found = [tokens_of(scored.span, window) for scored in find_best_spans(starts, ends, window)]
    assert all(first <= last < first + 30 for first, last in found)


@given(windows())
def test_spans_do_not_overlap(case: tuple[np.ndarray, np.ndarray, Window]) -> None:
    ordered = sorted(scored.span for scored in find_best_spans(*case))
    assert all(one.end <= two.start for one, two in pairwise(ordered))


@given(windows())
def test_the_first_span_is_the_best_of_all_that_are_allowed(
    case: tuple[np.ndarray, np.ndarray, Window],
) -> None:
    starts, ends, window = case
    allowed = [
        float(starts[first] + ends[last]) - float(starts[0] + ends[0])
        for first in range(len(window.offsets))
        for last in range(first, min(first + 30, len(window.offsets)))
        if window.starts[first] and window.ends[last]
    ]
    found = [scored.margin for scored in find_best_spans(starts, ends, window)]
    assert found[:1] == ([max(allowed)] if allowed else [])


@given(windows())
def test_spans_are_at_most_six_and_best_first(case: tuple[np.ndarray, np.ndarray, Window]) -> None:
    margins = [scored.margin for scored in find_best_spans(*case)]
    assert len(margins) <= 6
    assert margins == sorted(margins, reverse=True)


def test_a_margin_is_the_lead_over_no_answer() -> None:
    every = np.array([False, True, True, True])
    window = Window([(0, 0), (0, 3), (4, 9), (10, 14)], every, every, np.zeros(4, np.int64))
    starts = np.array([1.0, 0.0, 5.0, -9.0], np.float32)
    ends = np.array([2.0, -9.0, 0.0, 4.0], np.float32)
    assert find_best_spans(starts, ends, window)[0] == ScoredSpan(
        Span(4, 14), 5.0 + 4.0 - 1.0 - 2.0
    )


def test_a_token_without_characters_is_no_answer() -> None:
    flags = np.array([False, True])
    logits = np.array([0.0, 9.0], np.float32)
    assert (
        find_best_spans(
            logits, logits, Window([(0, 0), (3, 3)], flags, flags, np.zeros(2, np.int64))
        )
        == []
    )


@given(
    st.lists(
        st.builds(
            lambda start, length, margin: ScoredSpan(Span(start, start + length), margin),
            st.integers(0, 15),
            st.integers(1, 6),
            st.floats(-5, 5),
        ),
        max_size=12,
    )
)
def test_a_span_is_left_out_only_for_a_better_one(spans: list[ScoredSpan]) -> None:
    kept = suppress_overlaps(spans)
    for scored in spans:
        rivals = [other.margin for other in kept if other.span.overlaps(scored.span)]
        assert max(rivals, default=-math.inf) >= scored.margin


@given(st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=12), st.data())
def test_a_widened_span_ends_at_the_nearest_whole_characters(
    characters: list[str], data: st.DataObject
) -> None:
    text = "".join(characters)
    edges = [0, *accumulate(len(character) for character in characters)]
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    nearest = Span(
        max(edge for edge in edges if edge <= start), min(edge for edge in edges if edge >= end)
    )
    assert widen_to_characters(text, Span(start, end)) == nearest


@given(st.text(min_size=1, max_size=30), st.data())
def test_widening_twice_is_widening_once_and_loses_nothing(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    wide = widen_to_characters(text, span)
    assert wide.contains(span)
    assert widen_to_characters(text, wide) == wide


@pytest.mark.parametrize(("last", "found"), [(30, Span(0, 30)), (31, Span(1, 31))])
def test_an_answer_of_thirty_tokens_is_found_whole_and_a_longer_one_is_not(
    last: int, found: Span
) -> None:
    every = np.array([False] + [True] * 40)
    offsets = [(0, 0), *((place, place + 1) for place in range(40))]
    window = Window(offsets, every, every, np.zeros(41, np.int64))
    starts, ends = np.zeros((2, 41), np.float32)
    starts[1], starts[2] = 9.0, 8.0
    ends[last] = 20.0
    assert find_best_spans(starts, ends, window)[0].span == found
