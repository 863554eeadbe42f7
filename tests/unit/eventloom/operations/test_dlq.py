"""dlq lists messages, and never loses, hides or deletes a message by accident."""

import json
import os
import threading
from typing import Any

import pytest

from eventloom.operations import failure_causes, failure_queues
from eventloom.operations.discards import DiscardRecord
from eventloom.operations.failures import FailureQueue
from eventloom.operations.messages import notification
from tests.unit.eventloom.operations.failing_cloud import ON_FAILURE, FailingCloud
from tests.unit.eventloom.operations.support import fail_with, json_lines, run


def test_list_prints_queue_object_and_cause_of_every_message(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, notification("photos", "a b.jpg"), "not { json")
    cloud.send(cloud.failures_url, ON_FAILURE)
    result = cloud.run("dlq", "list", "--no-logs", "--json")
    assert result.exit_code == 0
    assert {(line["queue"], line["object"], line["cause"]) for line in json_lines(result)} == {
        ("p-uploads-dlq", "photos/a+b.jpg", ""),
        ("p-uploads-dlq", "not { json", ""),
        ("p-converter-failures", "raw/a.csv", "ValueError: no such column"),
    }
    assert len(cloud.bodies(cloud.dlq_url)) == 2, "listing hides nothing"


def test_queues_are_read_side_by_side(cloud: FailingCloud) -> None:
    """The barrier opens only if all queues are asked at the same time."""
    queues = [
        FailureQueue(f"p-{number}-dlq", cloud.sqs.create_queue(QueueName=f"p-{number}-dlq")["QueueUrl"])
        for number in range(6)
    ]
    for queue in queues:
        cloud.send(queue.url, "a message")
    together, first_calls, sqs = threading.Barrier(6, timeout=20), set[str](), cloud.sqs

    def receive(**request: Any) -> Any:
        if request["QueueUrl"] not in first_calls:
            first_calls.add(request["QueueUrl"])
            together.wait()
        return sqs.receive_message(**request)

    cloud.override_sqs(receive_message=receive)
    assert [len(failures) for failures in failure_queues.read_all(cloud.sqs, queues, 0, 10)] == [1] * 6


def test_an_empty_queue_is_not_waited_for(cloud: FailingCloud) -> None:
    waits: list[int] = []
    sqs = cloud.sqs

    def receive(**request: Any) -> Any:
        waits.append(request["WaitTimeSeconds"])
        return sqs.receive_message(**request)

    cloud.override_sqs(receive_message=receive)
    assert cloud.run("dlq", "list").exit_code == 0
    assert set(waits) == {0}


