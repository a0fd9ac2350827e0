"""Examples of requests and responses for the API's description."""

from pydantic import JsonValue

from citewire.index.types import Article, Span
from citewire.rag.quotes.permalink import EvidenceId

CONTEXT = "SEOUL — US Secretary of State Antony Blinken met South Korean Foreign Minister Park Jin."
ARTICLE_ID = "seeds/blinken-park-seoul-talks.md"
ARTICLE = Article(ARTICLE_ID, "Blinken and Park warn", CONTEXT)
CITATION: dict[str, JsonValue] = {
    "article_id": ARTICLE_ID,
    "article_sha256": ARTICLE.digest,
    "title": "Blinken and Park warn of North Korea's arms trade with Russia",
    "source": "Harbour Wire",
    "url": "https://example.org/harbour-wire/blinken-park-seoul-talks",
    "published_at": "2023-11-09",
    "start": 30,
    "end": 44,
    "quote": "Antony Blinken",
    "context": CONTEXT,
    "context_start": 0,
    "evidence": f"/evidence/{EvidenceId.from_span(ARTICLE, Span(30, 44))}",
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
    "explanation": None,
    "question": "who met Park Jin?",
    "answers": [
        {
            "text": "Antony Blinken",
            "confidence": 0.83,
            "likelihood": "likely",
            "percentage": "83 %",
            "support": {"articles": 1, "text": "said by 1 article"},
            "citations": [CITATION],
        }
    ],
    "closest": [],
}
NOT_ANSWERED: dict[str, JsonValue] = COMMON | {
    "status": "no_answer",
    "reason": "not_answered",
    "explanation": "Some articles come near the subject, but none states an answer.",
    "question": "Where was Park Jin born?",
    "answers": [],
    "closest": [CITATION | {"confidence": 0.04, "percentage": "4 %", "score": 0.04}],
}
QUESTIONS: list[JsonValue] = [
    {"question": "who met Park Jin?"},
    {
        "question": "who met Park Jin?",
        "max_answers": 3,
        "filters": {"published_from": "2023-11-01", "sources": ["Harbour Wire", "Meridian Desk"]},
    },
]
QUOTES: list[JsonValue] = [
    {"quote": "met South Korean Foreign Minister Park Jin"},
    {"quote": "met South Korean Foreign Minister Park Jin", "article_id": ARTICLE_ID},
]
NEW_ARTICLE: dict[str, JsonValue] = {
    "title": "Harbour opens",
    "text": "Mayor Ada Quill opened the harbour on Thursday. It rained.",
    "source": "Tideline",
    "url": "https://example.org/harbour",
    "published_at": "2023-11-09",
}
SEARCHES: list[JsonValue] = [
    {"question": "Park Jin meeting"},
    {
        "question": "Park Jin meeting",
        "limit": 3,
        "filters": {"published_from": "2023-11-01", "sources": ["Harbour Wire"]},
        "explain": True,
    },
]
PASSAGE: dict[str, JsonValue] = {
    name: value
    for name, value in CITATION.items()
    if name not in ("context", "context_start", "evidence")
}
SEARCHED: dict[str, JsonValue] = {
    "question": "Park Jin meeting",
    "passages": [
        PASSAGE
        | {
            "start": 0,
            "end": len(CONTEXT),
            "quote": CONTEXT,
            "score": 1.0,
            "legs": {"cosine": 0.61, "bm25": 8.25, "dense_rank": 1, "lexical_rank": 2},
        }
    ],
    "searched": {"articles": 18, "passages": 42},
    "index_version": "9e35f4cd-2",
    "offset_unit": "codepoint",
    "search_ms": 8.4,
    "request_id": "0f8c5a52e2f74f5ab6e1c9e2b1c4d7aa",
}
CONVERSATION: dict[str, JsonValue] = {
    "messages": [
        {"role": "user", "content": "who met Park Jin?"},
        {"role": "assistant", "content": "Antony Blinken"},
        {"role": "user", "content": "where?"},
    ]
}
UNCLEAR: dict[str, JsonValue] = {
    "status": "unclear",
    "question": "how old was he?",
    "ask_back": "Whom do you mean by “he”?",
    "candidates": ["How old was Behnken?", "How old was Hurley?"],
    "request_id": "0f8c5a52e2f74f5ab6e1c9e2b1c4d7aa",
}
