"""Clients of AWS services."""

import gc

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


def test_making_a_client_leaves_the_garbage_collector_on(monkeypatch: pytest.MonkeyPatch) -> None:
    client.cache_clear()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client("sqs")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000, "what a client is made of is not looked through again"
    gc.unfreeze()
    client.cache_clear()
