"""The operator's tools on the deployed whole, run as a person runs them."""

import json
import shlex
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventloom import catalog
from eventloom.clouds import ROOT, client
from tests.integration.checkouts import run
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment, depth, eventually, listening, unique
from tests.integration.test_activity import counters
from tests.integration.test_recoverer import remember


def tool(name: str, *arguments: str, expect: int = 0) -> list[dict[str, Any]]:
    """Type `make <name>`; the JSON lines it prints. Make itself ends with 2 and tells which code the tool ended with."""
    done = run(ROOT, name, f"ENV={ENVIRONMENT}", f"ARGS={shlex.join(['--json', *arguments])}")
    assert (f"{name}] Error {expect}" in done.stderr) if expect else (done.returncode == 0), done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def forget(deployment: Deployment, key: str) -> None:
    """Take an object's item out of the catalog, as if its event had never come."""
    image = {"image_id": {"S": catalog.image_id(deployment["uploads_bucket"], key)}}
    client("dynamodb").delete_item(TableName=deployment["catalog_table"], Key=image)


@pytest.mark.needs("iam_enforcement")
@pytest.mark.usefixtures("impatient_queue")
def test_dlq_tells_the_cause_and_brings_a_message_back(deployment: Deployment) -> None:
    key = unique("a b+c.jpg")
    remember(deployment, [int(time.time())])  # the recoverer, which would be quicker, waits for its cool-down
    with deployment.outage("thumbnailer", "s3:PutObject"):
        deployment.put(key, photo())
        eventually(lambda: depth(deployment["uploads_dlq_url"]), "a message in the dead-letter queue")
    (found,) = [one for one in tool("dlq", "list") if one["queue"].endswith("uploads-dlq")]
    assert "AccessDenied" in found["cause"]
    assert found["object"].startswith(deployment["uploads_bucket"])
    assert tool("dlq", "redrive", found["message_id"], "--dry-run") == [{"would redrive": 1, "not_found": 0, "dry_run": True}]
    assert tool("dlq", "redrive", found["message_id"]) == [{"redriven": 1, "not_found": 0, "dry_run": False}]
    deployment.wait_for(key, status="READY")
    assert tool("dlq", "redrive", found["message_id"]) == [{"not_found": 1, "dry_run": False}]


def failed(deployment: Deployment, function: str, kind: str, batch: dict[str, Any]) -> str:
    """Leave a failed batch of a stream in a function's queue of failures, as Lambda does; the message's id."""
    url = client("sqs").get_queue_url(QueueName=f"{deployment['functions'][function]['function_name']}-failures")["QueueUrl"]
    return str(client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({kind: batch}))["MessageId"])


def test_dlq_puts_a_failed_batch_back_onto_its_stream(deployment: Deployment) -> None:
    image_id, kinesis = uuid.uuid4().hex, client("kinesis")
    stream = kinesis.describe_stream_summary(StreamName=deployment["activity_stream"])["StreamDescriptionSummary"]["StreamARN"]
    record = {"Data": json.dumps({"image_id": image_id}), "PartitionKey": image_id}
    put = kinesis.put_records(StreamARN=stream, Records=[record] * 5)["Records"]
    eventually(lambda: counters(deployment, image_id).get("view") == 5, "five views")
    batch = {"streamArn": stream, "shardId": put[0]["ShardId"], "batchSize": 3}
    batch |= {"startSequenceNumber": put[1]["SequenceNumber"], "endSequenceNumber": put[3]["SequenceNumber"]}
    message = failed(deployment, "activity", "KinesisBatchInfo", batch)
    assert tool("dlq", "redrive", message) == [{"redriven": 1, "not_found": 0, "dry_run": False}]
    kinesis.put_record(StreamARN=stream, **record)
    eventually(lambda: counters(deployment, image_id).get("view", 0) >= 9, "nine views")
    assert counters(deployment, image_id)["view"] == 9, "the three of the batch once more, and no others"


