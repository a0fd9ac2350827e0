"""Access to the operating system: durable files, child processes, memory."""
