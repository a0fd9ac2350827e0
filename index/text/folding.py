"""Fold letters that a reader takes for the same: case, accents, compatibility forms."""

import unicodedata


def fold_case(text: str) -> str:
    """Case-fold the text and compose it (NFC): `Cafe\u0301` and `CAFÉ` become equal.

    >>> fold_case("CAFE\u0301")
    'café'
    """
    return unicodedata.normalize("NFC", text.casefold())


def strip_marks(text: str) -> str:
    """Decompose the text (NFKD) and leave out combining marks: `Céline` becomes `Celine`.

    >>> strip_marks("Céline ﬁnds №")
    'Celine finds No'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
