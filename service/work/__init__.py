"""Asking and indexing in the background of the event loop."""
