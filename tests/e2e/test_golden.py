"""Questions over the seed articles, asked of the real models."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.evaluation import KnownQuestion, evaluate
from rag.scoring import f1
from rag.settings import read_settings
from rag.types import Answers, NoAnswer, Question
from rag.wiring import Library, open_library

GOLDEN = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def library(seed_archive: Path) -> Iterator[Library]:
    import os

    settings = replace(read_settings(os.environ), data=seed_archive)
    with open_library(settings, command="ask") as opened:
        yield opened


def ids_of(entry: dict[str, Any]) -> set[str]:
    return {f"seeds/{name}" for name in entry["articles"]}
