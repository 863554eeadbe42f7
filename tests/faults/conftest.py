"""Provide the deployment of the integration tests, with clients that keep retrying while the emulator restarts."""

from typing import Any

import boto3
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from embedded_localstack.launch import START_SECONDS
from embedded_localstack.stop import SAVE_SECONDS
from tests.integration.conftest import cloud, deployment, pytest_addoption

__all__ = ["cloud", "deployment", "pytest_addoption"]
UNREACHABLE = (ConnectionClosedError, EndpointConnectionError)
# A restart took 104 s on a busy machine.
MOST_SECONDS = SAVE_SECONDS + START_SECONDS


def retry_delay(response: Any, caught_exception: Exception | None, attempts: int, **_: Any) -> int | None:
    """Return a delay of one second if the emulator is unreachable.

    The SDK's own retries would end too early, because all threads share their quota.
    """
    unreachable = isinstance(caught_exception, UNREACHABLE) or (response and response[0].status_code == 503)
    return 1 if unreachable and attempts < MOST_SECONDS else None


boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register_first("needs-retry.*", retry_delay)
