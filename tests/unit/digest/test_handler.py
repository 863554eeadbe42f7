"""The function counts a day in moto, sends its digest once, and stores it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from digest import handler
from digest.catalog import Catalog, OutOfTime
from digest.channels import Mail
from digest.queues import Queues
from digest.sender import Sender
from digest.summary import Image, Limits, summarize
from shared.claims import Claims
from shared.clients import client
from shared.deadline import Deadline

from .conftest import Context, World

SCHEDULE = json.loads((Path(__file__).parents[3] / "functions/digest/events/schedule.json").read_text())


def fill(world: World) -> None:
    for number in range(7):
        world.add(f"ready{number}", f"2026-11-22T0{number}:00:00.000Z", bytes=1_000_000)
    world.add("bad1", "2026-11-22T23:59:59.999Z", "REJECTED", bytes=10, reason="corrupt")
    world.add("bad2", "2026-11-22T00:00:00.000Z", "REJECTED", reason="empty")
    world.add("bad3", "2026-11-22T01:00:00.000Z", "REJECTED", reason="corrupt")
    world.add("before", "2026-11-21T23:59:59.999Z", bytes=5)
    world.add("after", "2026-11-23T00:00:00.000Z", bytes=5)
    client("sqs").send_message(QueueUrl=world.dlq, MessageBody="x")
    # A message counts although a consumer has it in flight.
    client("sqs").receive_message(QueueUrl=world.dlq)
    client("sqs").send_message(QueueUrl=world.dlq, MessageBody="y")


def test_the_digest_summarizes_the_day_before(world: World) -> None:
    fill(world)
    answer = world.invoke(SCHEDULE)
    assert answer["status"] == "SENT"
    assert answer["counts"] == {"READY": 7, "REJECTED": 3}
    assert answer["bytes_in"] == 7_000_010
    assert answer["rejected_by_reason"] == {"corrupt": 2, "empty": 1}
    assert [image["key"] for image in answer["newest"]] == [f"cats/ready{number}.jpg" for number in (6, 5, 4, 3, 2)]
    assert answer["dlq_depths"] == {"uploads-dlq": 2}
    (mail,) = world.mails()
    assert mail.subject == "eventloom test 2026-11-22: 7 images, 3 rejected, 2 dead letters"
    assert mail.destinations["ToAddresses"] == ["a@example.com", "b@example.com"]
    (notice,) = world.notices()
    assert "corrupt  2" in notice["Message"]
    assert (notice["Subject"], notice["MessageAttributes"]["kind"]["Value"]) == (mail.subject, "digest")
    state = world.state("2026-11-22")
    assert (state["status"], set(state["given"])) == ("SENT", {"mail", "notice"})
    assert json.loads(state["document"])["counts"] == {"READY": 7, "REJECTED": 3}
    assert int(state["expires_at"]) > int(state["closed_at"])


def test_a_digest_is_sent_once_if_invoked_twice(world: World) -> None:
    assert world.invoke(SCHEDULE)["status"] == "SENT"
    assert world.invoke(SCHEDULE)["status"] == "SENT"
    assert world.invoke({"day": "2026-11-22"}, "second")["status"] == "SENT"
    assert len(world.mails()) == len(world.notices()) == 1
    assert world.invoke({"day": "2026-11-21"})["counts"] == {"READY": 0, "REJECTED": 0}
    assert len(world.mails()) == 2


def claims(lease_s: float = 30) -> Claims:
    return Claims(client("dynamodb"), "state", "digest", lease_s, keep_days=1)


def test_two_simultaneous_invocations_send_one_digest(world: World) -> None:
    answers = []

    class Interrupted(Catalog):
        def images_of(self, day: str) -> Iterator[Image]:
            answers.append(world.invoke(SCHEDULE, "second"))
            return super().images_of(day)

    catalog = Interrupted(client("dynamodb"), "catalog", Deadline(Context()))
    mail = Mail(client("ses"), world.settings.sender, world.settings.recipients, "test")
    first = Sender(catalog, Queues(client("sqs"), ()), [mail], claims(), world.settings.limits)
    assert first.send(SCHEDULE, "first")["status"] == "SENT"
    assert answers == [{"day": "2026-11-22", "status": "BUSY"}]
    assert len(world.mails()) == 1


def test_a_retry_uses_only_the_channel_that_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "Throttling"}}, "SendEmail")

    with monkeypatch.context() as patch:
        patch.setattr(client("ses"), "send_email", refuse)
        with pytest.raises(ClientError):
            world.invoke(SCHEDULE)
    assert len(world.notices()) == 1
    assert world.mails() == []
    # Lambda's retry has the same request id. Any other invocation waits until the lease ends.
    assert world.invoke(SCHEDULE, "second")["status"] == "BUSY"
    assert world.invoke(SCHEDULE)["status"] == "SENT"
    assert len(world.mails()) == 1
    assert world.notices() == []


def test_a_failing_state_table_raises_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    monkeypatch.setattr(client("dynamodb"), "update_item", refuse)
    with pytest.raises(ClientError):
        world.invoke(SCHEDULE)


def test_the_claim_of_a_dead_invocation_expires(world: World) -> None:
    assert claims(lease_s=30).begin("2026-11-22", "died") == frozenset()
    assert world.invoke(SCHEDULE, "second")["status"] == "BUSY"
    assert claims(lease_s=-1).begin("2026-11-22", "died") == frozenset()
    assert world.invoke(SCHEDULE, "second")["status"] == "SENT"


def test_a_digest_of_an_unfinished_day_is_not_stored(world: World) -> None:
    today = datetime.now(UTC).date().isoformat()
    world.add("one", f"{today}T00:00:00.000Z")
    assert world.invoke({"day": today}, "a")["counts"]["READY"] == 1
    assert world.invoke({"day": today}, "b")["status"] == "SENT"
    assert f"{today} so far" in world.mails()[0].subject
    assert world.state(today) == {}


def test_a_slow_clock_does_not_make_a_finished_day_unfinished(world: World) -> None:
    now = datetime.now(UTC)
    assert world.invoke({"time": (now + timedelta(days=1)).isoformat()})["is_over"] is True
    assert world.state(now.date().isoformat())["status"] == "SENT"


def test_a_digest_without_channels_is_stored(world: World) -> None:
    """The settings of these tests name only tables."""
    assert handler.lambda_handler(SCHEDULE, Context())["status"] == "SENT"
    assert world.state("2026-11-22")["status"] == "SENT"
    assert world.mails() == []


def test_a_day_with_more_images_than_the_limit_is_marked_incomplete(world: World) -> None:
    fill(world)
    assert world.invoke(SCHEDULE, max_images=4)["complete"] is False
    assert "at least 4 images" in world.mails()[0].subject


def test_a_day_with_exactly_the_limit_of_images_is_complete() -> None:
    images = [
        Image("a.jpg", "2026-11-22T10:00:00.000Z", "READY"),
        Image("b.jpg", "2026-11-22T09:00:00.000Z", "REJECTED"),
    ]
    assert [summarize("2026-11-22", images, Limits(5, limit)).complete for limit in (3, 2, 1)] == [True, True, False]


def test_no_digest_is_sent_if_too_little_time_is_left(world: World) -> None:
    with pytest.raises(OutOfTime):
        world.invoke(SCHEDULE, milliseconds=5000)
    assert world.mails() == []
    assert world.invoke(SCHEDULE)["status"] == "SENT"
