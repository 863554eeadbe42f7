"""`dlq list` says why a message failed, from the log of its consumer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from eventloom.operations.failure_causes import UNFINISHED, causes_in_log
from eventloom.operations.failures import Failure, FailureQueue

FAILURE = Failure(FailureQueue("p-uploads-dlq", "http://queue"), "m1", "receipt", "{}", 1_800_000_000, 5)
BEGUN = {"message_id": "m1", "message": "begun"}
RETRIED = {"message_id": "m1", "message": "will be retried", "error": "ClientError: SlowDown"}
OTHER = {"message_id": "m2", "message": "will be retried", "error": "of another message"}


class Logs:
    """A log group with these lines."""

    def __init__(self, *lines: dict[str, str]) -> None:
        self._lines = lines

    def get_paginator(self, _: str) -> "Logs":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"events": [{"message": "no JSON"}, *({"message": json.dumps(line)} for line in self._lines)]}


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        ((BEGUN, RETRIED), "ClientError: SlowDown"),
        ((BEGUN, RETRIED, OTHER, BEGUN), "ClientError: SlowDown"),
        ((BEGUN, BEGUN), UNFINISHED),
        ((BEGUN, RETRIED | {"error": "first"}, BEGUN, RETRIED), "ClientError: SlowDown"),
    ],
)
def test_the_cause_is_the_last_that_an_attempt_named(lines: tuple[dict[str, str], ...], cause: str) -> None:
    assert causes_in_log(Logs(*lines), "/log", [FAILURE]) == {"m1": cause}


def test_a_message_that_no_line_names_has_no_cause() -> None:
    assert causes_in_log(Logs(OTHER), "/log", [FAILURE]) == {}
