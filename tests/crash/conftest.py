"""The commands are run as such; pytest runs test_*.py, which runs them."""

collect_ignore = ["archive.py", "corrupt.py", "kill.py"]
