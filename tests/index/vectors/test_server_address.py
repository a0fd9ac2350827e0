import pytest

from citewire.index.errors import InvalidInput
from citewire.index.vectors.server_address import read_address


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8100", "http://127.0.0.1:8100"),
        ("http://chroma", "http://chroma:8000"),
        ("https://chroma.example/", "https://chroma.example:443"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_an_address_is_read(url: str, shown: str) -> None:
    assert str(read_address(url)) == shown


@pytest.mark.parametrize(
    "url",
    [
        "chroma:8000",
        "ftp://chroma",
        "http://",
        "http://h:port",
        "http://h/path",
        "http://me:secret@h",
        "http://[::1",
    ],
)
def test_a_url_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="CITEWIRE_CHROMA_URL"):
        read_address(url)
