"""Signing a browser in with a key, and the rights of its cookie."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.types import Article, Span
from citewire.rag.quotes.permalink import EvidenceId
from citewire.service.auth.keys import KeyFile, Keyring, KeyScope
from citewire.service.auth.sessions import SESSION_SECONDS, Sessions, read_or_make_secret

ORIGIN = {"Origin": "http://127.0.0.1:8000"}
SECURE_ORIGIN = {"Origin": "https://127.0.0.1:8000"}
ASK = {"question": "Who opened it?"}
LINK = f"/evidence/{EvidenceId.from_span(Article('bare', 'Bare', 'Ada Quill spoke.'), Span(0, 3))}"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
Serve = Callable[..., TestClient]


class Desk:
    """A service that needs keys, seen by a browser, and its file of keys."""

    def __init__(self, serve: Serve, folder: Path) -> None:
        self.keys = KeyFile(folder / "keys.json")
        self.secret = self.keys.add("desk", [KeyScope.ASK, KeyScope.WRITE])
        self._serve = serve
        self.client = self.again()

    def again(self) -> TestClient:
        """The same service, started anew."""
        return self._serve(keys=Keyring(self.keys))

    def sign_in(self, secret: str | None = None, **headers: str) -> Any:
        sent = ORIGIN | {"Authorization": f"Bearer {secret or self.secret}"} | headers
        return self.client.post("/v1/session", json={}, headers=sent)


@pytest.fixture
def desk(serve: Serve, tmp_path: Path) -> Desk:
    return Desk(serve, tmp_path)


# Signing in


def test_key_is_exchanged_for_a_cookie_that_scripts_cannot_read(desk: Desk) -> None:
    response = desk.sign_in()
    name, *attributes = response.headers["set-cookie"].split("; ")

    assert (response.status_code, response.json()["key"]) == (200, "desk")
    assert name.startswith("citewire-8000=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={SESSION_SECONDS}"} <= {*attributes}
    assert "Secure" not in attributes
    assert desk.secret not in response.headers["set-cookie"]
    assert response.headers["cache-control"] == "no-store"


def test_cookie_is_bound_to_tls_where_the_page_came_over_tls(desk: Desk) -> None:
    cookie = desk.sign_in(**SECURE_ORIGIN).headers["set-cookie"]

    assert cookie.startswith("__Host-citewire-8000=")
    assert "Secure" in cookie.split("; ")


def test_cookie_reads_asks_and_follows_evidence(desk: Desk) -> None:
    desk.sign_in()

    assert desk.client.get("/v1/articles").status_code == 200
    assert desk.client.post("/v1/ask", json=ASK, headers=ORIGIN).status_code == 200
    assert "<mark" in desk.client.get(LINK, headers=HTML).text
    assert desk.client.get("/v1/session").json()["key"] == "desk"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer no-key-at-all", "Basic ZGVzazo="])
def test_wrong_key_does_not_sign_in(desk: Desk, authorization: str) -> None:
    response = desk.sign_in(Authorization=authorization)

    assert response.status_code == 401
    assert "set-cookie" not in response.headers


def test_key_that_may_not_ask_does_not_sign_in(desk: Desk) -> None:
    assert desk.sign_in(desk.keys.add("feed", [KeyScope.WRITE])).status_code == 403


def test_only_a_page_of_this_service_signs_in(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.secret}"}
    without = desk.client.post("/v1/session", json={}, headers=headers)

    assert without.status_code == 403
    assert desk.sign_in(Origin="https://evil.example").status_code == 403


def test_session_cannot_be_exchanged_for_another(desk: Desk) -> None:
    desk.sign_in()

    assert desk.client.post("/v1/session", json={}, headers=ORIGIN).status_code == 401


def test_service_without_keys_gives_no_cookie(client: TestClient) -> None:
    response = client.post("/v1/session", json={}, headers=ORIGIN)

    assert response.json() == {"required": False, "key": None, "expires_at": None}
    assert "set-cookie" not in response.headers


def test_signing_in_counts_as_a_request_of_its_key(desk: Desk) -> None:
    slow = desk.keys.add("slow", [KeyScope.ASK], per_minute=1)

    assert [desk.sign_in(slow).status_code for _ in range(2)] == [200, 429]
    assert desk.client.get("/v1/articles").status_code == 429


# Limits of the cookie


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:8001"}, {"Origin": ""}]
)
def test_cookie_asks_nothing_for_other_pages(desk: Desk, headers: dict[str, str]) -> None:
    desk.sign_in()

    assert desk.client.post("/v1/ask", json=ASK, headers=headers).status_code in (401, 403)


def test_cookie_neither_writes_nor_administers_though_its_key_may(desk: Desk) -> None:
    desk.sign_in(desk.keys.add("all", list(KeyScope)))
    written = desk.client.put("/v1/articles/x", json={"text": "X."}, headers=ORIGIN)

    assert written.status_code == 403
    assert desk.client.delete("/v1/articles/bare", headers=ORIGIN).status_code == 403
    assert desk.client.get("/metrics").status_code == 403


def test_key_that_is_sent_goes_before_the_cookie(desk: Desk) -> None:
    desk.sign_in()

    assert desk.client.get("/v1/articles", headers={"Authorization": "Bearer x"}).status_code == 401


def test_altered_cookie_is_not_accepted(desk: Desk) -> None:
    desk.sign_in()
    until, _, signature = desk.client.cookies.pop("citewire-8000").partition(".")
    for made_up in (
        f"{int(until) + 1}.{signature}",
        f"{until}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"{until}.",
        signature,
        f"{'9' * 5000}.{signature}",
    ):
        headers = {"Cookie": f"citewire-8000={made_up}"}
        assert desk.client.get("/v1/articles", headers=headers).status_code == 401


def test_session_ends_after_its_time(tmp_path: Path) -> None:
    now = 1_000_000.0
    keys = Keyring(api_key="a-key-of-sixteen-characters")
    sessions = Sessions(keys, clock=lambda: now)
    token, until = sessions.begin(keys.all()[0])
    cookie = f"citewire={token}".encode()
    scope = {"type": "http", "method": "GET", "headers": [(b"cookie", cookie)]}

    found = sessions.find(scope)
    now = float(until)
    assert found is not None
    assert found[1] == until == 1_000_000 + SESSION_SECONDS
    assert sessions.find(scope) is None


# The end of a session


def test_session_ends_with_its_key(desk: Desk) -> None:
    desk.sign_in()
    desk.keys.revoke("desk")
    desk.keys.add("desk", [KeyScope.ASK])

    assert desk.client.get("/v1/articles").status_code == 401


def test_signing_out_takes_the_cookie_back(desk: Desk) -> None:
    desk.sign_in()
    response = desk.client.delete("/v1/session", headers=ORIGIN)

    assert response.status_code == 204
    assert desk.client.get("/v1/session").json() == {
        "required": True,
        "key": None,
        "expires_at": None,
    }
    assert desk.client.get("/v1/articles").status_code == 401


def test_session_outlives_a_restart(desk: Desk) -> None:
    desk.sign_in()
    again = desk.again()
    again.cookies = desk.client.cookies

    assert again.get("/v1/articles").status_code == 200


def test_secret_is_readable_only_for_its_owner(desk: Desk, tmp_path: Path) -> None:
    desk.sign_in()

    assert stat.S_IMODE((tmp_path / "sessions.secret").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("sessions.secret.*"))


def test_secret_that_was_cut_short_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / "cut").write_text("abcdef")

    assert read_or_make_secret(tmp_path / "cut") is None
    assert read_or_make_secret(tmp_path / "absent" / "secret") is None
    assert len(read_or_make_secret(tmp_path / "new") or b"") == 32
    assert read_or_make_secret(tmp_path / "new") == read_or_make_secret(tmp_path / "new")


# The page that asks for a key


def test_evidence_without_a_key_is_a_page_that_asks_for_one(desk: Desk) -> None:
    response = desk.client.get(LINK, headers=HTML, follow_redirects=False)

    assert response.status_code == 401
    assert "Sign in" in response.text
    assert "Ada" not in response.text
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["cache-control"] == "no-store"
    assert "form-action 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_programs_get_a_problem_instead_of_the_page(desk: Desk, accept: str) -> None:
    response = desk.client.get(LINK, headers={"Accept": accept})

    assert (response.status_code, response.json()["title"]) == (401, "Unauthorized")


def test_existence_of_evidence_is_not_revealed_without_a_key(desk: Desk) -> None:
    absent = desk.client.get("/evidence/none", headers=HTML)

    assert absent.text == desk.client.get(LINK, headers=HTML).text
