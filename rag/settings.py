"""The library's settings, read from `CITEWIRE_*` environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from citewire.index.errors import InvalidInput
from citewire.index.vectors.server_address import ServerAddress, read_address

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
SHIPPED_READER = Path(__file__).parent / "models" / "reader"
VARIABLES = {
    "CITEWIRE_DATA": "the data directory (default: the platform's for users)",
    "CITEWIRE_CACHE": "the folder of models that were exported for this machine",
    "CITEWIRE_ENCODER": "the sentence encoder, a sentence-transformers model by name or path",
    "CITEWIRE_READER": "the reader, an extractive question-answering model by name or path",
    "CITEWIRE_THRESHOLD": "the lowest confidence of an answer that is given, 0 to 1",
    "CITEWIRE_CHROMA_URL": "a Chroma server to hold the vector index (default: the data directory)",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The data directory, the cache and the models; see VARIABLES.

    `threshold` None means the threshold of the reader's calibration.
    """

    data: Path
    cache: Path
    encoder: str = DEFAULT_ENCODER
    reader: str = str(SHIPPED_READER)
    threshold: float | None = None
    chroma: ServerAddress | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InvalidInput(f"CITEWIRE_THRESHOLD is {self.threshold}; it goes from 0 to 1")


def read_settings(environment: Mapping[str, str], data: Path | None = None) -> Settings:
    """Read the settings; `data`, where given, overrides the environment's.

    Variables that are not the library's are ignored.

    Raises:
        InvalidInput: a variable has a value out of range.
    """
    given = select_variables(environment)
    return Settings(
        data=data or parse_path(given.get("CITEWIRE_DATA"), user_data_path("citewire")),
        cache=parse_path(given.get("CITEWIRE_CACHE"), user_cache_path("citewire")),
        encoder=given.get("CITEWIRE_ENCODER", DEFAULT_ENCODER),
        reader=given.get("CITEWIRE_READER", str(SHIPPED_READER)),
        threshold=parse_number(given.get("CITEWIRE_THRESHOLD")),
        chroma=read_address(given["CITEWIRE_CHROMA_URL"])
        if "CITEWIRE_CHROMA_URL" in given
        else None,
    )


def select_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the `CITEWIRE_` variables that are set; an empty one counts as not set."""
    return {
        name: value for name, value in environment.items() if name.startswith("CITEWIRE_") and value
    }


def parse_path(value: str | None, default: Path) -> Path:
    """Parse a path, with `~` for the home directory; return the default where there is none."""
    return default if value is None else Path(value).expanduser()


def parse_number(value: str | None) -> float | None:
    """Parse a number; raise InvalidInput when it is none."""
    if value is None:
        return None
    try:
        return float(value)
    except ValueError as error:
        raise InvalidInput(f"CITEWIRE_THRESHOLD is {value!r}, not a number") from error
