"""One module a command: its name and purpose, its arguments, and what it does.

Each imports what it runs on only when it runs: a question must not wait for the web framework,
nor `--help` for the models.
"""
