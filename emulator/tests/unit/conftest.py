import sys

import pytest


@pytest.fixture(autouse=True)
def _interpreter_of_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here needs the environment of functions: it is made from packages that the unit tests do not have."""
    monkeypatch.setenv("LAMBDA_PROCESS_PYTHON3_13", sys.executable)
    for name in ("EMBEDDED_HOME", "EMBEDDED_PORT"):
        monkeypatch.delenv(name, raising=False)
