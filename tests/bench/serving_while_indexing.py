"""Latency of questions during indexing, and the time until a new article is found.

    python tests/bench/serving_while_indexing.py news.jsonl [articles]

Serves a new archive of the file's first half and asks it questions, with a pause
between them, and again while `citewire index` sends the service the other half; then stores
single articles and asks for them. The questions are headlines, each asked once.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

COMMAND = [sys.executable, "-m", "citewire"]
QUIET_QUESTIONS = 150
# Seconds between questions, as a person reads; without a pause they would compete with each other.
PAUSE_SECONDS = 0.1
ARTICLES_ASKED_FOR = 10


def main() -> None:
    """Measure, and print a table."""
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    lines = lines[: int(sys.argv[2])] if len(sys.argv) > 2 else lines
    titles = [json.loads(line)["title"] for line in lines[: len(lines) // 2]]
    with tempfile.TemporaryDirectory() as folder:
        half, data = Path(folder, "half.jsonl"), Path(folder, "data")
        half.write_text("\n".join(lines[: len(lines) // 2]), "utf-8")
        rest = Path(folder, "rest.jsonl")
        rest.write_text("\n".join(lines[len(lines) // 2 :]), "utf-8")
        subprocess.run([*COMMAND, "index", "--data", str(data), str(half)], check=True)
        with serve(data) as url:
            # Numbered, so that the answer cache has none of them.
            questions = (f"{titles[n % len(titles)]} {n}" for n in itertools.count())
            for _ in range(20):
                ask(url, next(questions))
            quiet = [ask(url, next(questions)) for _ in range(QUIET_QUESTIONS)]
            began = time.perf_counter()
            index = [*COMMAND, "index", "--data", str(data), str(rest)]
            with subprocess.Popen(index, stderr=subprocess.DEVNULL) as indexing:
                busy = []
                while indexing.poll() is None:
                    busy.append(ask(url, next(questions)))
            seconds = time.perf_counter() - began
            seen = [measure_until_found(url, number) for number in range(ARTICLES_ASKED_FOR)]
    print("questions             number  p50 ms  p95 ms  p99 ms")
    print_row("quiet", quiet)
    print_row("while indexing", busy)
    ratio = np.percentile(busy, 95) / np.percentile(quiet, 95)
    print(f"p95 while indexing: {ratio:.1f} times the quiet one; indexing took {seconds:.1f} s")
    print(f"from storing an article to its citation: at most {max(seen):.2f} s")


def ask(url: str, question: str) -> float:
    """Return the milliseconds until the answer."""
    time.sleep(PAUSE_SECONDS)
    began = time.perf_counter()
    call(url, "POST", "/v1/ask", {"question": question[:1000]})
    return 1000 * (time.perf_counter() - began)


def measure_until_found(url: str, number: int) -> float:
    """Store a new article; return the seconds until an answer cites it."""
    text = f"The lighthouse keeper of Ostrava number {number} is called Ada Quill{number}."
    began = time.perf_counter()
    call(url, "PUT", f"/v1/articles/keeper-{number}", {"text": text})
    question = f"Who is the lighthouse keeper of Ostrava number {number}?"
    found = call(url, "POST", "/v1/ask", {"question": question})
    assert f"keeper-{number}" in json.dumps(found)
    return time.perf_counter() - began


def call(url: str, method: str, path: str, body: dict[str, Any]) -> Any:
    """Send JSON; return the response's JSON."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.loads(response.read())


@contextmanager
def serve(data: Path) -> Iterator[str]:
    """Serve the archive on a free port; yield the address."""
    command = [*COMMAND, "serve", "--data", str(data), "--port", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield next(word for word in process.stdout.readline().split() if "http" in word)
        finally:
            process.terminate()


def print_row(name: str, times: list[float]) -> None:
    """Print one line of the table."""
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    print(f"{name:<22}{len(times):>6}{p50:>8.0f}{p95:>8.0f}{p99:>8.0f}")


if __name__ == "__main__":
    main()
