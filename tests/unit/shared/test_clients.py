"""Clients of AWS services are created once, with short timeouts, and cheaply."""

import gc

import pytest

from shared.clients import client


def test_a_client_is_created_once_and_reads_its_endpoint_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    client.cache_clear()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    sqs = client("sqs")
    assert sqs is client("sqs")
    assert sqs.meta.endpoint_url == "http://127.0.0.1:1"
    assert sqs.meta.config.read_timeout <= 15, "far below the timeout of a function"
    client.cache_clear()


def test_creating_a_client_leaves_the_garbage_collector_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    client.cache_clear()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client("sqs")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000, "the garbage collector ignores the objects of a client"
    gc.unfreeze()
    client.cache_clear()
