"""Time to recovery of a killed service: `restart.py QUESTIONS --data DIR`.

A copy of DIR is served. The service is killed while it stores one article after the other; another
one is started, and timed until it gives the same answer as before over HTTP. All acknowledged
articles must still be there.
"""

import argparse
import json
import random
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from load import start_service

SECONDS_TO_START = 300
# Sentences of an article: about ten passages, so that storing them takes a moment.
SENTENCES = 80


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path, help='one {"question": …} a line')
    parser.add_argument("--data", type=Path, required=True, help="an indexed data directory")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(dir=options.data.parent) as folder:
        data = Path(folder, "data")
        shutil.copytree(options.data, data)
        table = kill_repeatedly(data, options.questions, options.kills, chance)
    print(f"kills, in the midst of a request   {options.kills}, {table.amidst}")
    print(f"acknowledged articles, of these lost   {table.acknowledged}, {len(table.lost)}")
    print(f"wrong first answers   {table.wrong}")
    for name, times in (("listens", table.listening), ("first answer", table.answering)):
        print(f"{name} after   {statistics.median(times):.1f} s, at most {max(times):.1f}")
    return int(bool(table.lost or table.wrong))


@dataclass
class Outcome:
    """The outcome of the kills; times are in seconds from the start of the next process."""

    amidst: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: int = 0
    listening: list[float] = field(default_factory=list)
    answering: list[float] = field(default_factory=list)


def kill_repeatedly(data: Path, questions: Path, kills: int, chance: random.Random) -> Outcome:
    table = Outcome()
    running = RunningService(data)
    question, expected = find_answered_question(running, questions)
    stored: list[str] = []
    for number in range(kills):
        writer = Writer(running, f"killed {number}")
        writer.start()
        # Up to 4 s: from the start of the first request to some requests later.
        time.sleep(chance.uniform(0.0, 4.0))
        table.amidst += writer.asking
        running.kill()
        writer.join()
        stored += writer.acknowledged
        running = RunningService(data)
        table.listening.append(running.listened_after)
        table.wrong += running.ask(question) != expected
        table.answering.append(time.perf_counter() - running.started)
        table.lost += [name for name in stored if not running.has_article(name)]
    running.kill()
    table.acknowledged = len(stored)
    return table


def find_answered_question(running: "RunningService", questions: Path) -> tuple[str, Any]:
    """Return a question that the archive answers, with its answers."""
    for line in questions.read_text("utf-8").splitlines():
        question = json.loads(line)["question"]
        answers = running.ask(question)
        if answers:
            return question, answers
    sys.exit(f"{questions}: the archive answers none of them")


class RunningService:
    """A service in a process of its own."""

    def __init__(self, data: Path) -> None:
        self.started = time.perf_counter()
        self._process, url = start_service(data)
        self.listened_after = time.perf_counter() - self.started
        self.client = httpx2.Client(base_url=url, timeout=SECONDS_TO_START, trust_env=False)

    def ask(self, question: str) -> Any:
        """Return texts and article ids of the answers, without times and confidences."""
        response = self.client.post("/v1/ask", json={"question": question}).raise_for_status()
        return [
            (answer["text"], [citation["article_id"] for citation in answer["citations"]])
            for answer in response.json().get("answers", [])
        ]

    def has_article(self, name: str) -> bool:
        return self.client.get(f"/v1/articles/{name}").status_code == httpx2.codes.OK

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


class Writer(threading.Thread):
    """Stores articles until the service is killed."""

    def __init__(self, running: RunningService, name: str) -> None:
        super().__init__(name=name)
        self._running = running
        self.acknowledged: list[str] = []
        self.asking = False

    def run(self) -> None:
        number = 0
        while True:
            article = f"{self.name} {number}"
            text = " ".join(f"Zyzzyva {at} of {article} was quiet." for at in range(SENTENCES))
            self.asking = True
            try:
                response = self._running.client.put(f"/v1/articles/{article}", json={"text": text})
            except httpx2.HTTPError:
                return
            self.asking = False
            response.raise_for_status()
            self.acknowledged.append(article)
            number += 1


if __name__ == "__main__":
    sys.exit(main())
