"""Bring articles from files into an archive."""
