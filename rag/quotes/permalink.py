"""The permanent link of a quote, in the URL-safe Base64 alphabet (RFC 4648)."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Self

from citewire.index.errors import InvalidInput
from citewire.index.types import Article, Span, refuse_unstorable
from citewire.rag.errors import UnknownEvidence

# Hexadecimal digits of the text's SHA-256 in a link: 128 bits, so no second text can be forged.
DIGEST_CHARACTERS = 32
# Characters of context on each side, to distinguish several occurrences of a quote.
AROUND_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class EvidenceId:
    """A link's contents: the article, its text's digest, the quote's place and words, its context.

    `str` and `parse_evidence_id` round-trip, on every machine and in every archive.
    """

    article_id: str
    digest: str
    start: int
    quote: str
    before: str
    after: str

    @classmethod
    def from_span(cls, article: Article, span: Span) -> Self:
        """Build the link of a span of an article."""
        return cls(
            article.id,
            article.digest[:DIGEST_CHARACTERS],
            span.start,
            span.of(article.text),
            article.text[max(span.start - AROUND_CHARACTERS, 0) : span.start],
            article.text[span.end : span.end + AROUND_CHARACTERS],
        )

    def __str__(self) -> str:
        fields = [self.article_id, self.digest, self.start, self.quote, self.before, self.after]
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_evidence_id(text: str) -> EvidenceId:
    """Parse a link's id; raise UnknownEvidence when it is none of Citewire's."""
    try:
        padded = text + "=" * (-len(text) % 4)
        content = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        article_id, digest, start, *texts = json.loads(content)
        quote, before, after = texts
        for value in (article_id, digest, quote, before, after):
            refuse_unstorable(value, "the link")
        known = EvidenceId(article_id, digest, start, quote, before, after)
        # Only the canonical encoding is accepted, so that links can be compared.
        if str(known) != text or type(start) is not int or start < 0 or not (article_id and quote):
            raise UnknownEvidence("this is not an evidence link of Citewire")
        return known
    except (ValueError, TypeError, binascii.Error, RecursionError, InvalidInput) as error:
        raise UnknownEvidence(
            "this is not an evidence link, or only a part of one; use the whole link"
        ) from error
