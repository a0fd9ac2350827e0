"""A small teacher trains a small student, on questions small enough to read."""

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoModelForQuestionAnswering, MPNetConfig, MPNetForQuestionAnswering

from citewire.rag.evaluation.squad import Example, Gold, read_examples
from citewire.rag.training import distill, prepare
from citewire.rag.training.distill import compute_distillation_loss
from citewire.rag.training.distillation.negatives import SHORTEST_PARAGRAPH, mine_negatives
from citewire.rag.training.distillation.pairs import (
    UNANSWERABLE,
    Collator,
    Pairs,
    cut_unpadded,
    draw_epoch,
    draw_rows,
    read_pairs,
)
from citewire.rag.training.distillation.phase import Phase, forward
from citewire.rag.training.distillation.recipe import read_recipe
from citewire.rag.training.distillation.soft_labels import SoftLabels
from citewire.rag.training.distillation.teacher import load_teacher
from citewire.rag.training.distillation.text_pairs import TextPair
from citewire.rag.training.prepare import pair_with_own_paragraph, tokenize_pairs

RECIPES = sorted(Path(distill.__file__).parent.glob("distillation/recipes/*.toml"))
SMALL = """
seed = 3
max_tokens = 64
temperature = 2.0
rounded = true
teacher_share = 0.75
checkpoint_minutes = 60
[hints]
layers = [[2, 1]]
width = 4
share = 1.0
[teacher]
learning_rate = 1e-3
weight_decay = 0.01
warmup_steps = 1
epochs = 2
batch_tokens = 128
attention_dropout = 0.1
hidden_dropout = 0.1
[student]
learning_rate = 1e-3
weight_decay = 0.01
warmup_steps = 1
epochs = 4
batch_tokens = 128
attention_dropout = 0.1
hidden_dropout = 0.1
[[source]]
files = ["town"]
weight = 1
variations = 1
windows = 2
clozes = 1
untold_weight = 1
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    file = tmp_path / "recipe.toml"
    file.write_text(SMALL)
    return file


@pytest.fixture
def plain(tokenizer_file: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_file))


@pytest.fixture
def pairs_file(
    recipe: Path, data: Path, tokenizer_file: Path, tmp_path: Path, run: Callable
) -> Path:
    out = tmp_path / "pairs.npz"
    run(prepare.main, recipe, out, "--data", data, "--tokenizer", tokenizer_file)
    return out


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable:
    def call(main: Callable[[], None], *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
        main()

    return call


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory, tokenizer_file: Path) -> Path:
    """A randomly initialised MPNet whose vocabulary has the student's pieces in another order."""
    own_pieces = [
        piece
        for piece in Tokenizer.from_file(str(tokenizer_file)).get_vocab()
        if piece not in ("[PAD]", "[CLS]", "[SEP]")
    ]
    pieces = ["<s>", "<pad>", "</s>", *sorted(own_pieces, reverse=True)]
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("teacher")
    MPNetForQuestionAnswering(
        MPNetConfig(
            vocab_size=len(pieces),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
        )
    ).save_pretrained(path)
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(path / "tokenizer.json"))
    return path


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_shipped_recipes_can_be_read(file: Path) -> None:
    assert read_recipe(file).sources


def test_pairs_point_at_the_answers_of_their_passages(
    pairs_file: Path, data: Path, plain: Tokenizer
) -> None:
    pairs = read_pairs(pairs_file)
    batch = Collator(pairs, plain, torch.device("cpu")).collate(np.arange(len(pairs)))
    for row, example in enumerate(read_examples(data / "town.json.gz")):
        expected = plain.encode(example.question, example.context)
        length = int(batch.mask[row].sum())
        assert batch.token_ids[row, :length].tolist() == expected.ids
        assert batch.type_ids[row, :length].tolist() == expected.type_ids
        start, end = int(batch.starts[row]), int(batch.ends[row])
        if not example.golds:
            assert (start, end) == (0, 0)
            continue
        first, last = expected.offsets[start][0], expected.offsets[end][1]
        assert example.context[first:last] == example.golds[0].text


def test_long_passages_are_cut_around_the_answer(plain: Tokenizer) -> None:
    example = build_example("x " * 200 + "bridge" + " y" * 200, "bridge")
    pairs = tokenize_pairs([pair_with_own_paragraph(example, 1.0)], plain, max_tokens=40)
    batch = Collator(pairs, plain, torch.device("cpu")).collate(np.array([0]))
    assert batch.token_ids.shape[1] == 40
    found = batch.token_ids[0, batch.starts[0] : batch.ends[0] + 1].tolist()
    assert plain.decode(found) == "bridge"


