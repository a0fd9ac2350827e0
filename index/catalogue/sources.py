"""Which sources an archive's articles name."""

from dataclasses import dataclass

from citewire.index.catalogue.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Source:
    """A source by its name, and how many articles name it."""

    name: str
    articles: int


def sources_in(catalogue: Catalogue, *, limit: int) -> list[Source]:
    """Return up to `limit` sources, those of most articles first."""
    with catalogue.reading() as connection:
        rows = connection.execute(
            "SELECT source, count(*) AS articles FROM articles WHERE source IS NOT NULL"
            " GROUP BY source ORDER BY articles DESC, source LIMIT ?",
            (limit,),
        ).fetchall()
    return [Source(name, articles) for name, articles in rows]
