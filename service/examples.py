"""What requests and responses look like, for the API's description."""

import hashlib

from pydantic import JsonValue

CONTEXT = "SEOUL — US Secretary of State Antony Blinken met South Korean Foreign Minister Park Jin."
CITATION: dict[str, JsonValue] = {
    "article_id": "seeds/blinken-park-seoul-talks.md",
    "article_sha256": hashlib.sha256(CONTEXT.encode()).hexdigest(),
    "title": "Blinken and Park warn of North Korea's arms trade with Russia",
    "source": "Harbour Wire",
    "url": "https://example.org/harbour-wire/blinken-park-seoul-talks",
    "published_at": "2023-11-09",
    "start": 30,
    "end": 44,
    "quote": "Antony Blinken",
    "context": CONTEXT,
    "context_start": 0,
}
COMMON: dict[str, JsonValue] = {
    "searched": {"articles": 18, "passages": 42},
    "index_version": "9e35f4cd-2",
    "offset_unit": "codepoint",
    "timing_ms": {"retrieve": 8.4, "read": 92.7, "total": 101.1},
    "request_id": "0f8c5a52e2f74f5ab6e1c9e2b1c4d7aa",
}
ANSWERED: dict[str, JsonValue] = COMMON | {
    "status": "answered",
    "reason": None,
    "question": "who met Park Jin?",
    "answers": [
        {
            "text": "Antony Blinken",
            "confidence": 0.83,
            "support": {"articles": 1},
            "citations": [CITATION],
        }
    ],
    "closest": [],
}
NOT_ANSWERED: dict[str, JsonValue] = COMMON | {
    "status": "no_answer",
    "reason": "not_answered",
    "question": "Where was Park Jin born?",
    "answers": [],
    "closest": [CITATION | {"score": 0.04}],
}
QUESTIONS: list[JsonValue] = [
    {"question": "who met Park Jin?"},
    {
        "question": "who met Park Jin?",
        "max_answers": 3,
        "filters": {"published_from": "2023-11-01", "sources": ["Harbour Wire", "Meridian Desk"]},
    },
]
