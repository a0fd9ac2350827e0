"""Text on a terminal acts on nothing."""

from citewire.service.cli.terminal import make_safe


def test_safe_text_is_one_line() -> None:
    assert make_safe("a\r\n\tb\x1b\u202ec") == "a b��c"
