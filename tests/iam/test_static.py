"""Rules that hold for every policy of every environment, and what they say when one is broken."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.iam import static
from tests.iam.documents import listed
from tests.iam.environments import resources
from tests.iam.reasons import reasons

pytestmark = pytest.mark.timeout(1800)

Plans = dict[str, dict[str, Any]]
Edit = Callable[[dict[str, Any]], Any]


def root(plans: Plans, name: str) -> dict[str, Any]:
    """The values of an environment."""
    found: dict[str, Any] = plans[name]["planned_values"]["root_module"]
    return found


@pytest.mark.parametrize("name", ["local", "dev", "staging", "prod", "everything"])
def test_policies_of_every_environment(plans: Plans, name: str) -> None:
    assert static.problems(root(plans, name), reasons()) == []


def test_every_api_waits_for_the_account_s_role_for_its_logs(plans: Plans) -> None:
    """API Gateway refuses a stage with access logs before: on AWS, in the first deployment of an account."""
    configured = plans["local"]["configuration"]["root_module"]
    calls = configured["module_calls"]
    apis = {name: call.get("depends_on") for name, call in calls.items() if call["source"] == "./modules/api"}
    assert "api" in apis
    assert {name: depends_on for name, depends_on in apis.items() if depends_on != ["aws_api_gateway_account.this"]} == {}
    (account,) = [found for found in configured["resources"] if found["type"] == "aws_api_gateway_account"]
    assert account["depends_on"] == ["aws_iam_role_policy_attachment.api_gateway_logs"]


def edited(plans: Plans, address: str, attribute: str, edit: Edit) -> list[str]:
    """The problems of an environment in which one statement was edited."""
    values = copy.deepcopy(root(plans, "local"))
    (resource,) = [found for found in resources(values) if found["address"] == address]
    document = json.loads(resource["values"][attribute])
    statement = next(found for found in listed(document["Statement"]) if found["Effect"] == "Allow")
    edit(statement)
    resource["values"][attribute] = json.dumps(document)
    return static.problems(values, reasons())


QUEUE = "module.uploads_queue.aws_sqs_queue.this"
ROLE = "module.thumbnailer.aws_iam_role.this"
PERMISSIONS = "module.thumbnailer.aws_iam_role_policy.permissions[0]"
WIDENED = [
    ("a queue for every bucket", QUEUE, "policy", lambda s: s.pop("Condition"), "there is no condition on aws:sourcearn"),
    ("a queue for every account", QUEUE, "policy", lambda s: s["Condition"].pop("StringEquals"), "no condition on aws:sourceaccount"),
    ("a queue for everybody", QUEUE, "policy", lambda s: s.update(Principal="*"), "everybody may sqs:SendMessage"),
    ("a queue for an account", QUEUE, "policy", lambda s: s.update(Principal={"AWS": "*"}), "everybody may sqs:SendMessage"),
    ("every queue", QUEUE, "policy", lambda s: s.update(Resource="*"), "wildcard resource *"),
    ("another service", ROLE, "assume_role_policy", lambda s: s.update(Principal={"Service": "ec2.amazonaws.com"}), "trusts one service"),
    ("two services", ROLE, "assume_role_policy", lambda s: s["Principal"].update(AWS="arn:aws:iam::1:root"), "trusts one service"),
    ("a wildcard action", PERMISSIONS, "policy", lambda s: s.update(Action="s3:*"), "wildcard action s3:*"),
    ("a wildcard resource", PERMISSIONS, "policy", lambda s: s.update(Resource="*"), "wildcard resource *"),
    ("every bucket", PERMISSIONS, "policy", lambda s: s.update(Resource="arn:aws:s3:::*"), "wildcard resource arn:aws:s3:::*"),
    ("every table", PERMISSIONS, "policy", lambda s: s.update(Resource="arn:aws:dynamodb:eu-west-1:1:table/*"), "wildcard resource"),
    ("all but one", PERMISSIONS, "policy", lambda s: s.update(NotAction=s.pop("Action"), Action=[]), "NotAction"),
]


@pytest.mark.parametrize(("address", "attribute", "edit", "problem"), [case[1:] for case in WIDENED], ids=[case[0] for case in WIDENED])
def test_a_widened_policy_is_named(plans: Plans, address: str, attribute: str, edit: Edit, problem: str) -> None:
    (found, *_) = edited(plans, address, attribute, edit)
    assert found.startswith(f"{address}, statement ")
    assert problem in found


def test_a_permission_for_every_source_is_named(plans: Plans) -> None:
    values = copy.deepcopy(root(plans, "local"))
    permission = next(found for found in resources(values) if found["address"] == 'module.converter.aws_lambda_permission.s3["raw"]')
    permission["values"] |= {"source_arn": None, "source_account": None}
    assert [problem.partition(": ")[2] for problem in static.problems(values, reasons())] == [
        "s3.amazonaws.com may act for anybody: there is no condition on aws:sourcearn",
        "s3.amazonaws.com may act for anybody: there is no condition on aws:sourceaccount",
    ]
    permission["values"] |= {"source_arn": "arn:aws:s3:::*", "source_account": "123456789012"}
    (problem,) = static.problems(values, reasons())
    assert "is wider than one resource" in problem


def test_a_permission_that_eventbridge_cannot_use_is_named(plans: Plans) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html: remove a SourceAccount."""
    values = copy.deepcopy(root(plans, "local"))
    permission = next(found for found in resources(values) if found["address"] == 'module.digest.aws_lambda_permission.schedule["daily"]')
    assert static.problems(values, reasons()) == []
    permission["values"] |= {"source_account": "123456789012"}
    (problem,) = static.problems(values, reasons())
    assert "EventBridge sets no aws:sourceaccount" in problem


def test_a_queue_that_takes_plain_http_is_named(plans: Plans) -> None:
    values = copy.deepcopy(root(plans, "local"))
    queue = next(found for found in resources(values) if found["address"] == QUEUE)
    document = json.loads(queue["values"]["policy"])
    queue["values"]["policy"] = json.dumps(document | {"Statement": [s for s in document["Statement"] if s["Effect"] == "Allow"]})
    (problem,) = static.problems(values, reasons())
    assert "queue policy that refuses plain HTTP" in problem
