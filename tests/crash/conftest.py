"""Keeps pytest from collecting the commands; test_*.py runs them."""

from pathlib import Path

collect_ignore = [
    file.name for file in Path(__file__).parent.glob("*.py") if not file.name.startswith("test_")
]
