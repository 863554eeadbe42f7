"""`python -m eventloom COMMAND`, which ./eventloom runs."""

import sys

from eventloom.cli import main

try:
    main(prog_name="eventloom")
except KeyboardInterrupt:
    sys.exit(130)
