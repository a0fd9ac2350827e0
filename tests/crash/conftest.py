"""The commands are run as such; pytest runs test_*.py, which runs them."""

from pathlib import Path

collect_ignore = [
    file.name for file in Path(__file__).parent.glob("*.py") if not file.name.startswith("test_")
]
