"""What every test of the command has."""

import pytest

from eventloom.arguments import ENVIRONMENT_VARIABLE


@pytest.fixture(autouse=True)
def no_chosen_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables by which make and the person who runs the tests choose a cloud and an environment."""
    for name in ("CLOUD", ENVIRONMENT_VARIABLE):
        monkeypatch.delenv(name, raising=False)
