"""redrive and replay report the results of the messages that they sent."""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from eventloom.operations.effects import Effects
from eventloom.operations.messages import notification
from shared.identity import image_id
from tests.unit.eventloom.operations.failing_cloud import ON_FAILURE, FailingCloud
from tests.unit.eventloom.operations.support import json_lines

LATER = "2999-01-01T00:00:00.000Z"
RAW = {"eventName": "ObjectCreated:Put", "eventTime": "2026-01-01T00:00:00.000Z"}


def put_item(cloud: FailingCloud, key: str, status: str, processed_at: str) -> None:
    item = {"image_id": image_id("uploads", key), "status": status, "processed_at": processed_at}
    cloud.items.append({name: {"S": value} for name, value in item.items()})


def drain(cloud: FailingCloud) -> None:
    """Empty the queue of the uploads, as its consumer does."""
    cloud.sqs.purge_queue(QueueUrl=cloud.url)


def test_statuses_come_from_the_catalog_when_the_queue_is_empty(cloud: FailingCloud) -> None:
    effects = Effects(cloud.target)
    effects.sent("", cloud.url, [notification("uploads", f"{name}.jpg") for name in ("new", "bad", "old", "none")])
    put_item(cloud, "new.jpg", "READY", LATER)
    put_item(cloud, "bad.jpg", "REJECTED", LATER)
    put_item(cloud, "old.jpg", "READY", "2020-01-01T00:00:00.000Z")
    assert effects.wait() == {"ready": 1, "rejected": 1, "unchanged": 1, "no_result": 1}


def test_messages_that_wait_are_counted(cloud: FailingCloud) -> None:
    effects = Effects(cloud.target)
    bodies = [notification("uploads", f"{number}.jpg") for number in range(3)]
    cloud.send(cloud.url, *bodies)
    effects.sent("", cloud.url, bodies)
    put_item(cloud, "0.jpg", "READY", LATER)
    assert effects.wait() == {"ready": 1, "waiting": 3}
    drain(cloud)
    assert effects.wait() == {"ready": 1, "no_result": 2}


def test_messages_that_come_back_are_counted(cloud: FailingCloud) -> None:
    effects = Effects(cloud.target)
    effects.sent("", cloud.url, ["not { json"])
    counts = cloud.sqs.get_queue_attributes

    def attributes(QueueUrl: str, **request: Any) -> Any:
        """Let the message come back after the first look."""
        answer = counts(QueueUrl=QueueUrl, **request)
        if QueueUrl == cloud.dlq_url:
            cloud.send(cloud.dlq_url, "not { json")
        return answer

    cloud.override_sqs(get_queue_attributes=attributes)
    assert effects.wait() == {"failed_again": 1}


def test_the_converters_results_come_from_its_manifests(cloud: FailingCloud) -> None:
    cloud.s3.create_bucket(Bucket="analytics")
    effects = Effects(cloud.target)
    for key in ("raw/orders/a.csv", "raw/orders/b.csv"):
        record = RAW | {"s3": {"bucket": {"name": "raw"}, "object": {"key": key}}}
        effects.sent("converter", "", [json.dumps({"Records": [record]})])
    manifest = f"_manifests/orders/{image_id('raw', 'raw/orders/a.csv')}.json"
    cloud.s3.put_object(Bucket="analytics", Key=manifest, Body=json.dumps({"status": "CONVERTED"}).encode())
    assert effects.wait() == {"converted": 1, "no_result": 1}


def test_nothing_sent_has_no_effect(cloud: FailingCloud) -> None:
    assert Effects(cloud.target).wait() == {}


def test_a_redrive_reports_its_effect(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, notification("uploads", "a.jpg"))
    cloud.send(cloud.failures_url, ON_FAILURE)
    result = cloud.run("dlq", "redrive", "--all")
    assert result.stdout == "2 redriven; effect so far: 1 waiting\n"


def test_a_replay_reports_its_effect(cloud: FailingCloud, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(notification("uploads", "a.jpg") + "\n")
    put_item(cloud, "a.jpg", "READY", LATER)
    result = cloud.run("replay", "--file", str(tmp_path / "events.jsonl"), "--json")
    assert json_lines(result)[0]["effect"] == {"ready": 1, "waiting": 1}


def test_a_command_waits_as_long_as_its_patience(cloud: FailingCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.sqs = boto3.client("sqs", region_name="us-east-1")
    effects = Effects(cloud.target)
    cloud.send(cloud.url, "a")
    effects.sent("", cloud.url, ["a"])
    looks: list[float] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: (looks.append(seconds), drain(cloud)))
    object.__setattr__(cloud.target, "patience_s", 10)
    assert effects.wait() == {}
    assert looks == [0]
