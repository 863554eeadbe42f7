"""Provide the fixtures for all tests of the command."""

import pytest

from eventloom.arguments import ENVIRONMENT_VARIABLE


@pytest.fixture(autouse=True)
def no_chosen_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables with which make and users choose a cloud and an environment."""
    for name in ("CLOUD", ENVIRONMENT_VARIABLE):
        monkeypatch.delenv(name, raising=False)
