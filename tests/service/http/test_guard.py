"""The checks that every request passes before the application sees it."""

import asyncio
import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from citewire.service.auth.keys import Keyring
from citewire.service.http.guard import AccessPolicy, Guard, strip_port

KEY = "a-key-of-sixteen"
ASK = {"question": "Who opened it?"}
Serve = Callable[..., TestClient]


# Host and origin


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "LocalHost:1", "[::1]:8000"])
def test_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8000", "", "localhost.", "::1", "0.0.0.0:8000"]
)
def test_other_names_are_not_answered(client: TestClient, host: str) -> None:
    response = client.get("/health/live", headers={"Host": host})

    assert response.status_code == 421
    assert response.json()["title"] == "Misdirected Request"


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/openapi.json", "/v1/articles", "/nope"])
def test_name_is_checked_for_every_path(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 421


def test_further_name_is_answered_where_it_is_given(serve: Serve) -> None:
    client = serve(hosts=frozenset(["archive.example"]))

    assert client.get("/health/live", headers={"Host": "Archive.Example:443"}).status_code == 200
    assert client.get("/health/live", headers={"Host": "127.0.0.1"}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://127.0.0.1:8001", "http://127.0.0.1", ""]
)
def test_pages_of_other_origins_are_not_answered(client: TestClient, origin: str) -> None:
    response = client.post("/v1/ask", json=ASK, headers={"Origin": origin})

    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


def test_own_page_is_answered(client: TestClient) -> None:
    response = client.post("/v1/ask", json=ASK, headers={"Origin": "http://127.0.0.1:8000"})

    assert response.status_code == 200


def test_second_origin_counts_as_well(client: TestClient) -> None:
    origins = [("Origin", "http://127.0.0.1:8000"), ("Origin", "https://evil.example")]

    assert client.get("/v1/articles", headers=origins).status_code == 403


# Keys


@pytest.mark.parametrize(
    "authorization", ["", KEY, f"Basic {KEY}", "Bearer", "Bearer ", f"Bearer {KEY}x", "Bearer \xfc"]
)
def test_without_the_key_nothing_is_answered(serve: Serve, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}
    response = serve(keys=Keyring(api_key=KEY)).get("/v1/articles", headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert KEY not in response.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_opens(serve: Serve, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {KEY}"}

    assert (
        serve(keys=Keyring(api_key=KEY)).post("/v1/ask", json=ASK, headers=headers).status_code
        == 200
    )


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/static/app.js"])
def test_page_and_health_need_no_key(serve: Serve, path: str) -> None:
    assert serve(keys=Keyring(api_key=KEY)).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/nothing", "/v1/articles/absent"])
def test_without_the_key_existence_is_not_revealed(serve: Serve, path: str) -> None:
    assert serve(keys=Keyring(api_key=KEY)).get(path).status_code == 401


def test_key_is_checked_before_the_body_is_read() -> None:
    sent: list[Message] = []

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the application was reached")

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/ask",
        "state": {"request_id": "r-1"},
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    door = AccessPolicy(frozenset(["localhost"]), Keyring(api_key=KEY))
    asyncio.run(Guard(never, door)(scope, receive, send))

    assert sent[0]["status"] == 401


# Media types


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/plain; x=application/json",
    ],
)
def test_media_type_that_a_form_can_send_is_refused(client: TestClient, content_type: str) -> None:
    response = client.post(
        "/v1/ask", content=b'{"question": "Who?"}', headers={"Content-Type": content_type}
    )

    assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_is_read(client: TestClient, content_type: str) -> None:
    response = client.post(
        "/v1/ask", content=b'{"question": "Who?"}', headers={"Content-Type": content_type}
    )

    assert response.status_code == 200


def test_body_that_would_have_to_be_unpacked_is_refused(client: TestClient) -> None:
    response = client.post("/v1/ask", json=ASK, headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415


def test_body_with_two_lengths_is_refused(client: TestClient) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-Length": "5"}
    response = client.post("/v1/ask", content=b"0\r\n\r\n", headers=headers)

    assert response.status_code == 400
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("body", [b'{"question": "\xff"}', b"[" * 30_000, b'{"max_answers": 1e'])
def test_body_that_is_not_json_is_refused_in_one_way(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/ask", content=body, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["detail"]) == (400, "the body is not valid JSON")


# Places


def test_path_with_a_slash_too_many_is_no_redirect(client: TestClient) -> None:
    assert client.post("/v1/ask/", json=ASK, follow_redirects=False).status_code == 404


def test_tools_open_no_stream_that_would_stay_open(client: TestClient) -> None:
    response = client.get("/mcp", headers={"Accept": "text/event-stream"})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


# Headers


def test_long_headers_are_refused(client: TestClient) -> None:
    response = client.get("/health/live", headers={"X-Long": "x" * 16 * 1024})

    assert response.status_code == 431
    assert response.json()["detail"] == "send headers of at most 16384 bytes"


def test_headers_of_usual_length_are_read(client: TestClient) -> None:
    assert client.get("/health/live", headers={"X-Long": "x" * 15_000}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/static/app.js"),
        ("GET", "/health/live"),
        ("GET", "/v1/articles"),
        ("GET", "/nothing"),
        ("GET", "/static/nothing"),
        ("DELETE", "/v1/articles"),
        ("POST", "/v1/ask"),
    ],
)
def test_every_response_carries_the_safe_headers(
    client: TestClient, method: str, path: str
) -> None:
    headers = client.request(method, path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert len(headers["x-request-id"]) == 32


def test_refusals_carry_the_safe_headers(client: TestClient) -> None:
    headers = client.get("/", headers={"Host": "evil.example"}).headers

    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/v1/articles", "/v1/articles/bare", "/v1/articles/absent"])
def test_responses_of_the_archive_are_not_cached(client: TestClient, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"


def test_every_request_has_an_id_of_its_own(client: TestClient) -> None:
    ids = {client.get("/health/live").headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3


def test_id_that_a_request_comes_with_is_kept(client: TestClient) -> None:
    response = client.post("/v1/ask", json=ASK, headers={"X-Request-Id": "trace-7.a_b"})

    assert response.headers["x-request-id"] == response.json()["request_id"] == "trace-7.a_b"


@pytest.mark.parametrize("identity", ["", "a b", "x" * 65, '"', "<b>", "a;b", "ü"])
def test_id_that_could_confuse_a_log_is_replaced(client: TestClient, identity: str) -> None:
    response = client.get("/health/live", headers={"X-Request-Id": identity.encode()})

    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_response_is_known_by_the_id_of_its_request(client: TestClient) -> None:
    response = client.post("/v1/ask", json=ASK)

    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:80", "localhost"),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("localhost:", "localhost:"),
        ("a:b", "a:b"),
        ("localhost:\u00b2", "localhost:\u00b2"),
    ],
)
def test_strip_port(host: str, name: str) -> None:
    assert strip_port(host) == name
