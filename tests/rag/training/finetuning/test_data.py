import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import Gold, SquadExample, read_examples
from citewire.rag.training.finetuning.data import (
    build_training_window,
    find_answer_tokens,
    make_negative,
    split_windows,
)

LONG = "the river rose. " * 40 + "Ana Ruiz fled." + " the river fell." * 40


def example(context: str, *golds: str, article: tuple[str, ...] = ()) -> SquadExample:
    placed = tuple(Gold(gold, context.index(gold)) for gold in golds)
    return SquadExample("q", "who fled?", context, placed, article or (context,))


def test_file_is_read_with_golds_at_their_places(data: Path) -> None:
    examples = list(read_examples(data / "town.json.gz"))
    found = [[e.context[gold.start : gold.end] for gold in e.golds] for e in examples]
    assert found == [["1894"], ["Ana Ruiz"], ["Pont-Nord"], ["Mill Lane"], []]


def test_paragraphs_know_the_others_of_their_article(data: Path) -> None:
    examples = list(read_examples(data / "town.json.gz"))
    assert [len(e.article) for e in examples] == [3, 3, 3, 2, 2]


@pytest.mark.parametrize("seed", range(5))
def test_target_tokens_cover_the_answer_exactly_in_every_window_drawn(
    tokenizer: Tokenizer, seed: int
) -> None:
    window = build_training_window(tokenizer, example(LONG, "Ana Ruiz"), random.Random(seed))
    assert window is not None
    tokens = [tokenizer.id_to_token(i) for i in window.token_ids[window.start : window.end + 1]]
    assert tokens == ["a", "##n", "##a", "r", "##u", "##i", "##z"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.text("abcXYZé漢😀.,-", min_size=1, max_size=8), min_size=1, max_size=60),
    pick=st.data(),
)
def test_target_offsets_give_back_the_answer_text(
    tokenizer: Tokenizer, words: list[str], pick: st.DataObject
) -> None:
    context = " ".join(words)
    number = pick.draw(st.integers(0, len(words) - 1))
    gold = Gold(words[number], len(" ".join([*words[:number], ""])))
    for window in split_windows(tokenizer.encode("who?", context)):
        tokens = find_answer_tokens(window, gold)
        if tokens is not None:
            start, end = window.offsets[tokens[0]][0], window.offsets[tokens[1]][1]
            assert context[start:end] == gold.text


def test_unanswerable_question_points_at_the_first_token(tokenizer: Tokenizer) -> None:
    window = build_training_window(tokenizer, example(LONG), random.Random(0))
    assert window is not None
    assert (window.start, window.end) == (0, 0)


def test_answer_that_no_window_holds_is_left_out(tokenizer: Tokenizer) -> None:
    assert build_training_window(tokenizer, example(LONG, LONG), random.Random(0)) is None


def test_windows_stay_within_the_token_limit(tokenizer: Tokenizer) -> None:
    assert max(len(window.ids) for window in split_windows(tokenizer.encode("who?", LONG))) == 64


def test_negative_is_a_paragraph_of_the_article_without_any_gold() -> None:
    article = ("Ana Ruiz fled.", "It was ana ruiz.", "Nobody else fled.")
    for seed in range(20):
        negative = make_negative(
            example(article[0], "Ana Ruiz", article=article), random.Random(seed)
        )
        assert negative is not None
        assert (negative.context, negative.golds) == ("Nobody else fled.", ())


def test_no_negative_if_every_paragraph_contains_a_gold() -> None:
    article = ("Ana Ruiz fled.", "Ana stayed.")
    assert (
        make_negative(example(article[0], "Ana Ruiz", "Ana", article=article), random.Random(0))
        is None
    )


def test_no_negative_for_an_unanswerable_question() -> None:
    assert make_negative(example("A.", article=("A.", "B.")), random.Random(0)) is None