def test_dlq_hands_a_failed_batch_of_a_table_to_its_function(deployment: Deployment) -> None:
    key, streams = unique("told again.jpg"), client("dynamodbstreams")
    stream = client("dynamodb").describe_table(TableName=deployment["catalog_table"])["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    with listening(deployment["notices_topic_arn"]) as listener:
        latest = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST"}
        position = streams.get_shard_iterator(**latest)["ShardIterator"]
        deployment.put(key, photo())
        notice = listener.wait_for(key=key, status="READY")
        records = streams.get_records(ShardIterator=position)["Records"]
        (number,) = {one["dynamodb"]["SequenceNumber"] for one in records if one["dynamodb"]["Keys"]["image_id"]["S"] == notice["image_id"]}
        claim = {"pk": {"S": f"notice#{notice['notice_id']}"}}
        client("dynamodb").delete_item(TableName=deployment["state_table"], Key=claim)
        batch = {
            "streamArn": stream,
            "shardId": shard["ShardId"],
            "batchSize": 1,
            "startSequenceNumber": number,
            "endSequenceNumber": number,
        }
        message = failed(deployment, "notifier", "DDBStreamBatchInfo", batch)
        assert tool("dlq", "redrive", message) == [{"redriven": 1, "not_found": 0, "dry_run": False}]
        eventually(lambda: len(listener.messages(notice_id=notice["notice_id"])) == 2, "the notice once more")


def test_backfill_brings_what_never_had_an_event_and_leaves_the_rest_alone(deployment: Deployment) -> None:
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
    made_again = deployment.wait_for(keys[0], status="READY")
    assert made_again["version_id"] == before[keys[0]]["version_id"]
    deployment.settled()
    assert [deployment.item(key) for key in keys[1:]] == [before[key] for key in keys[1:]], "no work for what is there"


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
    (sent,) = tool("backfill", "--prefix", prefix, "--distributed", "--rate", "200")
    assert (sent["batches"], sent["finished"]) == (2, True)
    for key in (keys[0], keys[102]):
        assert deployment.wait_for(key, status="REJECTED")["reason"]
    assert deployment.wait_for(keys[103], status="READY")["version_id"] == before["version_id"]


@pytest.mark.needs("distributed_maps", "iam_enforcement")
def test_a_backfill_by_step_functions_that_fails_says_how_to_go_on(deployment: Deployment) -> None:
    prefix = unique("refused")
    deployment.put(f"{prefix}/a.jpg", photo())
    deployment.wait_for(f"{prefix}/a.jpg", status="READY")
    statement = {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}
    role = {"RoleName": deployment["backfill_state_machine_arn"].rpartition(":")[2], "PolicyName": "refused"}
    client("iam").put_role_policy(**role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        done = run(ROOT, "backfill", f"ENV={ENVIRONMENT}", f"ARGS=--distributed --prefix {prefix}")
    finally:
        client("iam").delete_role_policy(**role)
    assert "backfill] Error 1" in done.stderr
    assert "FAILED" in done.stderr
    assert "redrive-execution --execution-arn arn:" in done.stderr


def test_audit_finds_drift_and_repairs_it(deployment: Deployment) -> None:
    lost, bare = unique("lost.jpg"), unique("bare.jpg")
    for key in (lost, bare):
        deployment.put(key, photo())
    before = {key: deployment.wait_for(key, status="READY") for key in (lost, bare)}
    forget(deployment, lost)
    (one, *_) = deployment.thumbnails(bare)
    client("s3").delete_object(Bucket=deployment["thumbnails_bucket"], Key=one)

    def drift(*arguments: str, expect: int) -> set[tuple[str, str]]:
        found = tool("audit", "--grace", "0", *arguments, expect=expect)
        return {(line["drift"], line["key"]) for line in found if line.get("key") in {lost, bare}}

    wanted = {("missing_item", lost), ("missing_thumbnails", bare)}
    assert drift(expect=3) == wanted
    assert drift("--repair", expect=0) == wanted
    deployment.wait_for(lost, status="READY")
    made_again = eventually(
        lambda: (item := deployment.item(bare)) and item["revision"] > before[bare]["revision"] and item, "a new revision"
    )
    assert deployment.thumbnails(bare) == sorted(found["key"] for found in made_again["thumbnails"].values())
    assert made_again["version_id"] == before[bare]["version_id"]


def test_replay_sends_a_saved_file(deployment: Deployment, tmp_path: Path) -> None:
    key = unique("replayed.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    forget(deployment, key)
    (tmp_path / "events.jsonl").write_text(json.dumps({"Records": [deployment.record(key, "", "")]}) + "\n")
    assert tool("replay", "--file", str(tmp_path / "events.jsonl"), "--dry-run")[0]["events"] == 1
    assert deployment.item(key) is None
    assert tool("replay", "--file", str(tmp_path / "events.jsonl"))[0]["events"] == 1
    deployment.wait_for(key, status="READY")


@pytest.fixture
def archived() -> Iterator[dict[str, str]]:
    """A bus with an archive, and a rule that sends its events to a queue."""
    events, sqs, name = client("events"), client("sqs"), unique("archived").replace("/", "-")
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["eventloom.test"]}))["RuleArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}
    statement = allow | {"Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})
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
def test_replay_sends_what_an_archive_kept(archived: dict[str, str]) -> None:
    def received() -> list[dict[str, Any]]:
        found = client("sqs").receive_message(QueueUrl=archived["url"], WaitTimeSeconds=1).get("Messages", [])
        for message in found:
            client("sqs").delete_message(QueueUrl=archived["url"], ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    entry = {"EventBusName": archived["name"], "Source": "eventloom.test", "DetailType": "test", "Detail": json.dumps({"number": 1})}
    now = datetime.now(UTC)
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    (sent,) = eventually(received, "the event")
    span = ("--start", (now - timedelta(minutes=5)).isoformat(), "--end", (now + timedelta(minutes=5)).isoformat())
    assert tool("replay", "--archive", archived["name"], *span, "--dry-run")[0]["dry_run"]
    # On AWS it takes some minutes until an event can be replayed.
    eventually(lambda: client("events").describe_archive(ArchiveName=archived["name"])["EventCount"], "an archived event", 900)
    assert tool("replay", "--archive", archived["name"], *span)[0]["state"] == "COMPLETED"
    (again,) = eventually(received, "the event again")
    assert (again["detail"], again["detail-type"], "replay-name" in again) == (sent["detail"], "test", True)
