"""Canonical texts, passages and tokens."""
