"""Answers compared with known ones."""
