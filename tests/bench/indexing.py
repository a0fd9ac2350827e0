"""Indexing speed against SentenceTransformer.encode: `python tests/bench/indexing.py PATH…`.

Both process the same passages in one run. Indexing is the whole path of an article: loading,
cleaning, splitting, encoding, storing, building the vector index.
"""

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sentence_transformers import SentenceTransformer

from citewire.index.ingest.indexer import Indexer
from citewire.index.text.chunking import build_encoder_text
from citewire.rag.models.model_files import locate_model
from citewire.rag.settings import read_settings
from citewire.rag.wiring import OpenArchive, open_owned_archive


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="+", type=Path)
    paths = parser.parse_args().paths
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(read_settings(os.environ), data=Path(folder))
        with open_owned_archive(settings, command="bench", create=True) as opened:
            first = measure_seconds(lambda: index(opened, paths))
            again = measure_seconds(lambda: index(opened, paths))
            with opened.archive.reading() as snapshot:
                found = snapshot.passages(range(1, snapshot.size.passages + 1))
            texts = [
                build_encoder_text(passage.article, passage.span) for passage in found.values()
            ]
    model = SentenceTransformer(str(locate_model(settings.encoder)), device="cpu")
    model.encode(texts[:32])
    plain = measure_seconds(lambda: model.encode(texts))
    print(f"{len(texts)} passages")
    print(f"citewire index          {first:7.1f} s  {len(texts) / first:7.1f} passages/s")
    print(f"citewire index, again   {again:7.1f} s")
    print(f"SentenceTransformer     {plain:7.1f} s  {len(texts) / plain:7.1f} passages/s")
    print(f"ratio                   {plain / first:7.2f}")


def index(opened: OpenArchive, paths: list[Path]) -> None:
    indexer = Indexer.into(opened.archive, opened.encoder, lambda progress: None)
    indexer.index(paths, prune=False)


def measure_seconds(work) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
