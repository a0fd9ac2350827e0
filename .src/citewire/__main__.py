"""Run the command line as `python -m citewire`."""

import sys

from citewire.service.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
