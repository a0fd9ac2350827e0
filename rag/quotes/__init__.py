"""Quotes checked against the archive, and links to them."""
