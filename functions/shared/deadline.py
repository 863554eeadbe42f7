"""The time that an invocation has left."""

import time
from typing import Protocol


class LambdaContext(Protocol):
    """The part of Lambda's context object that functions use."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""


class Deadline:
    """Says whether there is time for work of a given length."""

    def __init__(self, context: LambdaContext, reserve_s: float = 2.0) -> None:
        """Take Lambda's context. `reserve_s` seconds are reserved for the answer."""
        self._end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - reserve_s

    def remaining_s(self) -> float:
        """Return the seconds that are left for work; never negative."""
        return max(0.0, self._end - time.monotonic())

    def allows(self, seconds: float) -> bool:
        """Return whether work that takes `seconds` would end in time."""
        return self.remaining_s() >= seconds
