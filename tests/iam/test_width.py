"""width.py derives narrower statements from requests."""

import json
from typing import Any

import pytest

from tests.iam.decisions import Decision
from tests.iam.width import narrower_patterns, narrower_statements

ACCOUNT = "123456789012"
BUCKET = f"arn:aws:s3:::shop-uploads-{ACCOUNT}"
LOGS = "arn:aws:logs:eu-west-1:1:log-group:"
ID = "0123456789abcdef"


@pytest.mark.parametrize(
    ("pattern", "values", "narrower"),
    [
        ("arn:aws:s3:::shop-*", [f"{BUCKET}/{ID}", f"{BUCKET}/b{ID}"], [[f"{BUCKET}/*"]]),
        ("arn:aws:sqs:eu-west-1:1:shop-*", ["arn:aws:sqs:eu-west-1:1:shop-a"], [["arn:aws:sqs:eu-west-1:1:shop-a"]]),
        (
            "arn:aws:sqs:eu-west-1:1:shop-*",
            [f"arn:aws:sqs:eu-west-1:1:shop-{name}" for name in "abcde"],
            [[f"arn:aws:sqs:eu-west-1:1:shop-{name}" for name in "abcde"]],
        ),
        (f"{BUCKET}/*", [f"{BUCKET}/web/{ID}.jpg"], [[f"{BUCKET}/web/*"]]),
        (f"{BUCKET}/*", [f"{BUCKET}/web/{ID}/a", f"{BUCKET}/app/{ID}"], [[f"{BUCKET}/app/*", f"{BUCKET}/web/*"]]),
        (f"{BUCKET}/*", [f"{BUCKET}/{ID}/128.jpg"], []),
        (f"{BUCKET}/*", [f"{BUCKET}/2026-01-02.csv"], []),
        (f"{BUCKET}/*", [f"{BUCKET}/{name}" for name in ("a", "b", "c", "d")], []),
        (f"{BUCKET}/*", [f"{BUCKET}/latest.json"], [[f"{BUCKET}/latest.json"]]),
        (f"{BUCKET}/web/*", [f"{BUCKET}/web/{ID}"], []),
        (f"{LOGS}*", [f"{LOGS}shop:log-stream:{ID}"], [[f"{LOGS}shop:log-stream:*"]]),
        ("arn:aws:sns:*:1:notices", ["arn:aws:sns:eu-west-1:1:notices"], [["arn:aws:sns:eu-west-1:1:notices"]]),
        ("*@example.com", ["news@example.com"], [["news@example.com"]]),
        ("arn:aws:sns:eu-west-1:1:notices", ["arn:aws:sns:eu-west-1:1:notices"], []),
        (f"{BUCKET}/*", [], []),
        (f"{BUCKET}/*", ["arn:aws:s3:::other/key"], []),
    ],
)
def test_a_pattern_becomes_as_narrow_as_the_deployment_can_write_it(
    pattern: str, values: list[str], narrower: list[list[str]]
) -> None:
    assert list(narrower_patterns(pattern, set(values))) == narrower


def request(**keys: Any) -> Decision:
    """Return an allowed request with condition keys. `_` replaces the colon after the service, as in `s3_prefix`."""
    text = json.dumps({name.replace("_", ":"): value for name, value in keys.items()})
    role = "arn:aws:sts::1:assumed-role/worker/session"
    return Decision("role", role, "dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:1:table/a", "1", "", text, True, "")


def conditions(condition: dict[str, Any], *requests: Decision) -> list[dict[str, Any]]:
    """Return the conditions that are narrower than a statement's and allow these requests."""
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": condition}
    resource = "arn:aws:dynamodb:eu-west-1:1:table/a"
    return [
        narrower.statement["Condition"]
        for narrower in narrower_statements(statement, "dynamodb:GetItem", resource, requests)
    ]


def test_a_key_that_all_requests_carry_can_limit_them() -> None:
    keys = [request(dynamodb_leadingkeys=[f"report#{ID}"]), request(dynamodb_leadingkeys=[f"report#b{ID}"])]
    assert conditions({}, *keys) == [{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["report#*"]}}]
    assert conditions({}, *keys, request()) == []


def test_keys_that_are_made_at_run_time_limit_nothing() -> None:
    assert conditions({}, request(dynamodb_leadingkeys=[ID]), request(dynamodb_leadingkeys=[f"b{ID}"])) == []


def test_a_key_that_the_statement_limits_already_is_left_alone() -> None:
    limited = {"StringEquals": {"SES:FromAddress": "a@example.com"}}
    assert conditions(limited, request(ses_fromaddress="a@example.com")) == []


def test_the_account_is_superfluous_where_the_source_names_it() -> None:
    keys = {"aws_sourcearn": "arn:aws:sns:eu-west-1:123456789012:alarms", "aws_sourceaccount": ACCOUNT}
    assert conditions({"ArnLike": {"aws:SourceArn": keys["aws_sourcearn"]}}, request(**keys)) == []
    of_bucket = {"aws_sourcearn": BUCKET, "aws_sourceaccount": ACCOUNT}
    assert conditions({"ArnLike": {"aws:SourceArn": BUCKET}}, request(**of_bucket)) == [
        {"ArnLike": {"aws:SourceArn": BUCKET}, "StringLike": {"aws:SourceAccount": [ACCOUNT]}}
    ]


def test_a_pattern_in_a_condition_becomes_narrower() -> None:
    wide = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["report#*", "digest#*"]}}
    narrower = conditions(wide, request(dynamodb_leadingkeys=["report#daily"]))
    assert narrower == [{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["digest#*", "report#daily"]}}]


def test_a_condition_that_allows_requests_without_the_key_becomes_strict() -> None:
    lax = {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}
    assert conditions(lax, request(aws_sourceaccount=ACCOUNT)) == [{"StringEquals": {"aws:SourceAccount": ACCOUNT}}]
