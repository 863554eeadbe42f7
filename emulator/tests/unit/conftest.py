import sys

import pytest


@pytest.fixture(autouse=True)
def _interpreter_of_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set an interpreter for functions, because the real one needs packages that the unit tests do not have."""
    monkeypatch.setenv("LAMBDA_PROCESS_PYTHON3_13", sys.executable)
    for name in ("EMBEDDED_HOME", "EMBEDDED_PORT"):
        monkeypatch.delenv(name, raising=False)
