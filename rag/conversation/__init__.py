"""Follow-up questions rewritten to stand on their own."""
