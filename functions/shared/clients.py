"""Create each boto3 client once per execution environment, at its first use.

boto3 itself reads AWS_ENDPOINT_URL, so this code is the same for AWS and an emulator.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

type Clients = Callable[[str], Any]
"""A function that returns the client of a service by name, as `client` does. Tests pass their own."""


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Switch the garbage collector off while long-lived objects are created.

    The collector would scan them repeatedly, which takes a quarter of a cold start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


with _nothing_to_collect():
    import boto3
    from botocore.config import Config

# Short timeouts and few retries are enough, because the function's trigger also retries, with backoff.
CONFIG = Config(
    connect_timeout=3, read_timeout=15, retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=32
)
# For optional requests: the invocation does not wait long for them, and may ignore their failure
QUICK = CONFIG.merge(Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1}))


@cache
def client(service: str, config: Config = CONFIG) -> Any:
    """Return the low-level client of an AWS service, for example `client("s3")`."""
    with _nothing_to_collect():
        return boto3.client(service, config=config)  # type: ignore[call-overload]
