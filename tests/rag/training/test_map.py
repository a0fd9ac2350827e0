"""The map in the README of the training package names its modules."""

import re
from pathlib import Path

from citewire.rag import training

FOLDER = Path(training.__file__).parent


def test_the_map_names_every_module_and_no_other() -> None:
    modules = {path.name for path in FOLDER.rglob("*.py")} - {"__init__.py"}
    readme = (FOLDER / "README.md").read_text("utf-8")
    shown = re.findall(r"^\| (`.+?\.py`) \|", readme, re.MULTILINE)
    assert set(re.findall(r"`(\w+\.py)`", " ".join(shown))) == modules
