"""The time that an invocation has left."""

import time
from typing import Protocol


class LambdaContext(Protocol):
    """The part of Lambda's context object that functions use."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""


class Deadline:
    """The time at which an invocation must stop its work."""

    def __init__(self, context: LambdaContext, reserve_s: float = 2.0) -> None:
        """Compute the deadline from Lambda's context. `reserve_s` seconds are reserved for the response."""
        self._end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - reserve_s

    def remaining_s(self) -> float:
        """Return the seconds that are left for work, or 0 after the deadline."""
        return max(0.0, self._end - time.monotonic())

    def allows(self, seconds: float) -> bool:
        """Return whether work that takes `seconds` would end before the deadline."""
        return self.remaining_s() >= seconds
