"""The settings of the service: the library's, and keys, host names and logs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from citewire.index.errors import InvalidInput
from citewire.rag import settings as library
from citewire.rag.settings import Settings

MIN_KEY_CHARACTERS = 16
API_KEY = re.compile("[!-~]+")
CHROMA_URL = "CITEWIRE_CHROMA_URL"
# Every variable that the commands read, in the order of their help.
VARIABLES = {
    **{name: meaning for name, meaning in library.VARIABLES.items() if name != CHROMA_URL},
    "CITEWIRE_API_KEY": "the key that clients of the service must send",
    "CITEWIRE_KEYS": "the file of further keys (default: keys.json in the data directory)",
    "CITEWIRE_LOG_QUESTIONS": "1 to log the questions' texts; they are left out otherwise",
    CHROMA_URL: library.VARIABLES[CHROMA_URL],
    "CITEWIRE_HOSTS": "host names that the service answers to, besides its address; by commas",
}


@dataclass(frozen=True, slots=True)
class ServiceSettings(Settings):
    """The library's settings, and those of access to the service and of its logs; see VARIABLES."""

    api_key: str | None = None
    keys: Path | None = None
    log_questions: bool = False
    hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # Not super(): a class with slots is not the one that this method was written in.
        Settings.__post_init__(self)
        if self.api_key is None:
            return
        if len(self.api_key) < MIN_KEY_CHARACTERS:
            raise InvalidInput(
                f"CITEWIRE_API_KEY is too short; use at least {MIN_KEY_CHARACTERS} characters"
            )
        if not API_KEY.fullmatch(self.api_key):
            raise InvalidInput(
                "CITEWIRE_API_KEY has characters that no header can carry; use ASCII, no spaces"
            )

    @property
    def key_file(self) -> Path:
        """The file in which the service's keys are stored."""
        return self.keys or self.data / "keys.json"


def read_service_settings(
    environment: Mapping[str, str], data: Path | None = None
) -> ServiceSettings:
    """Read the settings; `data`, where given, goes before the environment's.

    Raises:
        InvalidInput: a variable has a value out of range, or a `CITEWIRE_` name is unknown.
    """
    given = library.select_variables(environment)
    unknown = sorted(given.keys() - VARIABLES.keys())
    if unknown:
        raise InvalidInput(f"unknown variable {unknown[0]}; known are {', '.join(VARIABLES)}")
    shared = library.read_settings(given, data)
    hosts = given.get("CITEWIRE_HOSTS", "").split(",")
    return ServiceSettings(
        **{field.name: getattr(shared, field.name) for field in fields(shared)},
        api_key=given.get("CITEWIRE_API_KEY"),
        keys=Path(given["CITEWIRE_KEYS"]).expanduser() if "CITEWIRE_KEYS" in given else None,
        log_questions=parse_switch(given.get("CITEWIRE_LOG_QUESTIONS", "0")),
        hosts=frozenset(name.strip().lower() for name in hosts) - {""},
    )


def parse_switch(value: str) -> bool:
    """Read CITEWIRE_LOG_QUESTIONS; raise InvalidInput for anything but 1 and 0."""
    if value not in ("0", "1"):
        raise InvalidInput(f"CITEWIRE_LOG_QUESTIONS is {value!r}; it is 1 or 0")
    return value == "1"
