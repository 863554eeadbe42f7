"""Settings of all tests here: the emulator that they start has a port of its own."""

import json
import os
from typing import Any

import pytest

os.environ.setdefault("EMBEDDED_PORT", "4598")

from tests.iam.environments import plan_all


@pytest.fixture(scope="session")
def plans() -> dict[str, dict[str, Any]]:
    """The plan of every environment, by name."""
    return {name: json.loads(path.read_text()) for name, path in plan_all().items()}
