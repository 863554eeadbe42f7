"""The commands dlq, backfill, audit and replay work on the deployed environment."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventloom.clouds import ROOT, client
from eventloom.operations.message_attributes import from_json
from shared.identity import image_id
from tests.integration.checkouts import run_command
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment, depth, eventually, listening, unique
from tests.integration.test_activity import counters
from tests.integration.test_recoverer import remember


def tool(name: str, *arguments: str, expect: int = 0) -> list[dict[str, Any]]:
    """Run `./eventloom NAME` with --json and return its JSON lines. Fails if the exit code is not `expect`."""
    process = run_command(ROOT, name, "--env", ENVIRONMENT, "--json", *arguments)
    assert process.returncode == expect, process.stdout + process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]


def forget(deployment: Deployment, key: str) -> None:
    """Delete an object's item from the catalog, as if its event had never arrived."""
    image = {"image_id": {"S": image_id(deployment["uploads_bucket"], key)}}
    client("dynamodb").delete_item(TableName=deployment["catalog_table"], Key=image)


@pytest.mark.needs("iam_enforcement")
@pytest.mark.usefixtures("impatient_queue")
def test_dlq_lists_the_cause_and_redrives_a_message(deployment: Deployment) -> None:
    key = unique("a b+c.jpg")
    remember(deployment, [int(time.time())])  # otherwise the recoverer would redrive it first
    with deployment.outage("thumbnailer", "s3:PutObject"):
        deployment.put(key, photo())
        eventually(lambda: depth(deployment["uploads_dlq_url"]), "a message in the dead-letter queue")
    (failure,) = [line for line in tool("dlq", "list") if line["queue"].endswith("uploads-dlq")]
    assert "AccessDenied" in failure["cause"]
    assert failure["object"].startswith(deployment["uploads_bucket"])
    assert tool("dlq", "redrive", failure["message_id"], "--dry-run") == [
        {"would redrive": 1, "not_found": 0, "dry_run": True}
    ]
    (facts,) = tool("dlq", "redrive", failure["message_id"])
    assert (facts["redriven"], facts["not_found"]) == (1, 0)
    assert set(facts["effect"]) <= {"ready", "waiting", "no_result"}, "it is under way, or done"
    deployment.wait_for(key, status="READY")
    assert tool("dlq", "redrive", failure["message_id"]) == [{"not_found": 1, "dry_run": False, "effect": {}}]


@pytest.mark.usefixtures("impatient_queue")
def test_a_message_keeps_its_attributes_through_discard_replay_and_redrive(
    deployment: Deployment, tmp_path: Path
) -> None:
    """The thumbnailer fails at the message each time, so the message returns to the dead-letter queue unchanged."""
    attributes = {
        "kind": {"DataType": "String", "StringValue": "order.created"},
        "size": {"DataType": "Number.int", "StringValue": "5"},
        "blob": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
    }
    remember(deployment, [int(time.time())])  # otherwise the recoverer would redrive it first
    word = unique("no event")

    def failure() -> dict[str, Any] | None:
        """Return the message in the dead-letter queue, or None if the queue is empty."""
        lines = (
            tool("dlq", "list", "--no-logs", "--queue", "uploads-dlq") if depth(deployment["uploads_dlq_url"]) else []
        )
        return next((line for line in lines if line["object"] == word), None)

    client("sqs").send_message(QueueUrl=deployment["uploads_dlq_url"], MessageBody=word, MessageAttributes=attributes)
    message_id = eventually(failure, "the message in the dead-letter queue")["message_id"]
    assert tool("dlq", "discard", message_id, "--reason", "test")[0]["discarded"] == 1
    records = (file.read_text() for file in (ROOT / "build/operations").glob(f"discarded-*-{ENVIRONMENT}.jsonl"))
    (record,) = [line for text in records for line in text.splitlines() if message_id in line]
    (tmp_path / "record.jsonl").write_text(record + "\n")
    assert tool("replay", "--file", str(tmp_path / "record.jsonl"))[0]["events"] == 1
    message_id = eventually(failure, "the replayed message in the dead-letter queue")["message_id"]
    assert tool("dlq", "redrive", message_id)[0]["redriven"] == 1
    message_id = eventually(failure, "the redriven message in the dead-letter queue")["message_id"]
    assert from_json(tool("dlq", "inspect", message_id)[0]["attributes"]) == attributes
    assert tool("dlq", "discard", message_id, "--reason", "test")[0]["discarded"] == 1


