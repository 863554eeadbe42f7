"""The deployment of the integration tests."""

from integration.conftest import cloud, deployment, pytest_addoption

__all__ = ["cloud", "deployment", "pytest_addoption"]
