from pathlib import Path

import pytest

from citewire.index.errors import InvalidInput
from citewire.rag.settings import (
    DEFAULT_ENCODER,
    SHIPPED_READER,
    VARIABLES,
    Settings,
    read_settings,
)


def test_every_variable_is_read() -> None:
    environment = {
        "CITEWIRE_DATA": "/data",
        "CITEWIRE_CACHE": "/cache",
        "CITEWIRE_ENCODER": "an/encoder",
        "CITEWIRE_READER": "a/reader",
        "CITEWIRE_THRESHOLD": "0.25",
        "PATH": "/bin",
    }
    assert read_settings(environment) == Settings(
        data=Path("/data"),
        cache=Path("/cache"),
        encoder="an/encoder",
        reader="a/reader",
        threshold=0.25,
    )


def test_nothing_needs_to_be_set() -> None:
    settings = read_settings({})
    assert settings.data.name == settings.cache.name == "citewire"
    assert (settings.encoder, settings.reader) == (DEFAULT_ENCODER, str(SHIPPED_READER))
    assert settings.threshold is None


def test_the_data_directory_given_goes_before_the_variable() -> None:
    assert read_settings({"CITEWIRE_DATA": "/data"}, Path("/given")).data == Path("/given")


def test_the_home_directory_may_be_abbreviated() -> None:
    assert read_settings({"CITEWIRE_DATA": "~/news"}).data == Path.home() / "news"


@pytest.mark.parametrize("value", ["-0.1", "1.1", "nan", "inf", "half", "0,5"])
def test_a_threshold_that_is_no_probability_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="CITEWIRE_THRESHOLD is"):
        read_settings({"CITEWIRE_THRESHOLD": value})


@pytest.mark.parametrize(("value", "threshold"), [("0", 0.0), ("1", 1.0), (" 0.5 ", 0.5)])
def test_a_threshold_may_be_zero_and_one(value: str, threshold: float) -> None:
    assert read_settings({"CITEWIRE_THRESHOLD": value}).threshold == threshold


def test_an_empty_variable_says_nothing() -> None:
    empty = dict.fromkeys(VARIABLES, "")
    assert read_settings(empty) == read_settings({})
