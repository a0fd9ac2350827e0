"""Cursors carry ids through a URL."""

import pytest

from citewire.service.routes.cursors import read_cursor, write_cursor


@pytest.mark.parametrize("article_id", ["a", "news/ü & ?#%.md", "🎉", "a\nb"])
def test_cursor_is_read_as_it_was_written(article_id: str) -> None:
    assert read_cursor(write_cursor(article_id)) == article_id


def test_no_cursor_begins_at_the_beginning() -> None:
    assert read_cursor("") == ""
