"""Test how a resource's policy names a caller, and what limits the grant.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
reference_policies_elements_notprincipal.html.
"""

import json
from typing import Any

import pytest

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_resource, decide_role
from embedded_localstack.iam.principals import Match, Principal, match

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
CALLER = Principal(SESSION, ROLE, ACCOUNT)
SERVICE = Principal(service="s3.amazonaws.com")


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str = "Allow", action: Any = "sqs:SendMessage", **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **rest}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", Match.DIRECT),
        ({"AWS": "*"}, Match.DIRECT),
        ({"AWS": ["arn:aws:iam::1:role/x", SESSION]}, Match.DIRECT),
        ({"AWS": ROLE}, Match.ROLE),
        ({"AWS": ACCOUNT}, Match.ACCOUNT),
        ({"AWS": ROOT}, Match.ACCOUNT),
        ({"AWS": [ROOT, ROLE]}, Match.ROLE),
        ({"AWS": ROLE.replace("/team", "")}, Match.NONE),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/*"}, Match.NONE),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/w*"}, Match.NONE),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, Match.NONE),
        ({"AWS": "111111111111"}, Match.NONE),
        ({"AWS": ""}, Match.NONE),
        ({"Service": "s3.amazonaws.com"}, Match.NONE),
        ({"Federated": "*"}, Match.NONE),
        (ROLE, Match.NONE),
        (None, Match.NONE),
    ],
    ids=str,
)
def test_a_principal_names_a_session(principal: Any, expected: Match):
    assert match({"Principal": principal}, CALLER) is expected


def test_a_principal_names_a_service():
    for principal, expected in (
        ({"Service": "S3.amazonaws.com"}, Match.DIRECT),
        ({"Service": ["sns.amazonaws.com"]}, Match.NONE),
        ("*", Match.DIRECT),
        ({"AWS": ACCOUNT}, Match.NONE),
        ({"AWS": ""}, Match.NONE),
    ):
        assert match({"Principal": principal}, SERVICE) is expected


def test_the_arn_of_a_deleted_role_no_longer_stands_for_its_sessions():
    gone = Principal(SESSION, ROLE, ACCOUNT, gone=True)
    for principal, expected in ((ROLE, Match.NONE), (SESSION, Match.NONE), ("*", Match.DIRECT), (ROOT, Match.ACCOUNT)):
        assert match({"Principal": {"AWS": principal}}, gone) is expected


@pytest.mark.parametrize(
    ("excluded", "applies"),
    [
        ({"AWS": [ROLE, SESSION, ROOT]}, False),
        ({"AWS": ROLE}, False),
        ("*", False),
        ({"AWS": "*"}, False),
        ({"AWS": ROOT}, True),
        ({"AWS": f"{ROLE}2"}, True),
        ({"Service": "s3.amazonaws.com"}, True),
    ],
    ids=str,
)
def test_not_principal_spares_the_principals_that_it_names(excluded: Any, applies: bool):
    denied = {"Effect": "Deny", "NotPrincipal": excluded}
    assert (match(denied, CALLER) is Match.DIRECT) is applies
    assert match(denied, Principal(SESSION, ROLE, ACCOUNT, bounded=True)) is Match.DIRECT
    assert (match({**denied, "Effect": "Allow"}, Principal(SESSION, ROLE, ACCOUNT, bounded=True)) is Match.NONE) is (
        not applies
    )


def decide(
    granted: str = document(),
    queue: str | None = None,
    *,
    boundary: str | None = None,
    session: tuple[str, ...] = (),
    **options: Any,
) -> bool:
    policies = RolePolicies(
        ROLE,
        (Policy("role policy", granted),),
        Policy("boundary", boundary) if boundary else None,
        tuple(Policy("session policy", policy) for policy in session),
    )
    question = Question(SESSION, "sqs:SendMessage", QUEUE, ACCOUNT, "us-east-1", {})
    return decide_role(question, policies, Policy("queue policy", queue) if queue else None, **options).allowed


ALL, S3, SQS = document(statement(action="*")), document(statement(action="s3:*")), document(statement(action="sqs:*"))
TO_ROLE = document(statement(Principal={"AWS": ROLE}))


@pytest.mark.parametrize(
    ("principal", "limited"),
    [({"AWS": ROLE}, True), ({"AWS": SESSION}, False), ("*", False)],
    ids=["the role", "the session", "everybody"],
)
def test_a_boundary_and_a_session_policy_limit_a_grant_to_the_role(principal: Any, limited: bool):
    condition = {"ArnEquals": {"aws:PrincipalArn": ROLE}}
    queue = document(statement(Principal=principal, Condition=condition))
    assert decide(queue=queue)
    assert decide(queue=queue, boundary=SQS)
    assert decide(queue=queue, boundary=S3) is not limited
    assert decide(queue=queue, session=(S3,)) is not limited
    assert not decide(queue=queue, boundary=document(statement("Deny")))


def test_one_of_several_session_policies_has_to_allow():
    assert decide(ALL, session=(S3, SQS))
    assert not decide(ALL, session=(S3, S3))
    assert not decide(ALL, session=(SQS, document(statement("Deny"))))
    assert not decide(ALL, session=(SQS,), boundary=S3)


def test_a_required_policy_that_names_the_account_leaves_the_decision_to_the_role():
    to_account = document(statement(Principal={"AWS": ROOT}))
    assert decide(ALL, to_account, required=True)
    assert not decide(queue=to_account, required=True)
    assert decide(queue=TO_ROLE, required=True)
    assert not decide(queue=TO_ROLE, required=True, boundary=S3)


@pytest.mark.parametrize("without", ["Action", "Resource"])
def test_an_allow_without_action_or_resource_allows_nothing(without: str):
    for value in (None, []):
        broken = {key: part for key, part in {**statement(), without: value}.items() if part is not None}
        assert not decide(document(broken))
    emptied = {**statement(Principal="*"), without: []}
    assert not decide(queue=document(emptied))
    request = Question("*", "sqs:SendMessage", QUEUE, ACCOUNT, "us-east-1", {})
    assert not decide_resource(request, Policy("queue policy", document(emptied)), kind="", service=False).allowed


@pytest.mark.parametrize("text", ["{oops", "[]", '"Allow"', "7"])
def test_a_document_that_is_not_a_json_object_is_refused_by_name(text: str):
    question = Question(SESSION, "sqs:SendMessage", QUEUE, ACCOUNT, "us-east-1", {})
    granted = RolePolicies(ROLE, (Policy("role policy", ALL),))
    verdict = decide_role(question, granted, Policy("queue policy", text))
    assert (verdict.allowed, verdict.asked) == (False, "queue policy")
    assert verdict.reason.startswith("the document is not a JSON object")
    assert not decide_role(question, RolePolicies(ROLE, (Policy("role policy", text),)), None).allowed
