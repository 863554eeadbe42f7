"""`status` reports whether the cloud runs and whether the environment is deployed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from click.testing import CliRunner
from moto import mock_aws

from eventloom import clouds, health, status
from eventloom.cli import main
from eventloom.deployment.outputs import NothingDeployed
from eventloom.emulator import Emulator

RUNNING = {
    "state": "running",
    "port": 4999,
    "log": "server.log",
    "pid": 7,
    "uptime_s": 125,
    "version": "4.14.0",
    "iam_enforced": True,
    "denials": [],
}
DENIAL = {
    "who": "role a",
    "action": "s3:GetObject",
    "resource": "arn:b",
    "policy": "identity",
    "reason": "no Allow",
    "count": 2,
    "last": "T",
}
OUTPUTS = {"prefix": "eventloom-local", "functions": {"b": {}, "a": {}}, "api_id": "x", "api_stage": "v1"}


@pytest.fixture(autouse=True)
def same_cloud_afterwards() -> Iterator[None]:
    clouds.choose(None)
    yield
    clouds.choose(None)


def emulator(folder: Path, facts: dict[str, Any]) -> Emulator:
    """Return an emulator whose `status --json` prints these facts."""
    python = folder / "python"
    (folder / "facts").write_text(json.dumps(facts))
    python.write_text(f'#!/bin/sh\ncat "{folder}/facts"\n')
    python.chmod(0o755)
    return Emulator(4999, folder, python)


class Sqs:
    """Queues by name, each with its numbers of messages: waiting, delayed, in flight."""

    def __init__(self, queues: dict[str, tuple[int, int, int]]) -> None:
        self.queues = queues

    def get_paginator(self, _name: str) -> "Sqs":
        return self

    def paginate(self, QueueNamePrefix: str) -> Iterator[dict[str, Any]]:
        for name in self.queues:
            yield {"QueueUrls": [f"http://sqs/1/{name}"]} if name.startswith(QueueNamePrefix) else {}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        waiting, delayed, in_flight = self.queues[QueueUrl.rsplit("/", 1)[1]]
        counts = {"": waiting, "Delayed": delayed, "NotVisible": in_flight}
        return {"Attributes": {f"ApproximateNumberOfMessages{name}": str(count) for name, count in counts.items()}}


class CloudWatch:
    """Alarms by name, each with its state; like LocalStack, it returns alarms in every state."""

    def __init__(self, states: dict[str, str]) -> None:
        self.states = states

    def get_paginator(self, _name: str) -> "CloudWatch":
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        yield {"MetricAlarms": [{"AlarmName": name, "StateValue": state} for name, state in self.states.items()]}


class Sts:
    """An account, or an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def get_caller_identity(self) -> dict[str, str]:
        if self.error:
            raise self.error
        return {"Account": "000000000000"}


def clients(**changed: Any) -> Callable[[str], Any]:
    services = {
        "sts": Sts(),
        "sqs": Sqs(
            {
                "eventloom-local-uploads": (3, 1, 2),
                "eventloom-local-uploads-dlq": (4, 0, 1),
                "eventloom-local-a-failures": (0, 0, 0),
            }
        ),
        "cloudwatch": CloudWatch({"eventloom-local-a-errors": "ALARM", "eventloom-local-b-errors": "OK"}),
    } | changed
    return services.__getitem__


def outputs(_environment: str) -> dict[str, Any]:
    return OUTPUTS


def test_an_environment_is_reported_with_its_waiting_and_failed_messages(tmp_path: Path) -> None:
    facts = status.read("local", emulator(tmp_path, RUNNING | {"denials": [DENIAL]}), clients(), outputs)
    assert facts["deployed"] is True
    assert facts["account"] == "000000000000"
    assert facts["functions"] == ["a", "b"]
    assert facts["queues"] == [{"name": "eventloom-local-uploads", "waiting": 4, "in_flight": 2}]
    assert facts["failures"] == [{"name": "eventloom-local-uploads-dlq", "waiting": 4, "in_flight": 1}]
    assert facts["alarms"] == ["eventloom-local-a-errors"]
    text = status.text(facts)
    assert "LocalStack 4.14.0, process 7, for 2 min 5 s" in text
    assert "eventloom-local-uploads: 4 waiting, 2 in flight" in text
    assert "eventloom-local-uploads-dlq: 5; " in text
    assert "IAM refused 2 calls" in text
    assert "may not s3:GetObject on arn:b" in text


