"""The schedule's event summarizes a day once, sends the digest by mail and as a notice, and stores it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventloom import catalog
from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, listening, mails, unique


def stored(deployment: Deployment, day: str) -> dict[str, Any]:
    answer = client("dynamodb").get_item(
        TableName=deployment["state_table"], Key={"pk": {"S": f"digest#{day}"}}, ConsistentRead=True
    )
    return catalog.from_dynamodb(answer.get("Item")) or {}


def a_past_day() -> datetime:
    """Return a day whose digest no other test has requested."""
    return datetime(2001, 1, 1, tzinfo=UTC) + timedelta(days=uuid.uuid4().int % 5000)


@pytest.mark.needs("mails_read_back")
def test_a_scheduled_digest_is_sent_once_by_mail_and_notice_and_stored(deployment: Deployment) -> None:
    fired = a_past_day()
    day = f"{fired - timedelta(days=1):%Y-%m-%d}"
    event = {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": f"{fired:%Y-%m-%d}T06:00:00Z",
        "detail": {},
    }
    with listening(deployment["notices_topic_arn"], {"kind": ["digest"]}) as notices:
        answer = deployment.invoke("digest", event)
        assert (answer["status"], answer["day"]) == ("SENT", day)
        notice = eventually(
            lambda: client("sqs").receive_message(QueueUrl=notices.url, WaitTimeSeconds=1).get("Messages"), "a notice"
        )
        assert day in notice[0]["Body"]
        assert deployment.invoke("digest", event)["status"] == "SENT"
    assert stored(deployment, day)["status"] == "SENT"
    assert len(mails(day)) == 1


def test_todays_images_are_counted_so_far(deployment: Deployment) -> None:
    key, poison = unique("counted.jpg"), unique("poison.jpg")
    deployment.put(key, photo())
    deployment.put(poison, b"no picture")
    deployment.wait_for(key, status="READY")
    deployment.wait_for(poison, status="REJECTED")
    answer = deployment.invoke("digest", {"day": f"{datetime.now(UTC):%Y-%m-%d}"})
    assert answer["is_over"] is False
    assert answer["counts"]["READY"] >= 1
    assert answer["rejected_by_reason"]["unsupported_format"] >= 1


def test_the_schedule_invokes_the_live_version(deployment: Deployment) -> None:
    function = deployment["functions"]["digest"]
    rules = client("events").list_rule_names_by_target(TargetArn=function["alias_arn"])["RuleNames"]
    assert len(rules) == 1
    rule = client("events").describe_rule(Name=rules[0])
    assert rule["State"] == "ENABLED"
    assert rule["ScheduleExpression"].startswith(("cron(", "rate("))
