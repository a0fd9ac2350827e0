"""A small reader taught by a large one."""
