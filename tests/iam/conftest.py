"""Configure all tests in this folder. They start an emulator on a separate port."""

import json
import os
from typing import Any

import pytest

os.environ.setdefault("EMBEDDED_PORT", "4598")

from tests.iam.environments import plan_all


@pytest.fixture(scope="session")
def plans() -> dict[str, dict[str, Any]]:
    """The plans of all environments, by name."""
    return {name: json.loads(path.read_text()) for name, path in plan_all().items()}
