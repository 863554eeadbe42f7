"""Queues of failures: what is in them, and that nothing is lost on the way out."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from eventloom import terminal
from eventloom.operations import dlq, failure_queues
from eventloom.operations.failure_queues import FailureQueue
from eventloom.operations.messages import notification
from eventloom.operations.redrive import DiscardRecord

FUNCTIONS = {"converter": {"function_name": "p-converter", "alias_arn": "arn:converter:live", "log_group": "/aws/lambda/p-converter"}}
ON_FAILURE = {
    "version": "1.0",
    "requestContext": {"functionArn": "arn", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
    "requestPayload": {"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "a.csv"}}}]},
    "responsePayload": {"errorType": "ValueError", "errorMessage": "no such column"},
}


class Cloud:
    """moto's queues, and a Lambda that remembers what it was called with."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.invoked: list[dict[str, Any]] = []
        self.dlq_url = self.sqs.create_queue(QueueName="p-uploads-dlq")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dlq_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
        self.url = self.sqs.create_queue(QueueName="p-uploads", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        self.failures_url = self.sqs.create_queue(QueueName="p-converter-failures")["QueueUrl"]
        self.lambda_ = SimpleNamespace(invoke=self._invoke, list_event_source_mappings=lambda **_: {"EventSourceMappings": []})

    def _invoke(self, **request: Any) -> dict[str, Any]:
        self.invoked.append(request)
        return {"StatusCode": 202}

    def client(self, service: str) -> Any:
        return {"sqs": self.sqs, "s3": self.s3, "lambda": self.lambda_}[service]

    def send(self, url: str, *bodies: Any) -> list[str]:
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        return [self.sqs.send_message(QueueUrl=url, MessageBody=text)["MessageId"] for text in texts]

    def bodies(self, url: str) -> list[str]:
        return [found.body for found in failure_queues.receive(self.sqs, FailureQueue("q", url))]

    def count(self, url: str) -> int:
        return failure_queues.depth(self.sqs, FailureQueue("q", url))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    with mock_aws():
        made = Cloud()
        monkeypatch.setattr(dlq, "client", made.client)
        monkeypatch.setattr(dlq, "BUILD", tmp_path)
        monkeypatch.setattr(terminal, "environment", lambda _: {"prefix": "p", "functions": FUNCTIONS})
        yield made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dlq.py", "--env", "local", "--json", *arguments])
    time.sleep(0.01)
    return dlq.main()


def test_every_message_is_listed_with_its_queue_object_and_cause(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.send(cloud.dlq_url, notification("photos", "a b.jpg"), "not { json")
    cloud.send(cloud.failures_url, ON_FAILURE)
    assert run(monkeypatch, "list", "--no-logs") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(one["queue"], one["object"], one["cause"]) for one in found} == {
        ("p-uploads-dlq", "photos/a+b.jpg", ""),
        ("p-uploads-dlq", "not { json", ""),
        ("p-converter-failures", "raw/a.csv", "ValueError: no such column"),
    }
    assert len(cloud.bodies(cloud.dlq_url)) == 2, "listing hides nothing"


def test_selected_messages_go_back_and_the_others_stay(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, _, _ = cloud.send(cloud.dlq_url, "one", "two", "three")
    assert run(monkeypatch, "redrive", chosen[:8]) == 0
    assert cloud.bodies(cloud.url) == ["one"]
    assert sorted(cloud.bodies(cloud.dlq_url)) == ["three", "two"]


def test_redriving_all_moves_every_message_and_a_second_time_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.send(cloud.dlq_url, *(f"m{number}" for number in range(25)))
    cloud.send(cloud.failures_url, ON_FAILURE)
    assert run(monkeypatch, "redrive", "--all", "--rate", "1000") == 0
    assert json.loads(capsys.readouterr().out) == {"redriven": 26, "not_found": 0, "dry_run": False}
    assert sorted(cloud.bodies(cloud.url)) == sorted(f"m{number}" for number in range(25))
    assert [(call["FunctionName"], json.loads(call["Payload"])) for call in cloud.invoked] == [
        ("arn:converter:live", ON_FAILURE["requestPayload"])
    ]
    assert run(monkeypatch, "redrive", "--all") == 0
    assert json.loads(capsys.readouterr().out) == {"not_found": 0, "dry_run": False}


def test_a_message_that_could_not_be_handed_over_stays(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send(cloud.failures_url, "no event", ON_FAILURE)
    assert run(monkeypatch, "redrive", "--all") == 1
    assert cloud.bodies(cloud.failures_url) == ["no event"]


def test_nothing_is_deleted_when_sending_fails(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send(cloud.dlq_url, "one")

    def broken(*_: Any, **__: Any) -> None:
        raise ConnectionError("network is gone")

    monkeypatch.setattr("eventloom.operations.redrive.send_batch", broken)
    with pytest.raises(ConnectionError):
        run(monkeypatch, "redrive", "--all")
    assert cloud.count(cloud.dlq_url) == 1


def test_a_dry_run_changes_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    assert run(monkeypatch, "redrive", "--all", "--dry-run") == 0
    assert run(monkeypatch, "discard", "--all", "--reason", "r", "--dry-run") == 0
    assert sorted(cloud.bodies(cloud.dlq_url)) == ["one", "two"]
    assert cloud.count(cloud.url) == 0


def test_what_is_discarded_is_kept_first(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cloud.s3.create_bucket(Bucket="records")
    (message_id,) = cloud.send(cloud.dlq_url, "사진")
    assert run(monkeypatch, "discard", "--all", "--reason", "test data", "--record-bucket", "records") == 0
    (line,) = (tmp_path / "operations").glob("discarded-*.jsonl").__next__().read_text().splitlines()
    kept = json.loads(line)
    assert (kept["message_id"], kept["body"], kept["reason"]) == (message_id, "사진", "test data")
    stored = cloud.s3.get_object(Bucket="records", Key=f"discarded/p-uploads-dlq/{message_id}.json")["Body"].read()
    assert json.loads(stored) == kept
    assert cloud.count(cloud.dlq_url) == 0


def test_what_cannot_be_kept_is_not_discarded(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send(cloud.dlq_url, "one")
    with pytest.raises(cloud.s3.exceptions.NoSuchBucket):
        run(monkeypatch, "discard", "--all", "--reason", "r", "--record-bucket", "no-such-bucket")
    assert cloud.count(cloud.dlq_url) == 1


@pytest.mark.parametrize(
    "line",
    [
        "--json --queue uploads",
        "--json --queue uploads list",
        "--json list --queue uploads",
        "list --queue uploads --json",
        "--queue none list --queue uploads --json",
    ],
)
def test_what_all_take_stands_before_a_command_or_behind_it(
    line: str, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.send(cloud.dlq_url, "one")
    cloud.send(cloud.failures_url, "two")
    monkeypatch.setattr(sys, "argv", ["dlq.py", "--env", "local", *line.split()])
    assert dlq.main() == 0
    assert [json.loads(found)["queue"] for found in capsys.readouterr().out.splitlines()] == ["p-uploads-dlq"]


def test_one_message_is_shown_whole_in_one_line_for_programs(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (message_id,) = cloud.send(cloud.failures_url, ON_FAILURE)
    assert run(monkeypatch, "inspect", message_id) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["body"] == ON_FAILURE


def test_nothing_or_everything_has_to_be_said(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (["redrive"], ["redrive", "id", "--all"], ["discard", "--all"], ["redrive", "--all", "--rate", "0"]):
        with pytest.raises(SystemExit) as ended:
            run(monkeypatch, *wrong)
        assert ended.value.code == 2


def test_records_of_discards_accumulate(cloud: Cloud, tmp_path: Path) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    record = DiscardRecord(tmp_path / "d.jsonl")
    for failure in failure_queues.receive(cloud.sqs, FailureQueue("q", cloud.dlq_url)):
        record.keep(failure, "r", "now")
    assert len((tmp_path / "d.jsonl").read_text().splitlines()) == 2


def test_what_is_looked_at_hides_no_other_message(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = cloud.send(cloud.dlq_url, *"abcdefgh")
    assert run(monkeypatch, "inspect", ids[3]) == 0
    assert sorted(cloud.bodies(cloud.dlq_url)) == list("abcdefgh")


def test_an_interruption_hides_no_message(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send(cloud.dlq_url, *"abcdefgh")

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("eventloom.operations.redrive.send_batch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, "redrive", "--all")
    assert sorted(cloud.bodies(cloud.dlq_url)) == list("abcdefgh")


def test_messages_that_a_killed_run_hides_are_told(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    cloud.sqs.receive_message(QueueUrl=cloud.dlq_url, VisibilityTimeout=300)
    assert run(monkeypatch, "list", "--no-logs") == 0
    assert "about 1 more" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["", "a", "1234567", "*", "%"])
def test_an_id_that_would_mean_other_messages_too_is_refused(wrong: str, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send(cloud.dlq_url, *(f"m{number}" for number in range(40)))
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "discard", wrong, "--reason", "r")
    assert ended.value.code == 2
    assert cloud.count(cloud.dlq_url) == 40


def test_the_list_for_people_has_all_of_object_and_cause(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "averylongfolder" * 10 + "/a.jpg"
    cause = {"errorType": "ValueError", "errorMessage": "no [/column] \x1b[2J here"}
    cloud.send(cloud.dlq_url, notification("photos", key))
    cloud.send(cloud.failures_url, ON_FAILURE | {"responsePayload": cause})
    monkeypatch.setattr(sys, "argv", ["dlq.py", "--env", "local", "list", "--no-logs"])
    assert dlq.main() == 0
    said = capsys.readouterr().out
    assert f"photos/{key}\n" in said
    assert "p-uploads-dlq\n" in said
    assert "ValueError: no [/column] \\x1b[2J here\n" in said


def test_a_list_that_is_cut_short_says_so(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.send(cloud.dlq_url, "one", "two", "three")
    assert run(monkeypatch, "list", "--no-logs", "--limit", "2") == 0
    assert "p-uploads-dlq: no more than 2 are shown" in capsys.readouterr().err


def test_the_log_is_that_of_the_function_itself_not_of_one_whose_name_begins_so(cloud: Cloud) -> None:
    functions = {name: {"function_name": f"p-{name}", "log_group": f"/aws/lambda/p-{name}"} for name in ("thumb", "thumbnailer")}
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:p-thumbnailer:live"
    cloud.lambda_.list_event_source_mappings = lambda **_: {"EventSourceMappings": [{"FunctionArn": arn}]}
    assert dlq.consumer_log(FailureQueue("p-uploads-dlq", cloud.dlq_url), functions) == "/aws/lambda/p-thumbnailer"


def test_a_record_is_on_disk_before_its_message_is_deleted(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order: list[str] = []
    monkeypatch.setattr("eventloom.operations.redrive.os.fsync", lambda _: order.append("on disk"))
    monkeypatch.setattr(failure_queues, "delete", lambda *_: order.append("deleted"))
    cloud.send(cloud.dlq_url, "one")
    assert run(monkeypatch, "discard", "--all", "--reason", "r") == 0
    assert order == ["on disk", "deleted"]
