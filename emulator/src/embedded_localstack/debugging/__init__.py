"""Debug functions. The process of a function waits for a debugger, and one environment handles all events."""

from embedded_localstack.debugging.installation import install

__all__ = ["install"]
