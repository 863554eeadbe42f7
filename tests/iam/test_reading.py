"""`policies` reads every policy of a plan, and the checks report each kind of policy that it cannot read."""

import copy
import json
from typing import Any

import pytest

from tests.iam import static
from tests.iam.documents import policies
from tests.iam.proof import grants
from tests.iam.reasons import reasons
from tests.iam.test_static import PERMISSIONS, ROLE, Plans, find, root

pytestmark = pytest.mark.timeout(1800)

EVERYTHING = json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def problems_with(plans: Plans, *added: dict[str, Any]) -> list[str]:
    """Return the problems of an environment with these additional resources."""
    values = copy.deepcopy(root(plans, "local"))
    values["resources"] += [
        {"mode": "managed", "name": "more", "address": f"{entry['type']}.more"} | entry for entry in added
    ]
    return static.problems(values, reasons())


def test_an_inline_policy_of_a_role_is_read(plans: Plans) -> None:
    values = copy.deepcopy(root(plans, "local"))
    find(values, ROLE)["values"]["inline_policy"] = [{"name": "more", "policy": EVERYTHING}]
    problems = static.problems(values, reasons())
    assert [problem.partition(": ")[2].split(":")[0] for problem in problems] == [
        "wildcard action s3",
        "wildcard resource *",
    ]
    assert all(problem.startswith(f"{ROLE} inline_policy more, statement 0") for problem in problems)


def test_a_managed_policy_in_an_attribute_of_a_role_is_a_grant(plans: Plans) -> None:
    values = copy.deepcopy(root(plans, "local"))
    find(values, ROLE)["values"]["managed_policy_arns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    (added,) = {*policies(values)} - {*policies(root(plans, "local"))}
    assert [(grant.document.kind, grant.what, grant.action) for grant in grants(added)] == [
        ("managed policy", "is attached", "AdministratorAccess")
    ]


@pytest.mark.parametrize(
    ("kind", "values", "owner"),
    [
        ("aws_sqs_queue_policy", {"queue_url": "https://sqs/orders"}, "arn:aws:sqs:eu-west-1:1:orders"),
        ("aws_kinesis_resource_policy", {"resource_arn": "arn:aws:kinesis:eu-west-1:1:stream/a"}, ""),
        ("aws_dynamodb_resource_policy", {"resource_arn": "arn:aws:dynamodb:eu-west-1:1:table/a"}, ""),
        ("aws_secretsmanager_secret_policy", {"secret_arn": "arn:aws:secretsmanager:eu-west-1:1:secret:a"}, ""),
        ("aws_sns_topic", {"arn": "arn:aws:sns:eu-west-1:1:a"}, ""),
        ("aws_s3_bucket", {"bucket": "a"}, "arn:aws:s3:::a"),
    ],
)
def test_a_policy_of_its_own_is_read_with_its_owner(
    plans: Plans, kind: str, values: dict[str, str], owner: str
) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    queue = {"url": "https://sqs/orders", "arn": "arn:aws:sqs:eu-west-1:1:orders", "policy": ""}
    more = {"type": kind, "values": values | {"policy": json.dumps({"Statement": [statement]})}}
    resources = [{"type": "aws_sqs_queue", "values": queue, "address": "aws_sqs_queue.orders", "mode": "managed"}, more]
    module = {"resources": [{"address": f"{kind}.more", "mode": "managed"} | entry for entry in resources]}
    (document,) = policies(module)
    assert document.owner == (owner or next(iter(values.values())))
    problems = static.problems(module, reasons())
    assert f"{kind}.more, statement 0: everybody may sqs:SendMessage" in problems


def test_a_policy_that_an_attribute_repeats_is_read_once(plans: Plans) -> None:
    """After a refresh, attributes of roles and buckets repeat the policies that other resources attach."""
    values = copy.deepcopy(root(plans, "local"))
    policy = find(values, PERMISSIONS)["values"]["policy"]
    find(values, ROLE)["values"]["inline_policy"] = [{"name": "permissions", "policy": policy}]
    attached = find(values, "module.uploads.aws_s3_bucket_policy.this")["values"]
    bucket = find(values, "module.uploads.aws_s3_bucket.this")["values"]
    bucket |= {name: attached[name] for name in ("bucket", "policy")}
    assert policies(values) == policies(root(plans, "local"))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_iam_policy", {"policy": EVERYTHING}),
        ("aws_iam_user_policy", {"user": "a", "policy": EVERYTHING}),
        ("aws_ecr_repository_policy", {"policy": EVERYTHING}),
        ("aws_iam_policy_attachment", {"roles": ["a"], "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ],
)
def test_a_kind_of_policy_that_is_not_read_is_reported(plans: Plans, kind: str, values: dict[str, Any]) -> None:
    (problem,) = problems_with(plans, {"type": kind, "values": values})
    assert problem.startswith(f"{kind}.more: tests/iam/documents.py does not read")
