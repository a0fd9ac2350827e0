"""What a person may configure, read from `CITEWIRE_*` environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from citewire.index.errors import InvalidInput
from citewire.index.vectors.server_address import ServerAddress, read_address

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
SHIPPED_READER = Path(__file__).parent / "models" / "reader"
API_KEY = re.compile("[!-~]+")
VARIABLES = {
    "CITEWIRE_DATA": "the data directory (default: the platform's for users)",
    "CITEWIRE_CACHE": "where models made ready for this machine are kept",
    "CITEWIRE_ENCODER": "the sentence encoder, a sentence-transformers model by name or path",
    "CITEWIRE_READER": "the reader, an extractive question-answering model by name or path",
    "CITEWIRE_THRESHOLD": "the least confidence of an answer, 0 to 1",
    "CITEWIRE_API_KEY": "the key that clients of the service must send",
    "CITEWIRE_KEYS": "the file of further keys (default: keys.json in the data directory)",
    "CITEWIRE_LOG_QUESTIONS": "1 to log the questions' texts; they are left out otherwise",
    "CITEWIRE_CHROMA_URL": "a Chroma server to hold the vector index (default: the data directory)",
    "CITEWIRE_HOSTS": "host names that the service answers to, besides its address; by commas",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and which models are used; see VARIABLES.

    `threshold` None means the one that came with the reader's calibration.
    """

    data: Path
    cache: Path
    encoder: str = DEFAULT_ENCODER
    reader: str = str(SHIPPED_READER)
    threshold: float | None = None
    api_key: str | None = None
    keys: Path | None = None
    log_questions: bool = False
    hosts: frozenset[str] = frozenset()
    chroma: ServerAddress | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InvalidInput(f"CITEWIRE_THRESHOLD is {self.threshold}; it goes from 0 to 1")
        if self.api_key is not None and len(self.api_key) < 16:
            raise InvalidInput("CITEWIRE_API_KEY is too short; use at least 16 characters")
        if self.api_key is not None and not API_KEY.fullmatch(self.api_key):
            raise InvalidInput(
                "CITEWIRE_API_KEY has characters that no header can carry; use ASCII, no spaces"
            )

    @property
    def key_file(self) -> Path:
        """Where the service's keys are stored."""
        return self.keys or self.data / "keys.json"


def read_settings(environment: Mapping[str, str], data: Path | None = None) -> Settings:
    """Read the settings; `data`, where given, goes before the environment's.

    Raises:
        InvalidInput: a variable has a value out of range, or a `CITEWIRE_` name is unknown.
    """
    # An empty variable is one that a script did not fill: it says nothing.
    given = {
        name: value for name, value in environment.items() if name.startswith("CITEWIRE_") and value
    }
    unknown = sorted(given.keys() - VARIABLES.keys())
    if unknown:
        raise InvalidInput(f"unknown variable {unknown[0]}; known are {', '.join(VARIABLES)}")
    return Settings(
        data=data or path_of(given.get("CITEWIRE_DATA"), user_data_path("citewire")),
        cache=path_of(given.get("CITEWIRE_CACHE"), user_cache_path("citewire")),
        encoder=given.get("CITEWIRE_ENCODER", DEFAULT_ENCODER),
        reader=given.get("CITEWIRE_READER", str(SHIPPED_READER)),
        threshold=probability(given.get("CITEWIRE_THRESHOLD")),
        api_key=given.get("CITEWIRE_API_KEY"),
        keys=Path(given["CITEWIRE_KEYS"]).expanduser() if "CITEWIRE_KEYS" in given else None,
        log_questions=yes(given.get("CITEWIRE_LOG_QUESTIONS", "0")),
        hosts=frozenset(name.strip().lower() for name in given.get("CITEWIRE_HOSTS", "").split(","))
        - {""},
        chroma=read_address(given["CITEWIRE_CHROMA_URL"])
        if "CITEWIRE_CHROMA_URL" in given
        else None,
    )


def path_of(value: str | None, default: Path) -> Path:
    """Return the path that the variable names, else the default."""
    return default if value is None else Path(value).expanduser()


def yes(value: str) -> bool:
    """Read 1 or 0; raise InvalidInput for anything else."""
    if value not in ("0", "1"):
        raise InvalidInput(f"CITEWIRE_LOG_QUESTIONS is {value!r}; it is 1 or 0")
    return value == "1"


def probability(value: str | None) -> float | None:
    """Read a number; raise InvalidInput when it is none."""
    if value is None:
        return None
    try:
        return float(value)
    except ValueError as error:
        raise InvalidInput(f"CITEWIRE_THRESHOLD is {value!r}, not a number") from error
