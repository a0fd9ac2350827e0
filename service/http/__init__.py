"""HTTP: access, limits, problems, streams."""
