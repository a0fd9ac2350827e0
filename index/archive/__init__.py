"""The archive as a whole: what others need of one, and the one on this machine's disk."""
