"""Fixtures for the commands of an operator."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.unit.eventloom.operations.failing_cloud import FailingCloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FailingCloud]:
    """Provide a cloud with empty queues of failures."""
    with mock_aws():
        yield FailingCloud(tmp_path)
