"""A reader small enough to train inside a test, and questions small enough to read."""

import gzip
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    MPNetConfig,
    MPNetForQuestionAnswering,
    set_seed,
)

from citewire.rag.training import prepare
from citewire.rag.training.finetuning.config import Config, QuestionSource
from citewire.rag.training.finetuning.data import load_window_tokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,?"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY = [
    *SPECIAL,
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    "the",
    "river",
    "bridge",
    "##s",
]

# Each article is a list of questions: the paragraph, the question, and its answer if there is one.
Articles = Sequence[list[tuple[str, str, str | None]]]

ARTICLES: Articles = [
    [
        (
            "The old bridge crosses the Vire. It opened in 1894.",
            "When did the bridge open?",
            "1894",
        ),
        ("The mayor, Ana Ruiz, wants a new bridge by 2030.", "Who is the mayor?", "Ana Ruiz"),
        (
            "Fishermen from Pont-Nord fear for the river.",
            "Where are the fishermen from?",
            "Pont-Nord",
        ),
    ],
    [
        ("The bakery on Mill Lane sells rye loaves.", "Where is the bakery?", "Mill Lane"),
        ("Its founder is unknown.", "Who founded the bakery?", None),
    ],
]


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vocabulary = {token: number for number, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cls, sep = vocabulary["[CLS]"], vocabulary["[SEP]"]
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", sep), ("[CLS]", cls))
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    return load_window_tokenizer(tokenizer_file, max_tokens=64, stride_tokens=16)


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, tokenizer_file: Path) -> Path:
    """A randomly initialised reader in Hugging Face layout."""
    set_seed(0)
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    path = tmp_path_factory.mktemp("start")
    BertForQuestionAnswering(BertConfig(vocab_size=len(VOCABULARY), **sizes)).save_pretrained(path)
    (path / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    (path / "tokenizer_config.json").write_text("{}")
    return path


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one SQuAD-format file, `town.json.gz`."""
    folder = tmp_path_factory.mktemp("data")
    write_squad(folder / "town.json.gz", ARTICLES)
    return folder


@pytest.fixture
def squad_file(tmp_path: Path) -> Callable[[str, Articles], Path]:
    """Write a file in SQuAD's format by its name."""

    def write(name: str, articles: Articles) -> Path:
        write_squad(tmp_path / name, articles)
        return tmp_path / name

    return write


def write_squad(path: Path, articles: Articles) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump({"data": [squad_entry(article) for article in articles]}, file)


def squad_entry(article: list[tuple[str, str, str | None]]) -> dict:
    return {"paragraphs": [squad_paragraph(*paragraph) for paragraph in article]}


def squad_paragraph(context: str, question: str, answer: str | None) -> dict:
    answers = [] if answer is None else [{"text": answer, "answer_start": context.index(answer)}]
    qa = {"id": question, "question": question, "answers": answers, "is_impossible": answer is None}
    return {"context": context, "qas": [qa]}


@pytest.fixture
def config() -> Config:
    return Config(
        sources=(QuestionSource(("town",), 1),),
        seed=3,
        threads=1,
        bf16=False,
        max_tokens=64,
        stride_tokens=16,
        batch_tokens=256,
        batch_questions=4,
        pool_questions=10,
        negatives_share=0.5,
        attention_dropout=0.1,
        hidden_dropout=0.1,
        learning_rate=1e-3,
        weight_decay=0.01,
        warmup_steps=2,
        stable_steps=6,
        stable_minutes=60,
        cooldown_share=0.25,
        checkpoint_minutes=60,
    )


@pytest.fixture
def with_changes(config: Config) -> Callable[..., Config]:
    return lambda **changes: replace(config, **changes)


RECIPE = """
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
    file.write_text(RECIPE)
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
