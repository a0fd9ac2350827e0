"""BM25 and fuzzy matching of terms."""
