"""The durable truth in SQLite: the only package that holds SQL."""
