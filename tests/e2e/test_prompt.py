"""The interactive prompt, at a terminal of its own."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ANSWERED = "who met Park Jin?"
ANSWER = "Antony Blinken"
NOT_ANSWERED = "What is the boiling point of ethanol?"
# Control sequences that move the cursor or switch modes; those of colours are left.
CODES = re.compile(r"\x1b\[[?0-9;]*[A-Za-ln-z]|\x1b\[0m|\x08|\r")
PROMPT = ">"


class Terminal:
    """A pseudo-terminal; the program's output is read as it comes."""

    def __init__(self, master: int, process: "subprocess.Popen[bytes]") -> None:
        self._master = master
        self._unread = ""
        self.process = process

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, text: str, seconds: float = 60) -> str:
        """Return the output since the last call, up to and including the text."""
        deadline = time.monotonic() + seconds
        while text not in self._unread:
            ready, _, _ = select.select([self._master], [], [], 0.1)
            assert time.monotonic() < deadline, f"{text!r} is not in {self._unread!r}"
            if ready:
                self._read()
        before, _, self._unread = self._unread.partition(text)
        return before + text

    def end(self) -> int:
        """Discard the output until the program ends; return its exit code."""
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self._master], [], [], 0.1)[0]:
                self._read()
        return self.process.wait(1)

    def _read(self) -> None:
        try:
            content = os.read(self._master, 65536)
        except OSError:
            # EIO: on Linux, the program has closed its side.
            return
        self._unread += CODES.sub("", content.decode(errors="replace"))
        if b"\x1b[6n" in content:
            # The program asks for the position of the cursor.
            os.write(self._master, b"\x1b[1;1R")


@contextmanager
def terminal(*arguments: str, **variables: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    termios.tcsetwinsize(master, (40, 80))
    with subprocess.Popen(
        [sys.executable, "-m", "citewire", *arguments],
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm"} | variables,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        try:
            yield Terminal(master, process)
        finally:
            process.kill()
            os.close(master)


def test_prompt_answers_recalls_and_leaves(seed_archive: Path) -> None:
    with terminal("ask", "--data", str(seed_archive)) as shown:
        shown.until("Ctrl-D leaves.")
        shown.until(PROMPT)
        shown.type(f"{ANSWERED}\r")
        first = shown.until("articles searched in")
        shown.until(PROMPT)
        shown.type("\x1b[A")
        shown.until(ANSWERED)
        shown.type("\r")
        second = shown.until("articles searched in")
        shown.until(PROMPT)
        shown.type("\x04")
        code = shown.end()

    assert "\x1b[1m»" in first
    assert "Blinken" in first
    assert "Blinken" in second
    assert code == 0


def test_prompt_recalls_questions_of_earlier_conversations(seed_archive: Path) -> None:
    with terminal("ask", "--data", str(seed_archive)) as shown:
        shown.until(PROMPT)
        shown.type("where is Calicut?\r")
        shown.until("articles searched in")
        # Keys typed before the prompt is back are lost.
        shown.until(PROMPT)
        shown.type("\x04")
        shown.end()
    with terminal("ask", "--data", str(seed_archive)) as shown:
        shown.until(PROMPT)
        shown.type("\x1b[A")
        recalled = shown.until("where is Calicut?")

    assert recalled.endswith("where is Calicut?")


def test_prompt_explains_a_refusal_and_goes_on(seed_archive: Path) -> None:
    with terminal("ask", "--data", str(seed_archive), NO_COLOR="1") as shown:
        shown.until(PROMPT)
        shown.type("x" * 1001 + "\r")
        shown.until("the question has 1001 characters; at most 1000 are read")
        shown.until(PROMPT)
        shown.type("half a question\x03")
        shown.until(PROMPT)
        shown.type(f"{NOT_ANSWERED}\r")
        answer = shown.until("articles searched in")
        shown.until(PROMPT)
        shown.type("\x04")
        code = shown.end()

    assert "The archive does not say." in answer
    assert "\x1b[1m" not in answer.partition("The archive")[2]
    assert code == 0


def test_prompt_shows_how_it_understands_a_follow_up(seed_archive: Path) -> None:
    with terminal("ask", "--data", str(seed_archive), NO_COLOR="1") as shown:
        shown.until(PROMPT)
        shown.type(f"{ANSWERED}\r")
        shown.until("articles searched in")
        shown.until(PROMPT)
        shown.type("where?\r")
        shown.until(f"asked as: Where was it that {ANSWER} met Park Jin?")
        answer = shown.until("articles searched in")
        shown.until(PROMPT)
        shown.type("\x04")
        shown.end()

    assert "Seoul" in answer


def test_prompt_asks_about_a_follow_up_that_it_cannot_resolve(seed_archive: Path) -> None:
    with terminal("ask", "--data", str(seed_archive), NO_COLOR="1") as shown:
        shown.until(PROMPT)
        shown.type("when did she resign?\r")
        shown.until("Whom do you mean by “she”? Name the person.")
        shown.until(PROMPT)
        shown.type("\x04")
        shown.end()
