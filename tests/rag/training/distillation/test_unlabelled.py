"""Pairs that only the teacher labels: variations, windows of articles, clozes."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import Gold, SquadExample, read_examples
from citewire.rag.training.distillation.clozes import make_cloze
from citewire.rag.training.distillation.hints import PrincipalComponents
from citewire.rag.training.distillation.pairs import UNLABELLED, Collator, draw_rows
from citewire.rag.training.distillation.recipe import PairSource
from citewire.rag.training.distillation.variations import collect_replacements, transfer, vary
from citewire.rag.training.distillation.windows import (
    SentenceStarts,
    TokenSpan,
    draw_window,
    draw_window_around,
)
from citewire.rag.training.finetuning.mix import Batch
from citewire.rag.training.finetuning.step import IGNORED, compute_span_loss
from citewire.rag.training.prepare import make_unlabelled, pair_with_negatives, tokenize_pairs

TEXT = (
    "On 3 May 1894 the mayor, Ana Ruiz, opened the old bridge in Pont-Nord. More than 400 people"
    " crossed the Vire before the evening, because the ferry had been closed since winter."
)


@given(st.text(min_size=1, max_size=80), st.integers(0, 2**32))
def test_variations_differ_from_the_question_and_each_other(question: str, seed: int) -> None:
    found = vary(question, collect_replacements([TEXT]), 3, random.Random(seed))
    assert len(found) == len(set(found)) <= 3
    assert question not in found
    assert found == vary(question, collect_replacements([TEXT]), 3, random.Random(seed))


def test_variations_change_names_words_and_question_words() -> None:
    around = collect_replacements([TEXT])
    question = "When did Ana Ruiz open the first bridge before 1900?"
    found = {v for seed in range(60) for v in vary(question, around, 3, random.Random(seed))}
    assert "When did Pont-Nord open the first bridge before 1900?" in found
    assert "When did Ana Ruiz open the last bridge before 1900?" in found
    assert "When did Ana Ruiz open the first bridge before 400?" in found
    assert "How many did Ana Ruiz open the first bridge before 1900?" in {
        v[0].upper() + v[1:] for v in found
    }
    assert "When Ana Ruiz open first bridge before 1900" in found


def test_a_transferred_question_has_the_names_and_numbers_of_the_passage() -> None:
    around = collect_replacements([TEXT])
    question = "When did Queen Anne open the first Bridge of Sighs in 1602?"
    found = {transfer(question, around, random.Random(seed)) for seed in range(2000)}
    assert "When did Ana Ruiz open the first Vire in 1894?" in found
    assert not any("Anne" in asked or "1602" in asked for asked in found if asked)
    assert transfer("Who wants a bridge?", around, random.Random(0)) is None
    assert transfer(question, collect_replacements(["no names"]), random.Random(0)) is None


def test_clozes_ask_for_the_text_of_the_gap() -> None:
    found = {make_cloze(TEXT, random.Random(seed)) for seed in range(200)}
    assert None not in found
    assert any("Ana Ruiz" not in q and "opened the old bridge" in q for q in found)
    assert any(q.startswith("how many ") for q in found)
    assert all(q.endswith("?") for q in found)
    assert make_cloze("", random.Random(0)) is None
    assert make_cloze("Too short.", random.Random(0)) is None


@given(st.data())
def test_windows_contain_the_answer_and_stay_in_the_article(data: st.DataObject) -> None:
    tokens = np.array(data.draw(st.lists(st.integers(0, 6), min_size=2, max_size=500)), np.uint16)
    start = data.draw(st.integers(0, len(tokens) - 1))
    end = data.draw(st.integers(start + 1, len(tokens)))
    first = data.draw(st.integers(start, end - 1))
    last = data.draw(st.integers(first, end - 1))
    room = data.draw(st.integers(last + 1 - first, 380))
    rng = random.Random(data.draw(st.integers()))
    article, answer = TokenSpan(start, end), TokenSpan(first, last + 1)
    starts = SentenceStarts(tokens, [0])
    window = draw_window_around(answer, article, starts, room, rng)
    assert start <= window.start <= first
    assert last + 1 <= window.end <= end
    assert window.end - window.start <= room
    other = draw_window(article, starts, room, rng)
    assert start <= other.start < other.end <= end
    assert other.end - other.start <= room


def test_unlabelled_pairs_ask_about_passages_and_have_no_target(
    data: Path, plain: Tokenizer
) -> None:
    examples = list(read_examples(data / "town.json.gz"))
    source = PairSource(("town",), 1, variations=2, windows=2, clozes=2, untold_weight=1)
    made = list(make_unlabelled(source, examples, seed=1))
    assert sum(bool(pair.article) for pair in made) == 2 * sum(bool(e.golds) for e in examples)
    pairs = tokenize_pairs(made, plain, 64)
    assert len(pairs) == len(made)
    assert not pairs.is_labelled.any()
    assert (pairs.last == UNLABELLED).all()
    batch = Collator(pairs, plain, torch.device("cpu")).collate(np.arange(len(pairs)))
    assert (batch.starts == IGNORED).all()
    assert (batch.ends == IGNORED).all()
    assert len(draw_rows(pairs.keep_labelled(), 0, 1)) == 0
    assert len(draw_rows(pairs, 0, 1)) == len(pairs)


def test_negatives_come_again_with_the_names_of_their_passage() -> None:
    filler = "The town council met for hours and talked. " * 5
    own = f"Ana Ruiz opened the bridge over the Vire in 1894. {filler}"
    near = f"Old Lena Moss painted the bridge over the Orne green. {filler}"
    gold = Gold("1894", own.index("1894"))
    asked = SquadExample("1", "When did Ana Ruiz open the bridge?", own, (gold,), (own,))
    source = PairSource(
        ("town",), 0.5, negatives=1, negatives_weight=1, transferred=True, untold_weight=2
    )
    labelled, other = pair_with_negatives(source, [asked], [own, near], seed=1)
    assert (labelled.question, labelled.passage, labelled.weight) == (asked.question, near, 0.5)
    assert (other.passage, other.weight, other.is_labelled) == (near, 2, False)
    assert "Ana Ruiz" not in other.question
    with pytest.raises(ValueError, match="needs negatives"):
        PairSource(("town",), 1, transferred=True, untold_weight=1)


def test_a_window_reads_on_into_the_next_paragraph(data: Path, plain: Tokenizer) -> None:
    examples = list(read_examples(data / "town.json.gz"))
    source = PairSource(("town",), 1, windows=8, untold_weight=1)
    made = [p for p in make_unlabelled(source, examples, seed=1) if not p.is_random_window]
    pairs = tokenize_pairs(made, plain, 384)
    bounds = zip(pairs.passage_start, pairs.passage_end, strict=True)
    tokens = [[plain.id_to_token(i) for i in pairs.tokens[a:b]] for a, b in bounds]
    texts = ["".join(token.removeprefix("##") for token in passage) for passage in tokens]
    assert any("itopenedin1894.themayor" in text for text in texts)


def test_unlabelled_windows_add_nothing_to_the_loss() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 5, requires_grad=True)
    ones = torch.ones(3, 5, dtype=torch.long)
    labelled, unknown = torch.tensor([1, 2, 0]), torch.tensor([1, IGNORED, IGNORED])
    whole = compute_span_loss(
        *logits[:, :1], Batch(ones[:1], ones[:1], ones[:1], labelled[:1], labelled[:1])
    )
    partly = compute_span_loss(*logits, Batch(ones, ones, ones, unknown, unknown))
    assert torch.allclose(whole, partly)
    nothing = torch.full((3,), IGNORED)
    assert compute_span_loss(*logits, Batch(ones, ones, ones, nothing, nothing)) == 0


def test_principal_components_keep_most_of_the_variance() -> None:
    torch.manual_seed(0)
    wide = torch.randn(2000, 2) @ torch.randn(2, 12) * 5 + 3
    states = wide + torch.randn(2000, 12) * 0.01
    reduced = PrincipalComponents(states, 2).project(states)
    assert reduced.pow(2).mean() == pytest.approx(1, rel=0.05)
    _, residual, _, _ = np.linalg.lstsq(
        np.c_[reduced.numpy(), np.ones(2000)], states.numpy(), rcond=None
    )
    assert residual.sum() < 1e-3 * states.var(0).sum().item() * 2000
