"""`python -m embedded_localstack up|down|status|logs`."""

import sys

from embedded_localstack.cli import main

sys.exit(main())