def test_dlq_discards_all_messages_only_with_yes(deployment: Deployment) -> None:
    put_failed_batch(deployment, "converter", "requestPayload", {})
    assert tool("dlq", "discard", "--all", "--queue", "converter-failures", "--reason", "test", expect=1) == []
    assert (
        tool("dlq", "discard", "--all", "--queue", "converter-failures", "--reason", "test", "--yes")[0]["discarded"]
        >= 1
    )
    assert tool("dlq", "--queue", "converter-failures") == []


def put_failed_batch(deployment: Deployment, function: str, kind: str, batch: dict[str, Any]) -> str:
    """Put a failed batch of a stream into a function's queue of failures, as Lambda does. Returns the message id."""
    url = client("sqs").get_queue_url(QueueName=f"{deployment['functions'][function]['function_name']}-failures")[
        "QueueUrl"
    ]
    return str(client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({kind: batch}))["MessageId"])


def test_dlq_puts_a_failed_batch_back_onto_its_stream(deployment: Deployment) -> None:
    image, kinesis = uuid.uuid4().hex, client("kinesis")
    stream = kinesis.describe_stream_summary(StreamName=deployment["activity_stream"])["StreamDescriptionSummary"][
        "StreamARN"
    ]
    record = {"Data": json.dumps({"image_id": image}), "PartitionKey": image}
    put = kinesis.put_records(StreamARN=stream, Records=[record] * 5)["Records"]
    eventually(lambda: counters(deployment, image).get("view") == 5, "five views")
    batch = {"streamArn": stream, "shardId": put[0]["ShardId"], "batchSize": 3}
    batch |= {"startSequenceNumber": put[1]["SequenceNumber"], "endSequenceNumber": put[3]["SequenceNumber"]}
    message = put_failed_batch(deployment, "activity", "KinesisBatchInfo", batch)
    assert tool("dlq", "redrive", message) == [{"redriven": 1, "not_found": 0, "dry_run": False, "effect": {}}]
    kinesis.put_record(StreamARN=stream, **record)
    eventually(lambda: counters(deployment, image).get("view", 0) >= 9, "nine views")
    assert counters(deployment, image)["view"] == 9, "only the three records of the batch are counted again"


