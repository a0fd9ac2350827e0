"""The vector index, derived from the catalogue and disposable."""
