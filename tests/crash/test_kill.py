"""A short version of the long command, which is run by hand."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_a_killed_writer_leaves_what_it_acknowledged_and_an_archive_that_answers_the_same() -> None:
    done = subprocess.run(
        [sys.executable, HERE / "kill.py", "--kills", "3"],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    table = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines()[-8:-1])

    assert done.returncode == 0, done.stdout + done.stderr
    assert table["kills"] == "3"
    assert {table[name] for name in ("steps lost", "phantom steps", "wrong answers")} == {"0"}