def test_dlq_hands_a_failed_batch_of_a_table_to_its_function(deployment: Deployment) -> None:
    key, streams = unique("noticed again.jpg"), client("dynamodbstreams")
    stream = client("dynamodb").describe_table(TableName=deployment["catalog_table"])["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    with listening(deployment["notices_topic_arn"]) as listener:
        latest = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST"}
        position = streams.get_shard_iterator(**latest)["ShardIterator"]
        deployment.put(key, photo())
        notice = listener.wait_for(key=key, status="READY")
        records = streams.get_records(ShardIterator=position)["Records"]
        changes = [record["dynamodb"] for record in records]
        (number,) = {
            change["SequenceNumber"] for change in changes if change["Keys"]["image_id"]["S"] == notice["image_id"]
        }
        claim = {"pk": {"S": f"notice#{notice['notice_id']}"}}
        client("dynamodb").delete_item(TableName=deployment["state_table"], Key=claim)
        batch = {
            "streamArn": stream,
            "shardId": shard["ShardId"],
            "batchSize": 1,
            "startSequenceNumber": number,
            "endSequenceNumber": number,
        }
        message = put_failed_batch(deployment, "notifier", "DDBStreamBatchInfo", batch)
        assert tool("dlq", "redrive", message) == [{"redriven": 1, "not_found": 0, "dry_run": False, "effect": {}}]
        eventually(lambda: len(listener.messages(notice_id=notice["notice_id"])) == 2, "the notice a second time")


def test_backfill_processes_objects_without_an_item_and_no_others(deployment: Deployment) -> None:
    prefix = unique("backfill")
    keys = [f"{prefix}/{number} + ü.jpg" for number in range(5)]
    before = {}
    for key in keys:
        deployment.put(key, photo())
    for key in keys:
        before[key] = deployment.wait_for(key, status="READY")
    forget(deployment, keys[0])
    assert tool("backfill", "--prefix", prefix, "--dry-run")[0]["would_send"] == 5
    assert tool("backfill", "--prefix", prefix, "--limit", "2")[0] | {"bucket": ""} == {
        "bucket": "",
        "sent": 2,
        "sent_before": 0,
        "finished": False,
    }
    assert tool("backfill", "--prefix", prefix, "--rate", "500")[0]["finished"]
    processed_again = deployment.wait_for(keys[0], status="READY")
    assert processed_again["version_id"] == before[keys[0]]["version_id"]
    deployment.wait_until_settled()
    assert [deployment.item(key) for key in keys[1:]] == [before[key] for key in keys[1:]], (
        "objects with an item stay as they are"
    )


def test_a_photo_that_was_rejected_for_a_reason_that_has_passed_is_ready_after_one_command(
    deployment: Deployment,
) -> None:
    key = unique("rejected.jpg")
    deployment.put(key, photo())
    ready = deployment.wait_for(key, status="READY")
    client("dynamodb").update_item(
        TableName=deployment["catalog_table"],
        Key={"image_id": {"S": ready["image_id"]}},
        UpdateExpression="SET #status = :rejected, reason = :reason REMOVE thumbnails",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":rejected": {"S": "REJECTED"}, ":reason": {"S": "timeout"}},
    )
    assert tool("backfill", "--prefix", key)[0]["sent"] == 1
    deployment.wait_until_settled()
    assert tool("backfill", "--rejected", "--reason", "archived", "--prefix", key)[0]["sent"] == 0
    assert deployment.wait_for(key, status="REJECTED")
    assert tool("backfill", "--rejected", "--reason", "timeout", "--prefix", key)[0]["sent"] == 1
    assert deployment.wait_for(key, status="READY")["version_id"] == ready["version_id"]
    assert deployment.thumbnails(key)


@pytest.mark.needs("distributed_maps")
def test_backfill_by_step_functions_sends_every_object_in_batches(deployment: Deployment) -> None:
    prefix = unique("distributed")
    keys = [f"{prefix}/{number:03} + ü.txt" for number in range(103)] + [f"{prefix}/photo & é.jpg"]
    for key in keys[:-1]:
        deployment.put(key, b"no photo")
    deployment.put(keys[-1], photo())
    before = deployment.wait_for(keys[-1], status="READY")
    for key in keys[:-1]:
        deployment.wait_for(key, status="REJECTED")
    for key in (keys[0], keys[102], keys[103]):
        forget(deployment, key)
    assert tool("backfill", "--prefix", prefix, "--distributed", "--dry-run")[0]["would_send"] == 104
    assert deployment.item(keys[0]) is None
    (result,) = tool("backfill", "--prefix", prefix, "--distributed", "--rate", "200")
    assert (result["batches"], result["finished"]) == (2, True)
    for key in (keys[0], keys[102]):
        assert deployment.wait_for(key, status="REJECTED")["reason"]
    assert deployment.wait_for(keys[103], status="READY")["version_id"] == before["version_id"]


