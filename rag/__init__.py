"""The library: everything a question and an article need, and nothing of HTTP or files."""