def test_a_message_that_the_count_misses_is_listed(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "a message")
    zero = {"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}}
    cloud.override_sqs(get_queue_attributes=lambda **_: zero)
    assert len(json_lines(cloud.run("dlq", "list", "--no-logs", "--json"))) == 1


def test_selected_messages_go_back_and_the_others_stay(cloud: FailingCloud) -> None:
    chosen, _, _ = cloud.send(cloud.dlq_url, "one", "two", "three")
    assert cloud.run("dlq", "redrive", chosen[:8]).exit_code == 0
    assert cloud.bodies(cloud.url) == ["one"]
    assert sorted(cloud.bodies(cloud.dlq_url)) == ["three", "two"]


def test_redrive_all_moves_every_message_once(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, *(f"m{number}" for number in range(25)))
    cloud.send(cloud.failures_url, ON_FAILURE)
    result = cloud.run("dlq", "redrive", "--all", "--rate", "1000", "--json")
    effect = {"waiting": 25}
    redriven = {"redriven": 26, "not_found": 0, "dry_run": False, "effect": effect}
    assert (result.exit_code, json_lines(result)) == (0, [redriven])
    assert sorted(cloud.bodies(cloud.url)) == sorted(f"m{number}" for number in range(25))
    assert [(call["FunctionName"], json.loads(call["Payload"])) for call in cloud.invocations] == [
        ("arn:converter:live", ON_FAILURE["requestPayload"])
    ]
    result = cloud.run("dlq", "redrive", "--all", "--json")
    assert (result.exit_code, json_lines(result)) == (0, [{"not_found": 0, "dry_run": False, "effect": {}}])


def test_a_message_that_cannot_be_handed_over_stays(cloud: FailingCloud) -> None:
    cloud.send(cloud.failures_url, "no event", ON_FAILURE)
    result = cloud.run("dlq", "redrive", "--all", "--json")
    facts = {"redriven": 1, "left": 1, "not_found": 0, "dry_run": False, "effect": {}}
    assert (result.exit_code, json_lines(result)) == (1, [facts])
    assert "no event stays in p-converter-failures: it holds no event" in result.stderr
    assert cloud.bodies(cloud.failures_url) == ["no event"]


def test_nothing_is_deleted_when_sending_fails(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one")
    cloud.override_sqs(send_message_batch=fail_with(ConnectionError("network is gone")))
    result = cloud.run("dlq", "redrive", "--all")
    assert (result.exit_code, result.stderr) == (1, "Error: network is gone\n")
    assert cloud.bodies(cloud.dlq_url) == ["one"], "visible again"


def test_an_interruption_hides_no_message(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, *"abcdefgh")
    cloud.override_sqs(send_message_batch=fail_with(KeyboardInterrupt()))
    result = cloud.run("dlq", "redrive", "--all")
    assert result.exit_code == 130
    assert "the same command continues" in result.stderr
    assert sorted(cloud.bodies(cloud.dlq_url)) == list("abcdefgh")


def test_an_interrupted_list_hides_no_message(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, *"abcdefgh")
    answers, sqs = [0], cloud.sqs

    def receive(**request: Any) -> Any:
        answers[0] += 1
        if answers[0] > 1:
            raise KeyboardInterrupt
        return sqs.receive_message(**request)

    queue = FailureQueue("p-uploads-dlq", cloud.dlq_url)
    cloud.override_sqs(receive_message=receive)
    with pytest.raises(KeyboardInterrupt):
        failure_queues.read_all(cloud.sqs, [queue], 0, 100)
    cloud.sqs = sqs
    assert sorted(cloud.bodies(cloud.dlq_url)) == list("abcdefgh")


def test_a_dry_run_changes_nothing(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    redrive = cloud.run("dlq", "redrive", "--all", "--dry-run", "--json")
    assert json_lines(redrive) == [{"would redrive": 2, "not_found": 0, "dry_run": True}]
    assert "one would be sent to queue p-uploads" in redrive.stderr
    discard = cloud.run("dlq", "discard", "--all", "--reason", "r", "--dry-run")
    assert (discard.exit_code, discard.stdout) == (0, "2 would discard\n")
    assert sorted(cloud.bodies(cloud.dlq_url)) == ["one", "two"]
    assert cloud.count(cloud.url) == 0
    assert not cloud.target.folder.exists()


def test_a_discarded_message_is_recorded_first(cloud: FailingCloud) -> None:
    cloud.s3.create_bucket(Bucket="records")
    (message_id,) = cloud.send(cloud.dlq_url, "사진")
    options = ("--reason", "test data", "--record-bucket", "records", "--yes")
    assert cloud.run("dlq", "discard", "--all", *options).exit_code == 0
    (line,) = (cloud.target.folder / "discarded-embedded-local.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["message_id"], record["body"], record["reason"]) == (message_id, "사진", "test data")
    copy = cloud.s3.get_object(Bucket="records", Key=f"discarded/p-uploads-dlq/{message_id}.json")["Body"].read()
    assert json.loads(copy) == record
    assert cloud.count(cloud.dlq_url) == 0


def test_a_message_that_cannot_be_recorded_is_not_discarded(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one")
    result = cloud.run("dlq", "discard", "--all", "--reason", "r", "--record-bucket", "no-such-bucket", "--yes")
    assert result.exit_code == 1
    assert "NoSuchBucket" in result.stderr
    assert cloud.count(cloud.dlq_url) == 1


def test_a_record_is_on_disk_before_its_message_is_deleted(
    cloud: FailingCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: order.append("on disk"))
    cloud.override_sqs(delete_message_batch=lambda **_: order.append("deleted") or {})
    cloud.send(cloud.dlq_url, "one")
    assert cloud.run("dlq", "discard", "--all", "--reason", "r", "--yes").exit_code == 0
    assert order == ["on disk", "deleted"]


@pytest.mark.parametrize(("answer", "exit_code", "remaining"), [("y\n", 0, 0), ("n\n", 1, 2), ("\n", 1, 2)])
def test_discard_all_asks_a_person(answer: str, exit_code: int, remaining: int, cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    result = cloud.run("dlq", "discard", "--all", "--reason", "r", "--json", answer=answer, can_ask=True)
    assert result.exit_code == exit_code
    assert "Discard about 2 message(s) of 'local'? [y/N]" in result.stderr
    assert cloud.count(cloud.dlq_url) == remaining


def test_discard_all_without_a_person_needs_yes(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    result = cloud.run("dlq", "discard", "--all", "--reason", "r", answer="y\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing was changed; add --yes" in result.stderr
    assert cloud.count(cloud.dlq_url) == 2


def test_discard_of_named_messages_asks_no_question(cloud: FailingCloud) -> None:
    (message_id,) = cloud.send(cloud.dlq_url, "one")
    assert cloud.run("dlq", "discard", message_id, "--reason", "r").exit_code == 0
    assert cloud.count(cloud.dlq_url) == 0


@pytest.mark.parametrize(
    "line",
    [
        "--json --queue uploads",
        "--json --queue=uploads list",
        "--env local --json list --queue uploads",
        "list --queue uploads --json",
        "--queue none list --queue uploads --json",
    ],
)
def test_options_come_before_or_after_the_subcommand_and_plain_dlq_lists(line: str, cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one")
    cloud.send(cloud.failures_url, "two")
    assert [item["queue"] for item in json_lines(cloud.run("dlq", *line.split()))] == ["p-uploads-dlq"]


def test_help_before_the_subcommand_is_that_of_the_group() -> None:
    result = run(None, "dlq", "--json", "--help")
    assert result.exit_code == 0
    for name in ("list", "inspect", "redrive", "discard"):
        assert f"\n  {name} " in result.stdout


def test_an_unknown_subcommand_is_a_usage_error(cloud: FailingCloud) -> None:
    result = cloud.run("dlq", "lst")
    assert result.exit_code == 2
    assert "No such command 'lst'" in result.stderr


def test_a_queue_that_does_not_exist_names_those_that_do(cloud: FailingCloud) -> None:
    result = cloud.run("dlq", "list", "--queue", "nothing")
    assert result.exit_code == 1
    assert (
        "no queue of failures has 'nothing' in its name; there are: p-converter-failures, p-uploads-dlq"
        in result.stderr
    )


def test_inspect_prints_all_of_a_message(cloud: FailingCloud) -> None:
    (message_id,) = cloud.send(cloud.failures_url, ON_FAILURE)
    (facts,) = json_lines(cloud.run("dlq", "inspect", message_id, "--json"))
    assert facts["body"] == ON_FAILURE
    assert json.loads(cloud.run("dlq", "inspect", message_id[:8]).stdout) == facts | {"receives": facts["receives"] + 1}


def test_inspect_of_a_missing_message_is_an_error(cloud: FailingCloud) -> None:
    result = cloud.run("dlq", "inspect", "01234567")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no message 01234567 is in p-converter-failures, p-uploads-dlq" in result.stderr


def test_inspect_hides_no_message(cloud: FailingCloud) -> None:
    ids = cloud.send(cloud.dlq_url, *"abcdefgh")
    assert cloud.run("dlq", "inspect", ids[3]).exit_code == 0
    assert sorted(cloud.bodies(cloud.dlq_url)) == list("abcdefgh")


def test_a_named_message_that_is_gone_is_counted_and_named(cloud: FailingCloud) -> None:
    (message_id,) = cloud.send(cloud.dlq_url, "one")
    result = cloud.run("dlq", "redrive", message_id, "01234567", "--json")
    (facts,) = json_lines(result)
    assert (result.exit_code, facts["redriven"], facts["not_found"]) == (0, 1, 1)
    assert "no queue has 01234567 now" in result.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["redrive"],
        ["redrive", "01234567", "--all"],
        ["discard", "--all"],
        ["redrive", "--all", "--rate", "0"],
        ["list", "--limit", "0"],
        ["list", "--limit", "10001"],
    ],
    ids=" ".join,
)
def test_a_selection_that_is_not_clear_is_a_usage_error(wrong: list[str], cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one")
    assert cloud.run("dlq", *wrong).exit_code == 2
    assert cloud.count(cloud.dlq_url) == 1


@pytest.mark.parametrize("wrong", ["", "a", "1234567", "*", "%"])
def test_an_id_that_could_mean_other_messages_is_refused(wrong: str, cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, *(f"m{number}" for number in range(40)))
    assert cloud.run("dlq", "discard", wrong, "--reason", "r").exit_code == 2
    assert cloud.count(cloud.dlq_url) == 40


def test_records_of_discards_accumulate(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    path = cloud.target.folder / "d.jsonl"
    ((one, two),) = failure_queues.receive(cloud.sqs, FailureQueue("q", cloud.dlq_url), 0)
    DiscardRecord(path).add([one], "r", "now")
    DiscardRecord(path).add([two], "r", "now")
    assert len(path.read_text().splitlines()) == 2


def test_messages_that_another_command_hides_are_reported(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one", "two")
    cloud.sqs.receive_message(QueueUrl=cloud.dlq_url, VisibilityTimeout=300)
    result = cloud.run("dlq", "list", "--no-logs", "--json")
    assert "about 1 more are hidden" in result.stderr
    assert len(json_lines(result)) == 1


def test_the_list_for_people_has_all_of_object_and_cause(cloud: FailingCloud) -> None:
    key = "averylongfolder" * 10 + "/a.jpg"
    cause = {"errorType": "ValueError", "errorMessage": "no [/column] \x1b[2J here"}
    cloud.send(cloud.dlq_url, notification("photos", key))
    cloud.send(cloud.failures_url, ON_FAILURE | {"responsePayload": cause})
    text = cloud.run("dlq", "list", "--no-logs").stdout
    assert f"photos/{key}\n" in text
    assert "p-uploads-dlq\n" in text
    assert "ValueError: no [/column] \\x1b[2J here\n" in text
    assert text.endswith("2 message(s) in 2 queue(s) of failures\n")


def test_a_list_that_is_cut_short_says_so(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one", "two", "three")
    result = cloud.run("dlq", "list", "--no-logs", "--limit", "2", "--json")
    assert "p-uploads-dlq: only 2 are shown, and it has about 1 more" in result.stderr
    assert len(json_lines(result)) == 2
    text = cloud.run("dlq", "list", "--no-logs", "--limit", "2").stdout
    assert text.endswith("2 message(s) in 2 queue(s) of failures, and about 1 more\n")


def test_the_log_is_that_of_the_function_not_of_another_that_begins_with_its_name(cloud: FailingCloud) -> None:
    functions = {
        name: {"function_name": f"p-{name}", "log_group": f"/aws/lambda/p-{name}"} for name in ("thumb", "thumbnailer")
    }
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:p-thumbnailer:live"
    cloud.lambda_.list_event_source_mappings = lambda **_: {"EventSourceMappings": [{"FunctionArn": arn}]}
    queue = FailureQueue("p-uploads-dlq", cloud.dlq_url)
    assert failure_causes.consumer_log_group(cloud.client, queue, functions) == "/aws/lambda/p-thumbnailer"
