"""Readiness over HTTP."""

from typing import Any

from starlette.testclient import TestClient


def test_ready_says_how_large_the_archive_is(client: TestClient, pipeline: Any) -> None:
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "articles": 5,
        "passages": 5,
        "index_version": str(pipeline.archive.catalogue.state()),
    }