@pytest.mark.needs("distributed_maps", "iam_enforcement")
def test_a_failed_backfill_by_step_functions_says_how_to_continue(deployment: Deployment) -> None:
    prefix = unique("refused")
    deployment.put(f"{prefix}/a.jpg", photo())
    deployment.wait_for(f"{prefix}/a.jpg", status="READY")
    statement = {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}
    role = {"RoleName": deployment["backfill_state_machine_arn"].rpartition(":")[2], "PolicyName": "refused"}
    client("iam").put_role_policy(
        **role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    try:
        process = run_command(ROOT, "backfill", "--env", ENVIRONMENT, "--distributed", "--prefix", prefix)
    finally:
        client("iam").delete_role_policy(**role)
    assert process.returncode == 1
    assert "FAILED" in process.stderr
    assert "redrive-execution --execution-arn arn:" in process.stderr


def test_audit_finds_drift_and_repairs_it(deployment: Deployment) -> None:
    lost, bare = unique("lost.jpg"), unique("bare.jpg")
    for key in (lost, bare):
        deployment.put(key, photo())
    before = {key: deployment.wait_for(key, status="READY") for key in (lost, bare)}
    forget(deployment, lost)
    (thumbnail, *_) = deployment.thumbnails(bare)
    client("s3").delete_object(Bucket=deployment["thumbnails_bucket"], Key=thumbnail)

    def drift(*arguments: str, expect: int) -> set[tuple[str, str]]:
        lines = tool("audit", "--grace", "0", *arguments, expect=expect)
        return {(line["drift"], line["key"]) for line in lines if line.get("key") in {lost, bare}}

    expected = {("missing_item", lost), ("missing_thumbnails", bare)}
    assert drift(expect=3) == expected
    assert drift("--repair", expect=0) == expected
    deployment.wait_for(lost, status="READY")
    processed_again = eventually(
        lambda: (item := deployment.item(bare)) and item["revision"] > before[bare]["revision"] and item,
        "a new revision",
    )
    assert deployment.thumbnails(bare) == sorted(
        thumbnail["key"] for thumbnail in processed_again["thumbnails"].values()
    )
    assert processed_again["version_id"] == before[bare]["version_id"]


def test_replay_sends_a_saved_file(deployment: Deployment, tmp_path: Path) -> None:
    key = unique("replayed.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    forget(deployment, key)
    (tmp_path / "events.jsonl").write_text(json.dumps({"Records": [deployment.record(key, "", "")]}) + "\n")
    assert tool("replay", "--file", str(tmp_path / "events.jsonl"), "--dry-run")[0]["events"] == 1
    assert deployment.item(key) is None
    (facts,) = tool("replay", "--file", str(tmp_path / "events.jsonl"))
    assert facts["events"] == 1
    assert set(facts["effect"]) <= {"ready", "waiting", "no_result"}, "it is under way, or done"
    deployment.wait_for(key, status="READY")


@pytest.fixture
def archived() -> Iterator[dict[str, str]]:
    """Create a bus with an archive, and a rule that sends the events of the bus to a queue."""
    events, sqs, name = client("events"), client("sqs"), unique("archived").replace("/", "-")
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["eventloom.test"]}))[
        "RuleArn"
    ]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    statement = allow | {"Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "queue", "Arn": queue}])
    events.create_archive(ArchiveName=name, EventSourceArn=bus)
    try:
        yield {"name": name, "url": url}
    finally:
        events.delete_archive(ArchiveName=name)
        events.remove_targets(Rule=name, EventBusName=name, Ids=["queue"])
        events.delete_rule(Name=name, EventBusName=name)
        events.delete_event_bus(Name=name)
        sqs.delete_queue(QueueUrl=url)


@pytest.mark.needs("archive_replays")
@pytest.mark.usefixtures("cloud")
def test_replay_sends_the_events_of_an_archive(archived: dict[str, str]) -> None:
    def received() -> list[dict[str, Any]]:
        messages = client("sqs").receive_message(QueueUrl=archived["url"], WaitTimeSeconds=1).get("Messages", [])
        for message in messages:
            client("sqs").delete_message(QueueUrl=archived["url"], ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    entry = {
        "EventBusName": archived["name"],
        "Source": "eventloom.test",
        "DetailType": "test",
        "Detail": json.dumps({"number": 1}),
    }
    now = datetime.now(UTC)
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    (event,) = eventually(received, "the event")
    span = ("--start", (now - timedelta(minutes=5)).isoformat(), "--end", (now + timedelta(minutes=5)).isoformat())
    assert tool("replay", "--archive", archived["name"], *span, "--dry-run")[0]["dry_run"]
    # On AWS an event can be replayed only after some minutes.
    eventually(
        lambda: client("events").describe_archive(ArchiveName=archived["name"])["EventCount"], "an archived event", 900
    )
    assert tool("replay", "--archive", archived["name"], *span)[0]["state"] == "COMPLETED"
    (replayed,) = eventually(received, "the replayed event")
    assert (replayed["detail"], replayed["detail-type"], "replay-name" in replayed) == (event["detail"], "test", True)
