"""The environment that Lambda sets for a function, which modules read when they are imported; and a cloud in moto."""

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
    """Provide a versioned cloud."""
    with cloud() as versioned_cloud:
        yield versioned_cloud
