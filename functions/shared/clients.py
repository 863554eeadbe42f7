"""boto3 clients, made once per execution environment, when first used.

boto3 itself honours AWS_ENDPOINT_URL, so nothing here knows which cloud it talks to.
"""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Short timeouts and few retries: what still fails is handed back to the trigger, which retries with backoff.
_CONFIG = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=32)


@cache
def client(service: str) -> Any:
    """The low-level client of an AWS service, for example `client("s3")`."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]
