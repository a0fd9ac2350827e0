"""`citewire index` while `citewire serve` runs: the same report, and the archive still answers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
SECONDS = 120
Citewire = Callable[..., "subprocess.CompletedProcess[str]"]
Serving = Callable[..., AbstractContextManager[tuple[str, "subprocess.Popen[str]"]]]


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A folder of four articles, in three files."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "a.md").write_text("---\ntitle: Harbour\ndate: 2023-11-09\n---\nAda Quill opened it.")
    (folder / "b.txt").write_text("Eleven ships waited outside the harbour of Tarn.")
    lines = [{"id": "c-1", "text": "A storm came."}, {"id": "c-2", "text": "It rained."}]
    (folder / "c.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.fixture(scope="module")
def one_article(tmp_path_factory: pytest.TempPathFactory, citewire: Citewire) -> Path:
    """A data directory with one article."""
    folder = tmp_path_factory.mktemp("one-article")
    (folder / "first.txt").write_text("The bridge of Tarn was built in 1894.")
    done = citewire("index", "--data", str(folder / "data"), str(folder / "first.txt"))
    assert done.returncode == 0, done.stderr
    return folder / "data"


@pytest.fixture
def begun(one_article: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(one_article, tmp_path / "data"))


def call(url: str, path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return json.loads(response.read())


def ids(url: str) -> list[str]:
    return [article["id"] for article in call(url, "/v1/articles")["articles"]]


def test_served_archive_is_indexed_as_any_other(
    citewire: Citewire, serving: Serving, begun: Path, news: Path
) -> None:
    def index(*options: str) -> "subprocess.CompletedProcess[str]":
        return citewire("index", "--data", str(begun), str(news), *options)

    with serving(begun) as (url, _):
        first = index()
        assert (first.returncode, first.stdout.split(";")[0]) == (
            0,
            "4 added, 0 replaced, 0 unchanged, 0 removed, 0 not usable",
        )
        assert ids(url) == ["c-1", "c-2", "first.txt", "news/a.md", "news/b.txt"]
        answer = call(url, "/v1/ask", {"question": "How many ships waited outside the harbour?"})
        assert answer["answers"][0]["citations"][0]["article_id"] == "news/b.txt"
        assert index().stdout.startswith("0 added, 0 replaced, 4 unchanged, 0 removed")

        (news / "b.txt").write_text("Twelve ships waited outside the harbour of Tarn.")
        (news / "d.txt").write_bytes(b"\xff")
        changed = index()
        assert changed.returncode == 1
        assert changed.stdout.startswith("0 added, 1 replaced, 3 unchanged, 0 removed, 1 not")
        assert "news/d.txt: is not UTF-8" in changed.stderr

        (news / "a.md").unlink()
        (news / "d.txt").unlink()
        pruned = index("--prune")
        assert pruned.stdout == (
            "0 added, 0 replaced, 3 unchanged, 1 removed, 0 not usable;"
            " the archive holds 4 articles in 4 passages\n"
        )
        assert ids(url) == ["c-1", "c-2", "first.txt", "news/b.txt"]
    # The service stored the same as this command would have stored itself.
    assert index().stdout.startswith("0 added, 0 replaced, 3 unchanged, 0 removed")


def test_key_without_the_right_to_write_indexes_nothing(
    citewire: Citewire, serving: Serving, begun: Path, news: Path
) -> None:
    with serving(begun, CITEWIRE_API_KEY="a-key-of-sixteen-characters"):
        done = citewire("index", "--data", str(begun), str(news))

    assert done.returncode == 3
    assert "send a key of this service" in done.stderr


@pytest.fixture
def indexing(begun: Path) -> Iterator[Callable[[Path], "subprocess.Popen[str]"]]:
    """Begins to index a file in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin(file: Path) -> "subprocess.Popen[str]":
        command = [
            sys.executable,
            "-m",
            "citewire",
            "index",
            "--data",
            str(begun),
            str(file),
        ]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_indexing_is_completed_after_the_service_was_killed(
    citewire: Citewire,
    serving: Serving,
    begun: Path,
    tmp_path: Path,
    indexing: Callable[[Path], "subprocess.Popen[str]"],
) -> None:
    text = "Ship {0} came to the harbour of Tarn and waited there for a day. " * 30
    lines = [json.dumps({"id": f"n-{number}", "text": text.format(number)}) for number in range(40)]
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(lines))

    with serving(begun) as (url, service):
        process = indexing(file)
        deadline = time.monotonic() + SECONDS
        while call(url, "/health/ready")["articles"] < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(service.pid, signal.SIGKILL)
        _, complaint = process.communicate(timeout=SECONDS)

    assert process.returncode == 3
    assert "does not answer" in complaint
    done = citewire("index", "--data", str(begun), str(file))
    again = citewire("index", "--data", str(begun), str(file))
    assert done.returncode == 0, done.stderr
    assert "the archive holds 41 articles" in done.stdout
    assert again.stdout.startswith("0 added, 0 replaced, 40 unchanged")
