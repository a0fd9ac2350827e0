"""From a question to cited answers."""
