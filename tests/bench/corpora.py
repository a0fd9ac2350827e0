"""Archives and their questions, from SQuAD files and from lines of JSON."""

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from citewire.index.types import Article


@dataclass(frozen=True)
class GoldQuestion:
    """A question and the place of its answer."""

    text: str
    article_id: str
    start: int


def read_articles(file: Path, groups: int | None) -> Iterator[Article]:
    if file.suffix == ".gz":
        data = json.loads(gzip.decompress(file.read_bytes()))["data"]
        if groups is not None:
            data = random.Random(0).sample(data, groups)
        for group in data:
            title = group["title"].replace("_", " ")
            for paragraph in group["paragraphs"]:
                yield Article(hash_text(paragraph["context"]), title, paragraph["context"])
        return
    for line in file.read_text("utf-8").splitlines():
        item = json.loads(line)
        yield Article(
            item["id"],
            item["title"],
            item["text"],
            item["source"],
            published=date.fromisoformat(item["date"]) if item["date"] else None,
        )


def hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_questions(file: Path) -> Iterator[GoldQuestion]:
    if file.suffix == ".gz":
        for group in json.loads(gzip.decompress(file.read_bytes()))["data"]:
            for paragraph in group["paragraphs"]:
                for item in paragraph["qas"]:
                    if item["answers"] and not item.get("is_impossible"):
                        # A paragraph is one passage: any place in it will do.
                        yield GoldQuestion(item["question"], hash_text(paragraph["context"]), 0)
        return
    for line in file.read_text("utf-8").splitlines():
        item = json.loads(line)
        if item["answers"] and not item.get("history"):
            yield GoldQuestion(item["question"], item["article_id"], item["start"])