def test_a_calm_environment_says_so(tmp_path: Path) -> None:
    calm = clients(
        sqs=Sqs({"eventloom-local-uploads": (0, 0, 0)}), cloudwatch=CloudWatch({"eventloom-local-a-errors": "OK"})
    )
    text = status.text(status.read("local", emulator(tmp_path, RUNNING), calm, outputs))
    assert "failures     none\nalarms       none\ndenials      IAM refused no call" in text


def test_without_iam_no_calm_is_claimed(tmp_path: Path) -> None:
    text = status.text(status.read("local", emulator(tmp_path, RUNNING | {"iam_enforced": False}), clients(), outputs))
    assert "IAM IS NOT ENFORCED" in text
    assert "IAM refused no call" not in text


def test_nothing_deployed_is_reported_with_the_account(tmp_path: Path) -> None:
    def nothing(_environment: str) -> dict[str, Any]:
        raise NothingDeployed("nothing is deployed; ./eventloom demo deploys it")

    facts = status.read("local", emulator(tmp_path, RUNNING), clients(), nothing)
    assert facts["deployed"] is False
    assert "account      000000000000" in status.text(facts)
    assert "deployed     nothing is deployed; ./eventloom demo deploys it" in status.text(facts)


def test_a_cloud_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    clouds.choose("compose")
    error = EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/")
    facts = status.read("local", emulator(tmp_path, RUNNING), clients(sts=Sts(error)), outputs)
    assert facts["deployed"] is False
    assert "start it with docker compose up -d" in status.text(facts)
    assert "emulator" not in facts


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"state": "stopped"}, "is not running; EMBEDDED_PORT=4999 ./eventloom up starts it"),
        (
            {"state": "stopped", "kept": True},
            "is not running; EMBEDDED_PORT=4999 ./eventloom up brings back what was deployed",
        ),
        (
            {"state": "stale"},
            "ended without being stopped; see server.log, or start it again: EMBEDDED_PORT=4999 ./eventloom up",
        ),
        ({"state": "unhealthy"}, "runs but does not answer; see server.log"),
        (
            {"state": "foreign", "owner": "process 1 (nginx)"},
            "port 4999 is in use by process 1 (nginx); stop it, or choose another port",
        ),
    ],
    ids=lambda value: value["state"] if isinstance(value, dict) else "",
)
def test_a_stopped_emulator_is_one_sentence_and_code_3(
    tmp_path: Path, facts: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(clouds.CLOUDS, "embedded", replace(clouds.CLOUDS["embedded"], port=4999))
    monkeypatch.delenv("EMBEDDED_PORT", raising=False)
    fake = emulator(tmp_path, {"port": 4999, "log": "server.log", "denials": []} | facts)
    result = CliRunner().invoke(main, ["status"], obj=fake)
    assert result.exit_code == 3
    assert sentence in result.stdout
    assert len(result.stdout.splitlines()) == 2
    as_json = CliRunner().invoke(main, ["status", "--json"], obj=fake)
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout)["deployed"] is False


def test_alarms_and_queues_of_other_environments_do_not_count() -> None:
    with mock_aws():
        sqs, cloudwatch = (
            boto3.client("sqs", region_name="us-east-1"),
            boto3.client("cloudwatch", region_name="us-east-1"),
        )
        for prefix in ("eventloom-dev", "eventloom-develop"):
            sqs.send_message(QueueUrl=sqs.create_queue(QueueName=f"{prefix}-uploads-dlq")["QueueUrl"], MessageBody="x")
            alarm = {
                "MetricName": "m",
                "Namespace": "n",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1.0,
                "Statistic": "Sum",
            }
            cloudwatch.put_metric_alarm(
                AlarmName=f"{prefix}-errors", ComparisonOperator="GreaterThanThreshold", **alarm
            )
            cloudwatch.set_alarm_state(AlarmName=f"{prefix}-errors", StateValue="ALARM", StateReason="a test")
        result = health.read({"sqs": sqs, "cloudwatch": cloudwatch}.__getitem__, "eventloom-dev")
    assert [queue.name for queue in result.failures] == ["eventloom-dev-uploads-dlq"]
    assert result.alarms == ["eventloom-dev-errors"]
