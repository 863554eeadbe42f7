"""Test the grammar of policies, and each service's error for a malformed policy."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.aws.api import CommonServiceException

from embedded_localstack.iam.documents import STORED, Kind, MalformedError, refuse_malformed, verify

STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
OPEN = STATEMENT | {"Principal": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
ACCOUNT = "000000000000"


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def without(statement: dict[str, Any], element: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name != element} | more


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (document(STATEMENT), Kind.IDENTITY),
        (json.dumps({"Statement": STATEMENT}), Kind.IDENTITY),
        (document(without(STATEMENT, "Action", NotAction=["s3:*"])), Kind.IDENTITY),
        (document(without(STATEMENT, "Resource", NotResource="*", Sid="A")), Kind.IDENTITY),
        (document(STATEMENT | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}), Kind.IDENTITY),
        (document(OPEN), Kind.RESOURCE),
        (document(OPEN | {"Principal": {"AWS": [ACCOUNT, "*", f"arn:aws:iam::{ACCOUNT}:root"]}}), Kind.RESOURCE),
        (document(OPEN | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/a/b"}}), Kind.RESOURCE),
        (document(OPEN | {"Principal": {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"}}), Kind.RESOURCE),
        (document(OPEN | {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}), Kind.RESOURCE),
        (document(without(OPEN, "Principal", Effect="Deny", NotPrincipal="*")), Kind.RESOURCE),
        (document(TRUST), Kind.TRUST),
    ],
)
def test_a_policy_of_the_grammar_is_accepted(text: str, kind: Kind):
    verify(text, kind)


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("{oops", Kind.IDENTITY, "not valid JSON"),
        ("[]", Kind.IDENTITY, "not a JSON object"),
        (document(), Kind.IDENTITY, "no Statement"),
        (document(STATEMENT, Version="2020-01-01"), Kind.IDENTITY, "Version"),
        (document("Allow"), Kind.IDENTITY, "Statement 0: it is not a JSON object"),
        (document(without(STATEMENT, "Effect")), Kind.IDENTITY, "Effect"),
        (document(without(STATEMENT, "Action")), Kind.IDENTITY, "either Action or NotAction"),
        (document(STATEMENT | {"NotAction": "s3:*"}), Kind.IDENTITY, "either Action or NotAction"),
        (document(STATEMENT | {"Action": []}), Kind.IDENTITY, "not empty"),
        (document(STATEMENT | {"Action": ""}), Kind.IDENTITY, "not empty"),
        (document(STATEMENT, without(STATEMENT, "Resource", Sid="B")), Kind.IDENTITY, "Statement B: .* Resource"),
        (document(STATEMENT | {"Resource": [1]}), Kind.IDENTITY, "a list of texts"),
        (document(STATEMENT | {"Condition": {"Bool": "x"}}), Kind.IDENTITY, "Condition"),
        (document(OPEN), Kind.IDENTITY, "no Principal"),
        (document(STATEMENT), Kind.RESOURCE, "either Principal or NotPrincipal"),
        (document(without(OPEN, "Action")), Kind.RESOURCE, "either Action"),
        (document(without(OPEN, "Principal", NotPrincipal="*")), Kind.RESOURCE, "Effect Deny"),
        (document(OPEN | {"Principal": "someone"}), Kind.RESOURCE, "must be"),
        (document(OPEN | {"Principal": {}}), Kind.RESOURCE, "must be"),
        (document(OPEN | {"Principal": {"Account": ACCOUNT}}), Kind.RESOURCE, "must be"),
        (document(OPEN | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}}), Kind.RESOURCE, "invalid principal"),
        (document(OPEN | {"Principal": {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/n*"}}), Kind.RESOURCE, "invalid"),
        (document(OPEN | {"Principal": {"AWS": 1}}), Kind.RESOURCE, "invalid principal"),
        (document(TRUST | {"Resource": "*"}), Kind.TRUST, "no Resource"),
        (document(without(TRUST, "Principal")), Kind.TRUST, "either Principal"),
    ],
)
def test_another_document_is_refused_with_the_reason(text: str, kind: Kind, why: str):
    with pytest.raises(MalformedError, match=why):
        verify(text, kind)


def request(service: str, operation: str, **params: Any) -> Any:
    names = {"service": SimpleNamespace(service_name=service), "operation": SimpleNamespace(name=operation)}
    return SimpleNamespace(service_request=params, **names)


IDENTITY = [name for service, name in STORED if service == "iam" and name != "CreateRole"]
PLACES = {
    ("sqs", "CreateQueue"): {"Attributes": {"Policy": "{oops"}},
    ("sqs", "SetQueueAttributes"): {"Attributes": {"Policy": "{oops"}},
    ("sns", "CreateTopic"): {"Attributes": {"Policy": "{oops"}},
    ("sns", "SetTopicAttributes"): {"AttributeName": "Policy", "AttributeValue": "{oops"},
    ("iam", "CreateRole"): {"AssumeRolePolicyDocument": "{oops"},
    ("logs", "PutResourcePolicy"): {"policyDocument": "{oops"},
    ("secretsmanager", "PutResourcePolicy"): {"ResourcePolicy": "{oops"},
    **{
        ("iam", name): {"PolicyDocument": "{oops"}
        for service, name in STORED
        if service == "iam" and name != "CreateRole"
    },
}


@pytest.mark.parametrize(("service", "operation"), STORED, ids=lambda text: text)
def test_each_service_refuses_with_its_own_error(service: str, operation: str):
    params = PLACES.get((service, operation), {"Policy": "{oops"})
    with pytest.raises(CommonServiceException, match="not valid JSON") as refused:
        refuse_malformed(None, request(service, operation, **params), None)
    assert (refused.value.code, refused.value.status_code) == (STORED[service, operation].code, 400)


def test_a_request_without_a_policy_is_left_alone():
    refuse_malformed(None, request("sqs", "CreateQueue", Attributes={"Policy": ""}), None)
    refuse_malformed(None, request("sqs", "SetQueueAttributes"), None)
    refuse_malformed(None, request("sns", "SetTopicAttributes", AttributeName="DisplayName", AttributeValue="{"), None)
    refuse_malformed(None, request("s3", "GetObject", Policy="{oops"), None)
    refuse_malformed(None, SimpleNamespace(service=None, operation=None), None)
