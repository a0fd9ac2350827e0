"""Short versions of the long commands, which are run by hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from citewire.index.system.crash_points import POINTS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CANNOT_MOUNT = 77


def run(command: str, *options: str) -> tuple[int, dict[str, str]]:
    """Run one of the commands; return its exit code and its table."""
    done = subprocess.run(
        [sys.executable, HERE / command, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    rows = [line.rsplit(maxsplit=1) for line in done.stdout.splitlines() if line[:1].isalpha()]
    assert done.returncode in (0, CANNOT_MOUNT), done.stdout + done.stderr
    return done.returncode, {row[0].strip(): row[1] for row in rows}


def test_a_killed_writer_leaves_what_it_acknowledged_and_an_archive_that_answers_the_same() -> None:
    _, table = run("kill.py", "--kills", "2")
    assert table["kills"] == "2"
    assert {table[name] for name in ("steps lost", "phantom steps", "wrong answers")} == {"0"}


def test_a_writer_killed_at_a_named_point_leaves_what_it_acknowledged() -> None:
    _, table = run("points.py", "--quick")
    assert table == {"points": "29", "faults": "0"}


def test_damage_to_any_file_is_refused_or_harmless() -> None:
    _, table = run("corrupt.py", "--damages", "10")
    assert table["wrong answers"] == table["deaths"] == "0"
    assert int(table["refusals"]) > 0


def test_a_full_disk_loses_nothing_and_still_answers() -> None:
    code, table = run("disk.py", "--budgets", "1")
    if code == CANNOT_MOUNT:
        pytest.skip("no tmpfs can be mounted")
    assert table["faults"] == "0"
    assert int(table["that ran out"]) > 0


def test_every_named_point_is_in_the_code() -> None:
    source = "".join(
        file.read_text("utf-8") for room in ("index", "rag") for file in (ROOT / room).rglob("*.py")
    )
    named = set(re.findall(r'pass_crash_point\("([^"]+)"\)', source))
    written = {
        f"{file}: {when}"
        for file in re.findall(r'crash_point="([^"]+)"', source)
        for when in ("written aside", "in its place")
    }
    assert named | written == set(POINTS)
