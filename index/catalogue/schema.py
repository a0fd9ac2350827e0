"""The tables of a catalogue's file."""

from citewire.index.catalogue.postings import POSTINGS_SCHEMA
from citewire.index.catalogue.term_vectors import TERM_VECTORS_SCHEMA

SCHEMA_VERSION = 3
SCHEMA = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT, url TEXT, published TEXT, author TEXT,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    origin TEXT NOT NULL,
    checksum TEXT NOT NULL DEFAULT ''
);
CREATE INDEX articles_by_published ON articles (published);
CREATE INDEX articles_by_source ON articles (source);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL REFERENCES articles (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX passages_by_article ON passages (article);
-- Apart from the passages, so that reading those does not drag vectors through memory.
CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages (id),
    vector BLOB NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
);
"""
    + POSTINGS_SCHEMA
    + TERM_VECTORS_SCHEMA
)
