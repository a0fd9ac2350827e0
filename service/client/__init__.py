"""The client of a Citewire service; other programs import its public names from here."""

from citewire.service.client.client import Citewire
from citewire.service.client.transport import (
    BadRequest,
    ClientError,
    CutOff,
    KeyRefused,
    NotCitewire,
    NotFound,
    ServiceProblem,
    Unavailable,
    Unreachable,
)
from citewire.service.wire.answers import FiltersIn
from citewire.service.wire.articles import ArticleContent
from citewire.service.wire.chat import Message

__all__ = [
    "ArticleContent",
    "BadRequest",
    "Citewire",
    "ClientError",
    "CutOff",
    "FiltersIn",
    "KeyRefused",
    "Message",
    "NotCitewire",
    "NotFound",
    "ServiceProblem",
    "Unavailable",
    "Unreachable",
]
