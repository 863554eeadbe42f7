"""Clients of AWS services."""

import pytest

from shared.clients import client


def test_clients_are_made_once_and_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 reads the endpoint of an emulator from the environment; timeouts are far below a function's."""
    client.cache_clear()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    made = client("sqs")
    assert made is client("sqs")
    assert made.meta.endpoint_url == "http://127.0.0.1:1"
    assert made.meta.config.read_timeout <= 15
    client.cache_clear()
