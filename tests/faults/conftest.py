"""The deployment of the integration tests, asked by clients that outlast a restart of the emulator."""

from typing import Any

import boto3
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from embedded_localstack.launch import START_SECONDS
from embedded_localstack.stop import SAVE_SECONDS
from tests.integration.conftest import cloud, deployment, pytest_addoption

__all__ = ["cloud", "deployment", "pytest_addoption"]
AWAY = (ConnectionClosedError, EndpointConnectionError)
# A restart took 104 s on a machine with other work.
MOST_SECONDS = SAVE_SECONDS + START_SECONDS


def again(response: Any, caught_exception: Exception | None, attempts: int, **_: Any) -> int | None:
    """In a second; the SDK's own retries end sooner, as all threads share them."""
    away = isinstance(caught_exception, AWAY) or (response and response[0].status_code == 503)
    return 1 if away and attempts < MOST_SECONDS else None


boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register_first("needs-retry.*", again)