def build_example(context: str, answer: str) -> Example:
    gold = Gold(answer, context.index(answer))
    return Example("1", "the river?", context, (gold,), (context,))


def test_answers_that_no_window_holds_are_left_out(plain: Tokenizer) -> None:
    context = "bridge " * 60
    example = build_example(context, context.strip())
    pair = TextPair("2", "the river?", "the bridge", None, 1.0)
    pairs = tokenize_pairs([pair_with_own_paragraph(example, 1.0), pair], plain, max_tokens=40)
    assert (len(pairs), pairs.first.tolist()) == (1, [UNANSWERABLE])


def test_negatives_look_alike_and_lack_the_answer() -> None:
    filler = "The town council met for hours and talked. " * 5
    gold = f"The bridge over the Vire opened in 1894. {filler}"
    near = f"The bridge over the Vire was painted green. {filler}"
    also = f"In 1894 the bridge over the Vire opened, says a plaque. {filler}"
    far = f"Loaves of rye are sold on Mill Lane. {filler}"
    example = build_example(gold, "1894")
    asked = replace(example, question="When did the bridge over the Vire open?")
    assert min(map(len, (gold, near, also, far))) >= SHORTEST_PARAGRAPH
    assert mine_negatives([asked], [gold, near, also, far], 1, seed=1) == [[near]]


def test_weights_are_the_times_that_an_epoch_holds_a_pair(pairs_file: Path) -> None:
    pairs = read_pairs(pairs_file)
    weights = np.array([1, 0.5, 2, 0.25, 1, 3], np.float32)
    pairs = replace(pairs, weight=np.resize(weights, len(pairs)))
    rows = np.concatenate([draw_rows(pairs, epoch, seed=9) for epoch in range(8)])
    assert np.bincount(rows).tolist()[:6] == [8, 4, 16, 2, 8, 24]


def test_batches_of_an_epoch_hold_each_row_once_within_the_limit(pairs_file: Path) -> None:
    pairs = read_pairs(pairs_file)
    batches = draw_epoch(pairs, 0, max_tokens=128, seed=1)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(pairs)))
    for rows in batches:
        width = -(-int(pairs.lengths[rows].max()) // 8) * 8
        assert len(rows) == 1 or len(rows) * width <= 128


def test_most_batches_are_of_one_length_and_read_the_same_without_a_mask(
    pairs_file: Path, plain: Tokenizer, start: Path
) -> None:
    pairs = read_pairs(pairs_file)
    rows = np.tile(np.arange(len(pairs)), 5)
    unpadded, others = cut_unpadded(rows, pairs.lengths, 96)
    assert sorted(np.concatenate([*unpadded, others]).tolist()) == sorted(rows.tolist())
    assert len(others) < len(rows) / 2
    collator = Collator(pairs, plain, torch.device("cpu"))
    reader = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32).eval()
    for batch in map(collator.collate, unpadded):
        assert batch.is_unpadded
        assert batch.mask.all()
        with torch.no_grad():
            masked = forward(reader, replace(batch, is_unpadded=False))
            torch.testing.assert_close(forward(reader, batch).start_logits, masked.start_logits)
    assert not collator.collate(np.array([0, 1, 2])).is_unpadded


def test_teacher_reads_what_the_student_reads(
    large: Path, pairs_file: Path, tokenizer_file: Path, plain: Tokenizer
) -> None:
    """Fused attention and the mapping of token ids change no logit."""
    teacher = load_teacher(large, tokenizer_file, attention_dropout=0.0, hidden_dropout=0.0).eval()
    plain_model = AutoModelForQuestionAnswering.from_pretrained(large, dtype=torch.float32).eval()
    pairs = read_pairs(pairs_file)
    collator = Collator(pairs, plain, torch.device("cpu"))
    pieces = Tokenizer.from_file(str(large / "tokenizer.json"))
    renamed = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>"}
    for batch in map(collator.collate, (np.arange(len(pairs)), np.array([0, 0]))):
        names = [[plain.id_to_token(i) for i in row] for row in batch.token_ids.tolist()]
        ids = [[pieces.token_to_id(renamed.get(n, n)) for n in row] for row in names]
        expected = plain_model(input_ids=torch.tensor(ids), attention_mask=batch.mask)
        output = forward(teacher, batch)
        is_token = batch.mask.bool()
        torch.testing.assert_close(output.start_logits[is_token], expected.start_logits[is_token])
        torch.testing.assert_close(output.end_logits[is_token], expected.end_logits[is_token])


