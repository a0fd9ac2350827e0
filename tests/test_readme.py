"""The README says what the program does: its commands, its help, its transcript."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from citewire.service.cli.exit_codes import EXIT_CODES
from citewire.service.cli.main import build_parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# Times differ from run to run, and confidences in the last digit from machine to machine.
VARYING = re.compile(r"\d+ ms|\b(very likely|likely|possible|doubtful), (over|under)? ?\d+ %|\d+ %")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def without_varying(text: str) -> str:
    return VARYING.sub("…", text)


@pytest.fixture
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.usefixtures("eighty_columns")
def test_the_help_in_the_readme_is_the_programs() -> None:
    assert build_parser().format_help() in blocks("text")


def test_the_transcript_in_the_readme_is_what_the_demonstration_prints() -> None:
    command, shown = blocks("console")[0].split("\n", 1)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "citewire",
            *command.removeprefix("$ citewire ").split(),
        ],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert without_varying(done.stdout).strip() == without_varying(shown).strip()


def test_the_set_up_is_two_commands() -> None:
    assert blocks("sh")[0].splitlines() == [
        "pip install -c requirements.lock -e . && citewire demo",
        'pip install -c requirements.lock -e ".[test]" && pytest',
    ]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    assert "grep -m1 'pytest$' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_command_is_shown_in_use() -> None:
    shown = set(re.findall(r"^(?:.*&& |\$ )?citewire (\w+)", README, re.MULTILINE))
    assert {"demo", "index", "ask", "search", "serve", "status", "doctor", "eval"} <= shown


def test_every_file_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"\b(?:rag|index|service)/\w+\.py\b", README))
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_exit_codes_are_in_the_help() -> None:
    assert EXIT_CODES in build_parser().format_help()


def test_the_lock_pins_what_the_project_pins() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    pinned = set(re.findall(r'"([\w.-]+==[\w.]+)"', project.split("[project.scripts]")[0]))
    locked = {
        line.lower().replace("_", "-")
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    }
    missing = {pin for pin in pinned if pin.lower().replace("_", "-") not in locked}
    assert missing - {"setuptools==84.2.1"} == set()
