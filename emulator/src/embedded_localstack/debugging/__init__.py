"""Debug a function: its process waits for a debugger, and one environment handles all events meanwhile."""

from embedded_localstack.debugging.installation import install

__all__ = ["install"]
