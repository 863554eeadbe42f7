"""How much time is left."""

import time

from shared.deadline import Deadline


class Context:
    """Lambda's context, with so many seconds left."""

    aws_request_id = "1"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self._seconds)


def test_a_reserve_is_kept_for_answering() -> None:
    """Work must fit into what is left after it."""
    deadline = Deadline(Context(10), reserve_s=2)
    assert deadline.allows(7.5)
    assert not deadline.allows(8.5)
    assert 7 < deadline.remaining_s() <= 8


def test_time_passes_and_never_becomes_negative() -> None:
    """An overdue deadline allows nothing."""
    deadline = Deadline(Context(2.05), reserve_s=2)
    time.sleep(0.06)
    assert deadline.remaining_s() == 0
    assert not deadline.allows(0.001)
