"""Each change of an image is announced once: to the topic of notices, and also by mail if it needs attention."""

from collections.abc import Iterator

import pytest

from eventloom import catalog
from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, Listener, eventually, listening, mails, unique


@pytest.fixture
def notices(deployment: Deployment) -> Iterator[Listener]:
    with listening(deployment["notices_topic_arn"]) as listener:
        yield listener


def test_a_new_image_is_announced_on_the_topic(deployment: Deployment, notices: Listener) -> None:
    key = unique("고양이.jpg")
    version = deployment.put(key, photo(640, 480))
    notice = notices.wait_for(key=key)
    assert notice["status"] == "READY"
    assert notice["version_id"] == version
    assert notice["image_id"] == catalog.image_id(deployment["uploads_bucket"], key)
    assert (notice["width"], notice["height"]) == (640, 480)
    assert set(notice["thumbnails"]) == set(deployment.wait_for(key, status="READY")["thumbnails"])


@pytest.mark.needs("mails_read_back")
def test_a_rejected_file_is_announced_on_the_topic_and_by_mail(deployment: Deployment, notices: Listener) -> None:
    key = unique("poison ü.jpg")
    deployment.put(key, b"hello, I am no picture")
    notice = notices.wait_for(key=key)
    assert (notice["status"], notice["reason"]) == ("REJECTED", "unsupported_format")
    (mail,) = eventually(lambda: mails(notice["image_id"]), "a mail")
    assert mail["Source"] == "eventloom@example.com"
    assert mail["Destination"]["ToAddresses"] == ["operator@example.com"]
    assert mail["Subject"].endswith("poison ü.jpg")
    assert notice["reason_text"] in mail["Body"]["text_part"]


def test_a_repeated_record_is_not_announced_again(deployment: Deployment, notices: Listener) -> None:
    key, later = unique("once.jpg"), unique("later.jpg")
    deployment.put(key, photo())
    notices.wait_for(key=key)
    table = deployment["catalog_table"]
    item = client("dynamodb").get_item(TableName=table, Key={"image_id": {"S": deployment.item(key)["image_id"]}})[
        "Item"
    ]
    # First write the same content with another attribute, then send the stream's record a second time.
    client("dynamodb").put_item(TableName=table, Item=item | {"camera": {"S": "another"}})
    client("dynamodb").delete_item(TableName=table, Key={"image_id": item["image_id"]})
    client("dynamodb").put_item(TableName=table, Item=item)
    deployment.put(later, photo())
    notices.wait_for(key=later)
    assert len(notices.messages(key=key)) == 1


def test_a_new_version_is_announced(deployment: Deployment, notices: Listener) -> None:
    key = unique("again.jpg")
    for body in (photo(), b"no picture any more"):
        notices.wait_for(key=key, version_id=deployment.put(key, body))
    assert [notice["status"] for notice in notices.messages(key=key)] == ["READY", "REJECTED"]


def test_subscribers_can_filter_by_status(deployment: Deployment, notices: Listener) -> None:
    good, bad = unique("good.jpg"), unique("bad.jpg")
    with listening(deployment["notices_topic_arn"], {"status": ["REJECTED"]}) as filtered:
        deployment.put(good, photo())
        notices.wait_for(key=good)
        deployment.put(bad, b"")
        filtered.wait_for(key=bad)
        assert filtered.messages(key=good) == []


def set_aside(deployment: Deployment) -> set[str]:
    """Return the keys of the stream records that the notifier could not parse."""
    pages = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployment["state_table"], ProjectionExpression="pk")
    )
    keys = (item["pk"]["S"] for page in pages for item in page["Items"])
    return {key for key in keys if key.startswith("notice#malformed#")}


def test_a_change_that_is_not_an_image_is_recorded_as_malformed(deployment: Deployment, notices: Listener) -> None:
    image_id, key, before = unique("malformed"), unique("after.jpg"), set_aside(deployment)
    broken = {"image_id": {"S": image_id}, "status": {"S": "READY"}}
    client("dynamodb").put_item(TableName=deployment["catalog_table"], Item=broken)
    client("dynamodb").delete_item(TableName=deployment["catalog_table"], Key={"image_id": broken["image_id"]})
    deployment.put(key, photo())
    notices.wait_for(key=key)
    assert len(set_aside(deployment) - before) == 1
    assert notices.messages(image_id=image_id) == []


@pytest.mark.needs("iam_enforcement")
def test_a_notice_that_could_not_be_sent_is_sent_once_later(deployment: Deployment, notices: Listener) -> None:
    key, later = unique("late.jpg"), unique("later.jpg")
    failures = len(deployment.log_lines("notifier", "AuthorizationError"))
    with deployment.outage("notifier", "sns:Publish"):
        deployment.put(key, photo())
        eventually(
            lambda: len(deployment.log_lines("notifier", "AuthorizationError")) > failures, "a failure in the log"
        )
        assert notices.messages(key=key) == []
    notices.wait_for(key=key)
    deployment.put(later, photo())
    notices.wait_for(key=later)
    assert len(notices.messages(key=key)) == 1


@pytest.mark.needs("iam_enforcement")
def test_a_lasting_failure_is_queued_without_delaying_others(deployment: Deployment, notices: Listener) -> None:
    key, later = unique("lost.jpg"), unique("later.jpg")
    with deployment.outage("notifier", "sns:Publish"):
        deployment.put(key, photo())
        (failure, *_) = eventually(
            lambda: deployment.failures("notifier"), "the failed record in the queue", timeout_s=180
        )
    assert failure["DDBStreamBatchInfo"]["batchSize"] >= 1
    deployment.put(later, photo())
    notices.wait_for(key=later)
    assert notices.messages(key=key) == []
