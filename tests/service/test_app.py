"""The chat page and its files are served."""

import pytest
from starlette.testclient import TestClient


def test_page_is_served_and_always_asked_for_anew(client: TestClient) -> None:
    response = client.get("/")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "<title>Citewire</title>" in response.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [("app.js", "text/javascript"), ("app.css", "text/css"), ("favicon.svg", "image/svg+xml")],
)
def test_static_files_come_in_their_media_types(client: TestClient, name: str, kind: str) -> None:
    assert client.get(f"/static/{name}").headers["content-type"].split(";")[0] == kind