def test_teacher_without_the_students_pieces_is_refused(large: Path, tmp_path: Path) -> None:
    other = Tokenizer(models.WordPiece({"[UNK]": 0, "zeppelin": 1}, unk_token="[UNK]"))
    other.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(SystemExit, match="zeppelin"):
        load_teacher(large, tmp_path / "tokenizer.json", attention_dropout=0, hidden_dropout=0)


def test_soft_labels_come_back_as_they_were_put(
    pairs_file: Path, plain: Tokenizer, start: Path
) -> None:
    pairs: Pairs = read_pairs(pairs_file)
    collator = Collator(pairs, plain, torch.device("cpu"))
    reader = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32).eval()
    labels = SoftLabels(pairs.lengths, torch.device("cpu"), None)
    with torch.no_grad():
        for rows in (np.array([0, 3]), np.array([4, 1, 2])):
            batch = collator.collate(rows)
            labels.put(rows, batch, forward(reader, batch))
        rows = np.array([2, 0])
        batch = collator.collate(rows)
        output, is_token = forward(reader, batch), batch.mask.bool()
    kept = labels.get_logits(rows, batch)[:, is_token]
    assert torch.allclose(kept[0], output.start_logits[is_token], atol=1e-3)
    assert torch.allclose(kept[1], output.end_logits[is_token], atol=1e-3)


def test_divergence_is_zero_between_equals_and_ignores_padding() -> None:
    mask = torch.tensor([[1, 1, 1, 0]])
    own_logits = torch.tensor([[[1.0, 2.0, 0.5, 9.0]], [[0.0, 1.0, 0.0, -9.0]]])
    same = own_logits.clone()
    same[..., 3] = 100.0
    assert float(compute_distillation_loss(own_logits, same, mask, 2.0)) == pytest.approx(
        0.0, abs=1e-6
    )
    assert float(compute_distillation_loss(own_logits, own_logits.flip(0), mask, 2.0)) > 0.01


def test_distillation_ends_with_a_reader_and_trains_no_teacher_twice(
    recipe: Path, pairs_file: Path, large: Path, start: Path, tmp_path: Path, run: Callable
) -> None:
    out = tmp_path / "out"
    arguments = (recipe, pairs_file, "--teacher", large, "--student", start, "--out", out)
    run(distill.main, *arguments)
    reader = AutoModelForQuestionAnswering.from_pretrained(out / "model", dtype=torch.float32)
    before = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32)
    assert not torch.equal(reader.qa_outputs.weight, before.qa_outputs.weight)
    assert (out / "model" / "tokenizer.json").exists()
    records = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [(r["phase"], r["step"] == r["steps"]) for r in records] == [
        ("teacher", True),
        ("student", True),
    ]
    taught = (out / "teacher" / "model.safetensors").read_bytes()
    run(distill.main, *arguments)
    assert (out / "teacher" / "model.safetensors").read_bytes() == taught
    assert [json.loads(x)["phase"] for x in (out / "log.jsonl").read_text().splitlines()][2:] == [
        "student"
    ]


def terminate_in_third_step(patch: pytest.MonkeyPatch) -> None:
    take = Phase._take_step

    def taken(phase: Phase, *given: object) -> torch.Tensor:
        if phase.name == "student" and phase.step == 2:
            signal.raise_signal(signal.SIGTERM)
        return take(phase, *given)

    patch.setattr(Phase, "_take_step", taken)


def reader_weights(folder: Path) -> list[torch.Tensor]:
    reader = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
    return list(reader.parameters())


def test_resumed_phase_ends_with_the_weights_of_an_uninterrupted_one(
    recipe: Path,
    pairs_file: Path,
    large: Path,
    start: Path,
    tmp_path: Path,
    run: Callable,
) -> None:
    models_from = (recipe, pairs_file, "--teacher", large, "--student", start, "--out")
    run(distill.main, *models_from, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        terminate_in_third_step(patch)
        with pytest.raises(SystemExit, match="stopped at step 3"):
            run(distill.main, *models_from, tmp_path / "parts")
    run(distill.main, *models_from, tmp_path / "parts")
    whole, parts = (
        reader_weights(tmp_path / "whole/model"),
        reader_weights(tmp_path / "parts/model"),
    )
    assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True))
