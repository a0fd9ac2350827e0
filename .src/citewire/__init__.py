"""Citewire: question answering over a news archive, in its articles' exact words."""
