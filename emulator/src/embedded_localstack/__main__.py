"""Run the commands: `python -m embedded_localstack up|down|restart|status|logs|layer`."""

import sys

from embedded_localstack.cli import main

sys.exit(main())
