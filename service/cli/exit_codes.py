"""The exit codes of all commands, and their meanings."""

ANSWERED, PARTIAL, USAGE, NOT_USABLE, NO_ANSWER = 0, 1, 2, 3, 4
DERIVED_DAMAGE, TRUTH_DAMAGE = 5, 6
INTERRUPTED = 130
EXIT_CODES = """exit codes:
  0  done, or answered
  1  some articles could not be used
  2  wrong usage
  3  the archive or a model is not usable
  4  the archive does not say
  5  doctor: an index is damaged; --repair rebuilds it
  6  articles are damaged or lost (doctor names each), or the whole catalogue is"""
