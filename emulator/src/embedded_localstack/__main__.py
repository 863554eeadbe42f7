"""Run the commands: `python -m embedded_localstack up|down|restart|status|logs`."""

import sys

from embedded_localstack.cli import main

sys.exit(main())
