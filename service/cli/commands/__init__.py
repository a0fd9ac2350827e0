"""One module a command: its name, its purpose, its arguments and how it runs.

Heavy imports are made inside `run`: a question must not wait for the web framework, nor `--help`
for the models.
"""
