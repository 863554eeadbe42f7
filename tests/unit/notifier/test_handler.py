"""The whole function publishes to SNS and sends mail through SES."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from notifier import handler
from notifier.channels import Mail, Refused
from notifier.notices import notice_of
from notifier.settings import Settings
from shared.clients import client
from shared.deadline import Deadline
from shared.settings import SettingsError, load

EVENTS = Path(__file__).parents[3] / "functions/notifier/events"


class Context:
    aws_request_id = "id"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def inbox(state: Any) -> Any:
    """Return a function that reads the messages of a queue that is subscribed to the topic."""
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"FilterPolicy": json.dumps({"status": ["REJECTED"]})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=policy)
    return topic, lambda: [
        json.loads(message["Body"])
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    ]


def announce(name: str, **settings: Any) -> str | None:
    """Announce the records of an event of events/. Returns the number of the first record that must come again."""
    records = json.loads((EVENTS / name).read_text())["Records"]
    return handler.announcer(Settings(state_table="state", **settings), client).process(records, Deadline(Context()))


@pytest.mark.parametrize("name", ["stream_insert_ready.json", "stream_modify_rejected.json"])
def test_recorded_events_reach_those_who_filter_for_them(inbox: Any, name: str) -> None:
    topic, read = inbox
    for _ in range(2):
        assert announce(name, topic_arn=topic) is None
    messages = read()
    assert len(messages) == ("rejected" in name)
    for message in messages:
        assert json.loads(message["Message"])["reason"] == "corrupt"
        assert message["Subject"].startswith("Image rejected (corrupt)")


def test_rejections_are_mailed(inbox: Any) -> None:
    topic, _ = inbox
    ses = client("ses")
    ses.verify_email_identity(EmailAddress="eventloom@example.com")
    for name in ("stream_insert_ready.json", "stream_modify_rejected.json"):
        announce(name, topic_arn=topic, sender="eventloom@example.com", recipients=("a@example.com", "b@example.com"))
    assert ses.get_send_quota()["SentLast24Hours"] == 2  # moto counts recipients


def test_a_record_comes_again_if_the_topic_does_not_exist(state: Any) -> None:
    event = json.loads((EVENTS / "stream_insert_ready.json").read_text())
    assert handler.lambda_handler(event, Context()) == {
        "batchItemFailures": [{"itemIdentifier": "4421584500000000017450439091"}]
    }


def test_an_unverified_sender_is_refused_for_good(state: Any, record: Any) -> None:
    notice = notice_of(record({}))
    assert notice is not None
    with pytest.raises(Refused):
        Mail(client("ses"), "nobody@example.com", ["a@example.com"]).give(notice)


@pytest.mark.parametrize(
    ("code", "message", "is_final"),
    [
        ("Throttling", "Daily message quota exceeded.", True),
        ("AccountSendingPausedException", "Email sending is disabled.", True),
        ("Throttling", "Maximum sending rate exceeded.", False),
    ],
)
def test_a_mail_is_refused_or_retried_depending_on_the_error_of_ses(
    record: Any, monkeypatch: pytest.MonkeyPatch, code: str, message: str, is_final: bool
) -> None:
    def send_email(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "SendEmail")

    monkeypatch.setattr(client("ses"), "send_email", send_email)
    notice = notice_of(record({}))
    assert notice is not None
    with pytest.raises(Refused if is_final else ClientError):
        Mail(client("ses"), "a@example.com", ["b@example.com"]).give(notice)


@pytest.mark.parametrize(
    "environment",
    [{"SENDER": "a@example.com"}, {"RECIPIENTS": "a@example.com"}, {"LEASE_S": "0"}, {"TOPIC_ARN": ""}],
)
def test_settings_that_cannot_work_fail_at_init(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load(Settings, {"TOPIC_ARN": "arn", "STATE_TABLE": "state"} | environment)
