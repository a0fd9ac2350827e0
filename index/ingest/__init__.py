"""From files to stored, searchable articles."""
