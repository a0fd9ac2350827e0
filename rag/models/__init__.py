"""The two models' files and runtimes."""
