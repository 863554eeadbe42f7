"""Test the permissions of SES v2."""

from typing import Any

import pytest

from actions import ACCOUNT, REGION, Cases, checked, keys, needed
from embedded_localstack.iam.actions_mail import SESV2

SES = f"arn:aws:ses:{REGION}:{ACCOUNT}"
IDENTITY = f"{SES}:identity/example.org"
SENDER = {
    "FromEmailAddress": "Us <us@example.org>",
    "Destination": {"ToAddresses": ["x@y.z"], "BccAddresses": ["b@y.z"]},
}
RAW = b"From: me@example.org\r\nTo: A <a@x.org>\r\nCc: c@x.org\r\n\r\nhello"

CASES: Cases = [
    ("sesv2", "SendEmail", {**SENDER, "Content": {"Simple": {}}}, [("ses:SendEmail", IDENTITY)]),
    ("sesv2", "SendEmail", {"Content": {"Raw": {"Data": RAW}}}, [("ses:SendRawEmail", IDENTITY)]),
    (
        "sesv2",
        "SendEmail",
        {**SENDER, "ConfigurationSetName": "c", "Content": {"Template": {"TemplateName": "t"}}},
        [
            ("ses:SendTemplatedEmail", f"{SES}:{part}")
            for part in ("identity/example.org", "configuration-set/c", "template/t")
        ],
    ),
    (
        "sesv2",
        "SendEmail",
        {"FromEmailAddressIdentityArn": "arn:other", "Content": {"Template": {"TemplateArn": f"{SES}:template/t"}}},
        [("ses:SendTemplatedEmail", "arn:other"), ("ses:SendTemplatedEmail", f"{SES}:template/t")],
    ),
    (
        "sesv2",
        "CreateEmailIdentity",
        {"EmailIdentity": "e.org"},
        [("ses:CreateEmailIdentity", f"{SES}:identity/e.org")],
    ),
    (
        "sesv2",
        "DeleteConfigurationSet",
        {"ConfigurationSetName": "c"},
        [("ses:DeleteConfigurationSet", f"{SES}:configuration-set/c")],
    ),
    ("sesv2", "GetEmailTemplate", {"TemplateName": "t"}, [("ses:GetEmailTemplate", f"{SES}:template/t")]),
    ("sesv2", "CreateContact", {"ContactListName": "l"}, [("ses:CreateContact", f"{SES}:contact-list/l")]),
    ("sesv2", "TagResource", {"ResourceArn": "arn:r"}, [("ses:TagResource", "arn:r")]),
    ("sesv2", "GetAccount", {}, [("ses:GetAccount", "*")]),
    ("sesv2", "PutSuppressedDestination", {"EmailAddress": "a@b.c"}, [("ses:PutSuppressedDestination", "*")]),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_permissions(service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]):
    assert needed(service, operation, **params) == expected


def test_condition_keys():
    assert keys("sesv2", "SendEmail", **SENDER, FeedbackForwardingEmailAddress="f@y.z", Content={"Simple": {}}) == {
        "ses:apiversion": "2",
        "ses:fromaddress": "us@example.org",
        "ses:fromdisplayname": "Us",
        "ses:feedbackaddress": "f@y.z",
        "ses:recipients": ["x@y.z", "b@y.z"],
    }
    assert keys("sesv2", "SendEmail", Content={"Raw": {"Data": RAW}})["ses:recipients"] == ["a@x.org", "c@x.org"]
    tagged = keys("sesv2", "CreateConfigurationSet", ConfigurationSetName="c", Tags=[{"Key": "k", "Value": "v"}])
    assert tagged == {"ses:apiversion": "2", "aws:tagkeys": ["k"], "aws:requesttag/k": "v"}


def test_no_permission_of_another_operation_is_enough():
    sent = {"SendEmail": "ses:SendEmail"}
    for operation in SESV2:
        assert checked("sesv2", operation)[0].action == sent.get(operation, f"ses:{operation}")
