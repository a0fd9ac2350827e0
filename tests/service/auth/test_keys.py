"""Keys: made once, stored as hashes, required where they matter, revoked at once."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.errors import InvalidInput, NotUsable
from citewire.service.auth.keys import Key, KeyFile, Keyring, KeyScope
from citewire.service.cli.main import main
from citewire.service.http.rate_limit import RateLimit

ASK = {"question": "Who opened it?"}
Serve = Callable[..., TestClient]


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def status(client: TestClient, key: str) -> int:
    return int(client.post("/v1/ask", json=ASK, headers=bearer(key)).status_code)


def test_key_is_found_again_and_never_stored(file: KeyFile, tmp_path: Path) -> None:
    secret = file.add("desk", [KeyScope.ASK])
    found = Keyring(file).find(secret)

    assert found is not None
    assert (found.name, found.scopes) == ("desk", {KeyScope.ASK})
    assert secret not in (tmp_path / "keys.json").read_text("utf-8")
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert len(secret) > 40


def test_keys_differ(file: KeyFile) -> None:
    assert len({file.add(str(number), [KeyScope.ASK]) for number in range(20)}) == 20


def test_another_key_is_not_found(file: KeyFile) -> None:
    secret = file.add("desk", [KeyScope.ASK])

    assert Keyring(file).find(secret[:-1]) is None
    assert Keyring(file).find("") is None


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 101])
def test_name_that_is_none_is_refused(file: KeyFile, name: str) -> None:
    with pytest.raises(InvalidInput, match="a key's name"):
        file.add(name, [KeyScope.ASK])


def test_name_is_used_once_and_scopes_are_needed(file: KeyFile) -> None:
    file.add("desk", [KeyScope.ASK])

    with pytest.raises(InvalidInput, match="a key named desk already"):
        file.add("desk", [KeyScope.ASK])
    with pytest.raises(InvalidInput, match="needs a scope: ask, write, admin"):
        file.add("wire", [])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [{}]}', '{"keys": 3}'])
def test_broken_file_is_refused_at_the_start_and_lets_no_key_in_later(
    file: KeyFile, tmp_path: Path, content: str
) -> None:
    secret = file.add("desk", [KeyScope.ASK])
    running = Keyring(file)
    (tmp_path / "keys.json").write_text(content, "utf-8")

    with pytest.raises(NotUsable, match="not a file of keys"):
        Keyring(file)
    assert running.is_required
    assert running.find(secret) is None


def test_vanished_file_opens_nothing(file: KeyFile, tmp_path: Path) -> None:
    file.add("desk", [KeyScope.ASK])
    running = Keyring(file)
    (tmp_path / "keys.json").unlink()

    assert running.is_required


def test_keys_are_made_and_revoked_while_the_service_runs(serve: Serve, file: KeyFile) -> None:
    client = serve(keys=Keyring(file))
    open_to_all = client.post("/v1/ask", json=ASK).status_code
    secret = file.add("desk", [KeyScope.ASK])
    without, with_key = client.post("/v1/ask", json=ASK).status_code, status(client, secret)
    file.revoke("desk")

    assert (open_to_all, without, with_key) == (200, 401, 200)
    assert status(client, secret) == 401


def test_key_is_good_only_for_its_scope(serve: Serve, file: KeyFile) -> None:
    writer = file.add("feed", [KeyScope.WRITE])
    client = serve(keys=Keyring(file))
    response = client.post("/v1/ask", json=ASK, headers=bearer(writer))

    assert response.status_code == 403
    assert response.json()["detail"] == "this needs a key with the scope `ask`"


def test_reading_key_may_not_change_articles(serve: Serve, file: KeyFile) -> None:
    client = serve(keys=Keyring(file))
    reader = file.add("desk", [KeyScope.ASK])

    for method, path in [
        ("POST", "/v1/articles"),
        ("PUT", "/v1/articles/a"),
        ("DELETE", "/v1/articles/a"),
    ]:
        assert client.request(method, path, headers=bearer(reader)).status_code == 403
    assert client.get("/v1/articles", headers=bearer(reader)).status_code == 200


@pytest.mark.parametrize("path", ["/nope", "/mcp", "/evidence/x", "/docs"])
def test_path_without_a_rule_needs_a_key(serve: Serve, path: str) -> None:
    assert serve(keys=Keyring(api_key="a-key-of-sixteen")).get(path).status_code == 401


def test_key_of_the_environment_is_good_for_everything(serve: Serve, file: KeyFile) -> None:
    ring = Keyring(file, "a-key-of-sixteen")
    found = ring.find("a-key-of-sixteen")

    assert found is not None
    assert found.scopes == set(KeyScope)


# Rates


def test_key_over_its_rate_is_429_and_says_for_how_long(serve: Serve, file: KeyFile) -> None:
    secret = file.add("desk", [KeyScope.ASK], per_minute=2)
    client = serve(keys=Keyring(file))
    allowed = [status(client, secret) for _ in range(2)]
    response = client.post("/v1/ask", json=ASK, headers=bearer(secret))

    assert allowed == [200, 200]
    assert response.status_code == 429
    assert response.json()["type"] == "/problems/rate-limited"
    assert 1 <= int(response.headers["retry-after"]) <= 30
    assert response.json()["retry_after_s"] == int(response.headers["retry-after"])


def test_rate_fills_up_steadily_and_no_further_than_a_minutes_worth() -> None:
    now = 0.0
    limit = RateLimit(lambda: now)
    key = Key("desk", frozenset([KeyScope.ASK]), "", per_minute=6)
    burst = [limit.spend(key) for _ in range(7)]
    now = 10.0
    later = [limit.spend(key) for _ in range(2)]
    now = 10_000.0
    full = [limit.spend(key) for _ in range(7)]

    assert burst == [0, 0, 0, 0, 0, 0, 10]
    assert later == [0, 10]
    assert full == [0, 0, 0, 0, 0, 0, 10]


# Commands


def test_commands_make_list_and_revoke(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("CITEWIRE_KEYS", str(tmp_path / "k.json"))
    made = main(["key", "add", "desk", "--scope", "ask", "--scope", "admin", "--per-minute", "9"])
    secret = capsys.readouterr().out.strip()
    main(["key", "list"])
    listed = capsys.readouterr().out
    revoked = main(["key", "revoke", "desk"])

    assert (made, revoked) == (0, 0)
    assert secret.startswith("citewire_")
    assert listed.startswith("desk  admin, ask  9 a minute  made 20")
    assert KeyFile(tmp_path / "k.json").keys() == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["add"], "needs the key's name"),
        (["add", "desk"], "needs a scope"),
        (["revoke", "desk"], "there is no key named desk"),
        (["add", "desk", "--scope", "ask", "--per-minute", "0"], "may make 0 requests"),
    ],
)
def test_incomplete_commands_name_the_missing_argument(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: Any,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.setenv("CITEWIRE_KEYS", str(tmp_path / "k.json"))

    assert main(["key", *arguments]) == 2
    assert complaint in capsys.readouterr().err
