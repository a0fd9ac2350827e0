"""Measure answers against questions whose answers are known."""
