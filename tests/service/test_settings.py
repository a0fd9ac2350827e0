from pathlib import Path

import pytest

from citewire.index.errors import InvalidInput
from citewire.index.vectors.server_address import read_address
from citewire.service.settings import VARIABLES, ServiceSettings, read_service_settings


def test_every_variable_is_read() -> None:
    environment = {
        "CITEWIRE_DATA": "/data",
        "CITEWIRE_CACHE": "/cache",
        "CITEWIRE_ENCODER": "an/encoder",
        "CITEWIRE_READER": "a/reader",
        "CITEWIRE_THRESHOLD": "0.25",
        "CITEWIRE_API_KEY": "0123456789abcdef",
        "CITEWIRE_KEYS": "/keys.json",
        "CITEWIRE_LOG_QUESTIONS": "1",
        "CITEWIRE_CHROMA_URL": "http://chroma.example:8000",
        "CITEWIRE_HOSTS": "archive.example",
        "PATH": "/bin",
    }
    assert (environment.keys() - {"PATH"}) == VARIABLES.keys()
    assert read_service_settings(environment) == ServiceSettings(
        data=Path("/data"),
        cache=Path("/cache"),
        encoder="an/encoder",
        reader="a/reader",
        threshold=0.25,
        chroma=read_address("http://chroma.example:8000"),
        api_key="0123456789abcdef",
        keys=Path("/keys.json"),
        log_questions=True,
        hosts=frozenset(["archive.example"]),
    )


def test_nothing_needs_to_be_set() -> None:
    settings = read_service_settings({})
    assert (settings.threshold, settings.api_key) == (None, None)


def test_an_empty_variable_says_nothing() -> None:
    empty = dict.fromkeys(VARIABLES, "")
    assert read_service_settings(empty) == read_service_settings({})


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"unknown variable CITEWIRE_TRESHOLD; known are .*DATA"):
        read_service_settings({"CITEWIRE_TRESHOLD": "0.5"})


@pytest.mark.parametrize("key", ["x", "0123456789abcde"])
def test_a_short_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(InvalidInput, match=r"too short; use at least 16 characters$"):
        read_service_settings({"CITEWIRE_API_KEY": key})


def test_host_names_come_with_commas_in_any_case() -> None:
    hosts = read_service_settings({"CITEWIRE_HOSTS": "Archive.example, citewire.example,"}).hosts
    assert hosts == {"archive.example", "citewire.example"}


def test_a_key_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(InvalidInput, match="use ASCII"):
        read_service_settings({"CITEWIRE_API_KEY": "schlüssel-zum-archiv"})
