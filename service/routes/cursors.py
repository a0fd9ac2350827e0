"""Cursors of lists: the last id of a page, in a form that clients pass back unread."""

import base64
import binascii

from citewire.index.errors import InvalidInput


def write_cursor(article_id: str) -> str:
    """Return the cursor of the page that follows this article."""
    return base64.urlsafe_b64encode(article_id.encode()).decode()


def read_cursor(cursor: str) -> str:
    """Return the id that a page follows, "" for the first; raise InvalidInput for other text."""
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidInput("cursor: not one that this service gave") from error
