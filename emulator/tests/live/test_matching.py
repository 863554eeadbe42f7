"""Test the comparison of ARNs, in conditions and in the Resource element."""

import json

import pytest

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_role

ROLE = "arn:aws:iam::000000000000:role/team/worker"
SESSION = "arn:aws:sts::000000000000:assumed-role/worker/s"
GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:a:log-stream:b"


def allowed(**changes: object) -> bool:
    statement = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*", **changes}
    policy = Policy("role policy", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    question = Question(SESSION, "logs:PutLogEvents", GROUP, "000000000000", "us-east-1", {})
    return decide_role(question, RolePolicies(ROLE, (policy,)), None).allowed


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (ROLE, True),
        ("arn:aws:iam::*:role/*", True),
        ("arn:*:*:*:*:*", True),
        ("arn:aws:iam::000000000000:role/team/work??", True),
        ("*", False),
        ("arn:aws:iam::*", False),
        ("arn:aws:*worker", False),
        ("arn:aws:*:000000000000:role/team/worker", False),
        ("arn:aws:iam:*:role/team/worker", False),
        ("worker", False),
    ],
)
@pytest.mark.parametrize("operator", ["Equals", "Like"])
def test_arn_operators_compare_each_component(operator: str, pattern: str, matches: bool):
    assert allowed(Condition={f"Arn{operator}": {"aws:PrincipalArn": pattern}}) is matches
    assert allowed(Condition={f"ArnNot{operator}": {"aws:PrincipalArn": pattern}}) is not matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        (GROUP, True),
        ("arn:aws:logs", True),
        ("arn:aws:logs:us-east-1", True),
        ("arn:aws:logs:eu-west-1", False),
        ("arn:aws:logs:*", True),
        ("arn:aws:logs:us-*-1:*:log-group:*", True),
        ("arn:aws:logs:us-east-1:000000000000:*:b", True),
        ("arn:aws:logs:us-east-1:000000000000:log-gr?up:a:log-stream:b", False),
        ("arn:aws:logs:us-east-1:000000000000:log*:a:log-stream:b", False),
        ("arn:aws:logs:us-east-?:*:log-group:?:log-stream:?", True),
        ("arn:aws:logs:*:log-stream:b", True),
        ("arn:aws:l*g-stream:b", False),
        ("arn:aws:logs:us-east-1:000000000000:log-group:a", False),
        ("arn:aws:logs:us-east-1?000000000000:log-group:a:log-stream:b", False),
    ],
)
def test_a_wildcard_in_a_resource_crosses_colons_at_the_end_of_a_component_only(pattern: str, matches: bool):
    assert allowed(Resource=pattern) is matches
    statement = {"Effect": "Allow", "Action": "*", "NotResource": pattern}
    policy = Policy("role policy", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    question = Question(SESSION, "logs:PutLogEvents", GROUP, "000000000000", "us-east-1", {})
    assert decide_role(question, RolePolicies(ROLE, (policy,)), None).allowed is not matches
