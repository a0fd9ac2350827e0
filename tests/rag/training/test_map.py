"""The README of the training package agrees with its modules and tests."""

import re
from pathlib import Path

from citewire.rag import training

FOLDER = Path(training.__file__).parent
README = (FOLDER / "README.md").read_text("utf-8")
TESTS = Path(__file__).parents[2]


def test_the_map_names_every_module_and_no_other() -> None:
    modules = {path.name for path in FOLDER.rglob("*.py")} - {"__init__.py"}
    shown = re.findall(r"^\| (`.+?\.py`) \|", README, re.MULTILINE)
    assert set(re.findall(r"`(\w+\.py)`", " ".join(shown))) == modules


def test_every_invariant_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    defined = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    assert named
    assert not named - defined
