"""Run `python -m eventloom COMMAND`, as ./eventloom does."""

import sys

from eventloom.cli import main

try:
    main(prog_name="eventloom")
except KeyboardInterrupt:
    sys.exit(130)
