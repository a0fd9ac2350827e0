"""Files, child processes and memory: what the operating system gives."""
