"""Test which permissions the operations on queues, topics, mails and events need."""

from typing import Any

import pytest

from actions import ACCOUNT, REGION, SQS, Cases, keys, needed
from embedded_localstack.iam.request import UnmappedError

CASES: Cases = [
    (
        "sqs",
        "CreateQueue",
        {"QueueName": "q", "tags": {"a": "b"}},
        [(f"sqs:{action}", f"{SQS}:q") for action in ("CreateQueue", "TagQueue")],
    ),
    ("sqs", "SendMessageBatch", {"QueueUrl": "http://x/000000000000/q"}, [("sqs:SendMessage", f"{SQS}:q")]),
    (
        "sqs",
        "ReceiveMessage",
        {"QueueUrl": "http://x/111111111111/q"},
        [("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:111111111111:q")],
    ),
    ("sqs", "GetQueueUrl", {"QueueName": "q"}, [("sqs:GetQueueUrl", f"{SQS}:q")]),
    (
        "sqs",
        "StartMessageMoveTask",
        {"SourceArn": f"{SQS}:dlq"},
        [
            (f"sqs:{name}", f"{SQS}:dlq")
            for name in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ]
        + [("sqs:SendMessage", f"{SQS}:source")],
    ),
    ("sns", "PublishBatch", {"TopicArn": "arn:aws:sns:r:a:t"}, [("sns:Publish", "arn:aws:sns:r:a:t")]),
    ("sns", "Unsubscribe", {"SubscriptionArn": "arn:aws:sns:r:a:t:uuid"}, [("sns:Unsubscribe", "arn:aws:sns:r:a:t")]),
    (
        "ses",
        "SendTemplatedEmail",
        {"Source": "a@example.org", "Template": "t"},
        [
            ("ses:SendTemplatedEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:{part}")
            for part in ("identity/example.org", "template/t")
        ],
    ),
    (
        "ses",
        "SendEmail",
        {"Source": "Us <us@example.org>"},
        [("ses:SendEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.org")],
    ),
    (
        "ses",
        "SendRawEmail",
        {"RawMessage": {"Data": b"From: me@example.com\r\n\r\nhello"}},
        [("ses:SendRawEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/me@example.com")],
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Source": "a"}, {"EventBusName": "orders"}]},
        [("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}") for bus in ("default", "orders")],
    ),
    (
        "events",
        "EnableRule",
        {"Name": "r", "EventBusName": "o"},
        [("events:EnableRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/o/r")],
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_need_their_permissions(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
):
    assert needed(service, operation, **params) == expected


def test_requests_have_their_condition_keys():
    assert keys("ses", "SendEmail", Source="a@b.c", Destination={"ToAddresses": ["x@y.z"]}) == {
        "ses:apiversion": "1",
        "ses:fromaddress": "a@b.c",
        "ses:recipients": ["x@y.z"],
    }
    sent = keys("ses", "SendEmail", Source="Us <a@b.c>", ReturnPath="r@b.c")
    assert (sent["ses:fromdisplayname"], sent["ses:feedbackaddress"]) == ("Us", "r@b.c")


def test_the_recipients_of_a_raw_mail_are_in_its_header():
    mail = b"From: a@x.org\r\nTo: b@x.org, C <c@x.org>\r\nCc: d@x.org\r\nBcc: e@x.org\r\n\r\ntext"
    listed = keys("ses", "SendRawEmail", RawMessage={"Data": mail})["ses:recipients"]
    assert listed == ["b@x.org", "c@x.org", "d@x.org", "e@x.org"]
    listed = keys("ses", "SendRawEmail", RawMessage={"Data": mail}, Destinations=["f@x.org"])["ses:recipients"]
    assert listed == ["f@x.org"]


URL = f"http://127.0.0.1:4566/{ACCOUNT}"


def test_a_queue_is_the_one_in_the_path_of_its_url():
    for url in (f"{URL}/q", f"{URL}/q/", f"http://sqs.us-east-1.localhost:4566/queue/{REGION}/{ACCOUNT}/q"):
        assert needed("sqs", "SendMessage", QueueUrl=url) == [("sqs:SendMessage", f"{SQS}:q")]
    for suffix in ("?x=/000000000000/other", "#/000000000000/other"):
        assert needed("sqs", "SendMessage", QueueUrl=f"{URL}/q{suffix}") == [("sqs:SendMessage", f"{SQS}:q")]
    for url in ("q", f"{URL}/q/../other", f"{URL}/../q", "http://127.0.0.1:4566/"):
        with pytest.raises(UnmappedError, match="has no path /ACCOUNT/NAME"):
            needed("sqs", "SendMessage", QueueUrl=url)
