"""Several services over one archive whose vectors are stored on a Chroma server."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parent.parent.parent
QUESTION = "who met Park Jin?"

Citewire = Callable[..., "subprocess.CompletedProcess[str]"]
Serving = Callable[..., AbstractContextManager[tuple[str, "subprocess.Popen[str]"]]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, citewire: Citewire, chroma_run: Any) -> Path:
    """The seed articles, indexed into the server."""
    data = tmp_path_factory.mktemp("replicated")
    done = citewire(
        "index", "--data", str(data), str(ROOT / "seeds"), CITEWIRE_CHROMA_URL=chroma_run.url
    )
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture(scope="module")
def owner(archive: Path, serving: Serving, chroma_run: Any) -> Iterator[str]:
    with serving(archive, CITEWIRE_CHROMA_URL=chroma_run.url) as (url, _):
        yield url


@pytest.fixture(scope="module")
def replica(archive: Path, owner: str, serving: Serving, chroma_run: Any) -> Iterator[str]:
    with serving(archive, "--read-only", CITEWIRE_CHROMA_URL=chroma_run.url) as (url, _):
        yield url


def request(method: str, url: str, **options: Any) -> httpx2.Response:
    return httpx2.request(method, url, timeout=60, trust_env=False, **options)


def ask(url: str, question: str = QUESTION) -> httpx2.Response:
    return request("POST", f"{url}/v1/ask", json={"question": question})


def stable_part(answer: dict[str, Any]) -> dict[str, Any]:
    """The part of an answer that does not depend on the service or the time."""
    varying = ("timing_ms", "request_id", "cached", "index_version")
    return {name: value for name, value in answer.items() if name not in varying}


def within(seconds: float, condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_the_answers_are_those_of_an_archive_of_its_own(
    seed_archive: Path, citewire: Citewire, owner: str, replica: str
) -> None:
    embedded = json.loads(citewire("ask", "--json", QUESTION, "--data", str(seed_archive)).stdout)
    assert stable_part(ask(owner).json()) == stable_part(embedded)
    assert stable_part(ask(replica).json()) == stable_part(embedded)


def test_a_replica_refuses_changes_and_sees_those_of_the_owner(owner: str, replica: str) -> None:
    article = {"text": "Mayor Ada Quill opened the new harbour at Port Sel on Thursday."}
    refused = request("PUT", f"{replica}/v1/articles/harbour", json=article)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/read-only")
    assert request("DELETE", f"{replica}/v1/articles/harbour").status_code == 403

    stored = request("PUT", f"{owner}/v1/articles/harbour", json=article)
    answer = ask(replica, "Who opened the harbour at Port Sel?").json()
    request("DELETE", f"{owner}/v1/articles/harbour").raise_for_status()

    assert stored.status_code == 201
    assert "Ada Quill" in answer["answers"][0]["text"]
    assert request("GET", f"{replica}/v1/articles/harbour").status_code == 404


def copy(archive: Path, to: Path) -> None:
    """Copy an archive that another process may have open, as a backup would."""
    for path in archive.glob("[cv]*"):
        if not path.name.endswith("-shm"):
            subprocess.run(["cp", "-r", str(path), str(to)], check=True)


def test_a_server_that_goes_away_is_reported_and_found_again(
    owner: str, replica: str, archive: Path, citewire: Citewire, chroma_run: Any
) -> None:
    chroma_run.stop()
    try:
        refusals = [ask(url, "when was the pier closed?") for url in (owner, replica)]
        ready = request("GET", f"{replica}/health/ready")
        quote = {"quote": "met South Korean Foreign"}
        verified = request("POST", f"{replica}/v1/verify", json=quote)
    finally:
        chroma_run.start()
    for refused in refusals:
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/vector-server-away"
        assert int(refused.headers["Retry-After"]) > 0
        assert str(chroma_run.port) not in refused.text
    assert ready.status_code == 503
    assert verified.json()["status"] == "exact"
    for url in (owner, replica):
        assert within(60, lambda url=url: ask(url, "where was the ferry?").status_code == 200)
    assert request("GET", f"{replica}/health/ready").status_code == 200


def test_the_command_line_says_that_the_server_is_away(
    archive: Path, citewire: Citewire, tmp_path: Path
) -> None:
    copy(archive, tmp_path)
    away = {"CITEWIRE_CHROMA_URL": "http://127.0.0.1:9"}
    asked = citewire("ask", QUESTION, "--data", str(tmp_path), **away)
    checked = citewire("doctor", "--data", str(tmp_path), **away)

    assert (asked.returncode, checked.returncode) == (3, 3)
    assert "http://127.0.0.1:9: the Chroma server does not answer" in asked.stderr
    assert "server damage: http://127.0.0.1:9: the Chroma server" in checked.stdout


def test_the_doctor_finds_and_repairs_a_collection_that_the_server_lost(
    archive: Path, citewire: Citewire, tmp_path: Path, chroma_run: Any
) -> None:
    copy(archive, tmp_path)
    manifest = json.loads((archive / "vectors" / "current.json").read_text().splitlines()[0])
    name = manifest["folder"].removeprefix("generation-")
    collections = f"{chroma_run.url}/api/v2/tenants/default_tenant/databases/default_database"
    dropped = request(
        "DELETE", f"{collections}/collections/citewire-{manifest['archive_id']}-{name}"
    )
    dropped.raise_for_status()
    runs = [
        citewire("doctor", *options, "--data", str(tmp_path), CITEWIRE_CHROMA_URL=chroma_run.url)
        for options in ([], ["--repair"], [])
    ]

    assert [run.returncode for run in runs] == [5, 0, 0]
    assert "does not exist" in runs[0].stdout
    assert "rebuilt: the vector index" in runs[1].stdout
