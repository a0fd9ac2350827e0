"""The permanent link of a quote, as a text that an address can hold."""

import base64
import binascii
import json
from dataclasses import dataclass

from citewire.index.errors import InvalidInput
from citewire.index.types import Article, Span, refuse_unstorable
from citewire.rag.errors import UnknownEvidence

# A second text of the same first digits cannot be found by trying.
DIGEST_CHARACTERS = 32
# How much of the text around a quote tells its places apart.
AROUND_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class EvidenceId:
    """What a link says: the article, its text's digest, where the quote stood, and its words.

    Written and read again it is the same, on every machine and in every archive.
    """

    article_id: str
    digest: str
    start: int
    quote: str
    before: str
    after: str

    def __str__(self) -> str:
        fields = [self.article_id, self.digest, self.start, self.quote, self.before, self.after]
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def evidence_id(article: Article, span: Span) -> EvidenceId:
    """Return the link of a span of an article."""
    return EvidenceId(
        article.id,
        article.digest[:DIGEST_CHARACTERS],
        span.start,
        span.of(article.text),
        article.text[max(span.start - AROUND_CHARACTERS, 0) : span.start],
        article.text[span.end : span.end + AROUND_CHARACTERS],
    )


def read_evidence_id(text: str) -> EvidenceId:
    """Read a link's id; raise UnknownEvidence when it is none."""
    try:
        padded = text + "=" * (-len(text) % 4)
        content = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        article_id, digest, start, *texts = json.loads(content)
        quote, before, after = texts
        for value in (article_id, digest, quote, before, after):
            refuse_unstorable(value, "the link")
        known = EvidenceId(article_id, digest, start, quote, before, after)
        # Each quote has one link only, so that links can be compared.
        if str(known) != text or type(start) is not int or start < 0 or not (article_id and quote):
            raise UnknownEvidence("this is no evidence link of Citewire")
        return known
    except (ValueError, TypeError, binascii.Error, RecursionError, InvalidInput) as error:
        raise UnknownEvidence("this is no evidence link, or not the whole of one") from error
