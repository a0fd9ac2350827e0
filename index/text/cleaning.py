"""Turn a file's text into canonical text: plain, composed, in paragraphs, without markup."""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.token import Token

# C0 and C1 controls except tab and newline, byte-order marks, soft hyphens and zero-width spaces:
# they cannot be seen, and a quote that contains one matches nothing.
INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u00ad\u200b]")
NEWLINES = re.compile(r"\r\n?|\u2028|\u2029")
BLANK_RUN = re.compile(r"[^\S\n\u00a0]{2,}")
PARAGRAPH_GAP = re.compile(r"\n{3,}")


def canonicalize(text: str) -> str:
    r"""Return the canonical form: NFC, newlines as \n, nothing invisible, no runs of blanks.

    Applying it again changes nothing. Paragraphs are separated by one blank line.
    """
    text = NEWLINES.sub("\n", text)
    text = INVISIBLE.sub("", text)
    text = unicodedata.normalize("NFC", text)
    text = BLANK_RUN.sub(" ", text)
    # By line and not by a pattern, which takes quadratic time over a long run of blanks.
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return PARAGRAPH_GAP.sub("\n\n", text).strip()


def render_markdown(markdown: str) -> str:
    """Return the visible text of the rendered Markdown, a blank line between blocks."""
    blocks = [
        render_block(token) for token in MarkdownIt("commonmark").enable("table").parse(markdown)
    ]
    return "\n\n".join(block for block in blocks if block)


def render_block(block: Token) -> str:
    """Return a block's text without emphasis, and links without their targets."""
    if block.type in ("fence", "code_block"):
        return block.content.rstrip("\n")
    parts = []
    for token in block.children or []:
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type == "image":
            parts.append(token.content)  # its alternative text
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "hardbreak":
            parts.append("\n")
    return "".join(parts)
