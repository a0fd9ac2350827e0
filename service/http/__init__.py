"""What every request passes: access, limits, problems, streams."""
