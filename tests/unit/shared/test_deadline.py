"""A deadline reserves time for the end of an invocation."""

import time

from shared.deadline import Deadline


class Context:
    """Lambda's context with a given number of seconds left."""

    aws_request_id = "1"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self._seconds)


def test_work_is_allowed_if_it_fits_before_the_reserve() -> None:
    deadline = Deadline(Context(10), reserve_s=2)
    assert deadline.allows(7.5)
    assert not deadline.allows(8.5)
    assert 7 < deadline.remaining_s() <= 8


def test_an_expired_deadline_has_no_time_left_and_allows_nothing() -> None:
    deadline = Deadline(Context(2.05), reserve_s=2)
    time.sleep(0.06)
    assert deadline.remaining_s() == 0
    assert not deadline.allows(0.001)
