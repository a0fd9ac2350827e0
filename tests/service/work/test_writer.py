"""The queue of changes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.errors import StorageFull
from citewire.index.ingest.store import Incoming
from citewire.service.work.writer import Writer


def test_incoming_article_is_compared_by_its_fingerprint_and_origin(
    pipeline: Any, tmp_path: Path
) -> None:
    catalogue = pipeline.archive.catalogue
    article = catalogue.article("bare")
    known = catalogue.known(["bare"])["bare"]

    assert Incoming(article).result(known) == "unchanged"
    assert Incoming(article, "nowhere").result(known) == "unchanged"
    assert Incoming(article, "/elsewhere").result(known) == "replaced"
    assert Incoming(article).result(None) == "added"


def test_writer_refuses_before_it_encodes(pipeline: Any) -> None:
    catalogue = pipeline.archive.catalogue
    archive = EmbeddedArchive(catalogue, pipeline.archive.vectors, lambda folder: 0)
    writer = Writer(archive, pipeline.encoder)
    with pytest.raises(StorageFull, match="nearly full"):
        asyncio.run(writer.put([Incoming(catalogue.article("bare"), "/elsewhere")]))
    writer.close()
