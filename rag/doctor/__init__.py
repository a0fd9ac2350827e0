"""Check a data directory and repair it."""
