"""What Lambda sets for a function, some of it read when modules are imported; and a cloud for tests that need one."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "thumbnailer")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")

from tests.unit.thumbnailer.cloud import Cloud, cloud


@pytest.fixture
def aws() -> Iterator[Cloud]:
    """A versioned cloud."""
    with cloud() as made:
        yield made
