"""Every policy of every environment follows the static rules, and a broken rule is reported."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from scripts.provider6 import schema
from tests.iam import static
from tests.iam.documents import listed
from tests.iam.environments import TERRAFORM, resources
from tests.iam.reasons import reasons

pytestmark = pytest.mark.timeout(1800)

Plans = dict[str, dict[str, Any]]
Types = dict[str, dict[str, Any]]
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Types:
    """Return the schema of every resource type of the provider that the lock file pins."""
    schemas: Types = schema.locked_schema(tmp_path_factory.mktemp("schema"))["resource_schemas"]
    return schemas


def types_with(attribute: str, types: Types) -> set[str]:
    """Return the resource types that have an attribute."""
    return {name for name, rules in types.items() if attribute in rules["block"]["attributes"]}


def blocks(files: str) -> list[tuple[str, str, str, str]]:
    """Return folder, type, name and content of the resources in the files that match a pattern in terraform/."""
    return [
        (file.parent.name, *block)
        for file in TERRAFORM.glob(files)
        for block in re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', file.read_text(), re.MULTILINE | re.DOTALL)
    ]


def lacking(files: str, kinds: set[str], line: str) -> list[tuple[str, str, str]]:
    """Return the resources of these types that have no line matching an expression in their block."""
    return [
        (folder, kind, name)
        for folder, kind, name, content in blocks(files)
        if kind in kinds and not re.search(line, content, re.MULTILINE)
    ]


def root(plans: Plans, name: str) -> dict[str, Any]:
    """Return the root module of an environment's plan."""
    module: dict[str, Any] = plans[name]["planned_values"]["root_module"]
    return module


@pytest.mark.parametrize("name", ["local", "dev", "staging", "prod", "everything"])
def test_the_policies_of_every_environment_follow_the_rules(plans: Plans, name: str) -> None:
    assert static.problems(root(plans, name), reasons()) == []


def test_every_api_depends_on_the_accounts_role_for_access_logs(plans: Plans) -> None:
    """API Gateway refuses a stage with access logs as long as the account lacks this role."""
    configured = plans["local"]["configuration"]["root_module"]
    calls = configured["module_calls"]
    apis = {name: call.get("depends_on") for name, call in calls.items() if call["source"] == "./modules/api"}
    assert "api" in apis
    assert {
        name: depends_on for name, depends_on in apis.items() if depends_on != ["aws_api_gateway_account.this"]
    } == {}
    (account,) = [resource for resource in configured["resources"] if resource["type"] == "aws_api_gateway_account"]
    assert account["depends_on"] == ["aws_iam_role_policy_attachment.api_gateway_logs"]


def test_every_role_has_the_boundary_and_path_of_its_environment(plans: Plans) -> None:
    """An SCP may refuse iam:CreateRole without a permissions boundary."""
    roles = [resource for resource in resources(root(plans, "everything")) if resource["type"] == "aws_iam_role"]
    assert len(roles) == 9, "the functions', that of the state machine and that of API Gateway's logs"
    limits = {"permissions_boundary": "arn:aws:iam::123456789012:policy/boundary", "path": "/automation/"}
    assert [role["address"] for role in roles if role["values"] != role["values"] | limits] == []


def test_every_resource_gets_the_tags_of_its_environment(plans: Plans, types: Types) -> None:
    """In this root the provider adds default_tags. In other roots the modules must pass their tags to each resource."""
    provider = plans["local"]["configuration"]["provider_config"]["aws"]["expressions"]
    assert provider["default_tags"] == [{"tags": {"references": ["local.tags"]}}]
    taggable = types_with("tags", types)
    assert {"aws_apigatewayv2_api", "aws_iam_role", "aws_lambda_event_source_mapping", "aws_s3_bucket"} <= taggable
    assert len(blocks("modules/*/*.tf")) > 50
    assert lacking("modules/*/*.tf", taggable, r"^  tags += var\.tags$") == []


def test_every_role_can_have_a_boundary_and_a_path(types: Types) -> None:
    """modules/function is the only module with roles. The root's roles use the environment's boundary and path."""
    limited = types_with("permissions_boundary", types)
    assert limited >= {"aws_iam_role"}
    for files, owner in (("modules/*/*.tf", "var"), ("*.tf", "local.environment")):
        assert {kind for _, kind, *_ in blocks(files)} & limited, f"{files} has a role"
        for attribute, name in (("permissions_boundary", "permissions_boundary"), ("path", "role_path")):
            assert lacking(files, limited, rf"^  {attribute} += {owner}\.{name}$") == []


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_key_that_leaked_can_send_a_limited_number_of_requests(plans: Plans, name: str) -> None:
    usage_plans = [entry for entry in resources(root(plans, name)) if entry["type"] == "aws_api_gateway_usage_plan"]
    quotas = [quota for entry in usage_plans for quota in entry["values"]["quota_settings"]]
    assert len(quotas) == len(usage_plans) == 1
    assert quotas[0]["period"] == "DAY"
    assert 0 < quotas[0]["limit"] <= 500_000


def find(module: dict[str, Any], address: str) -> dict[str, Any]:
    """Return the resource of a root module with this address."""
    (match,) = [resource for resource in resources(module) if resource["address"] == address]
    return match


def problems_after(plans: Plans, address: str, attribute: str, edit: Edit) -> list[str]:
    """Edit one statement of an environment and return the problems."""
    values = copy.deepcopy(root(plans, "local"))
    resource = find(values, address)
    document = json.loads(resource["values"][attribute])
    statement = next(entry for entry in listed(document["Statement"]) if entry["Effect"] == "Allow")
    edit(statement)
    resource["values"][attribute] = json.dumps(document)
    return static.problems(values, reasons())


QUEUE = "module.uploads_queue.aws_sqs_queue.this"
ROLE = "module.thumbnailer.aws_iam_role.this"
PERMISSIONS = "module.thumbnailer.aws_iam_role_policy.permissions[0]"
WIDENED = [
    (
        "a queue for every bucket",
        QUEUE,
        "policy",
        lambda s: s.pop("Condition"),
        "there is no condition on aws:sourcearn",
    ),
    (
        "a queue for every account",
        QUEUE,
        "policy",
        lambda s: s["Condition"].pop("StringEquals"),
        "no condition on aws:sourceaccount",
    ),
    ("a queue for everybody", QUEUE, "policy", lambda s: s.update(Principal="*"), "everybody may sqs:SendMessage"),
    (
        "a queue for an account",
        QUEUE,
        "policy",
        lambda s: s.update(Principal={"AWS": "*"}),
        "everybody may sqs:SendMessage",
    ),
    ("every queue", QUEUE, "policy", lambda s: s.update(Resource="*"), "wildcard resource *"),
    (
        "another service",
        ROLE,
        "assume_role_policy",
        lambda s: s.update(Principal={"Service": "ec2.amazonaws.com"}),
        "trusts one service",
    ),
    (
        "two services",
        ROLE,
        "assume_role_policy",
        lambda s: s["Principal"].update(AWS="arn:aws:iam::1:root"),
        "trusts one service",
    ),
    ("a wildcard action", PERMISSIONS, "policy", lambda s: s.update(Action="s3:*"), "wildcard action s3:*"),
    ("a wildcard resource", PERMISSIONS, "policy", lambda s: s.update(Resource="*"), "wildcard resource *"),
    (
        "every bucket",
        PERMISSIONS,
        "policy",
        lambda s: s.update(Resource="arn:aws:s3:::*"),
        "wildcard resource arn:aws:s3:::*",
    ),
    (
        "every table",
        PERMISSIONS,
        "policy",
        lambda s: s.update(Resource="arn:aws:dynamodb:eu-west-1:1:table/*"),
        "wildcard resource",
    ),
    ("all but one", PERMISSIONS, "policy", lambda s: s.update(NotAction=s.pop("Action"), Action=[]), "NotAction"),
]


@pytest.mark.parametrize(
    ("address", "attribute", "edit", "problem"),
    [case[1:] for case in WIDENED],
    ids=[case[0] for case in WIDENED],
)
def test_a_widened_policy_is_reported(plans: Plans, address: str, attribute: str, edit: Edit, problem: str) -> None:
    (message, *_) = problems_after(plans, address, attribute, edit)
    assert message.startswith(f"{address}, statement ")
    assert problem in message


def test_a_permission_for_every_source_is_reported(plans: Plans) -> None:
    values = copy.deepcopy(root(plans, "local"))
    permission = find(values, 'module.converter.aws_lambda_permission.s3["raw"]')
    permission["values"] |= {"source_arn": None, "source_account": None}
    assert [problem.partition(": ")[2] for problem in static.problems(values, reasons())] == [
        "s3.amazonaws.com may act for anybody: there is no condition on aws:sourcearn",
        "s3.amazonaws.com may act for anybody: there is no condition on aws:sourceaccount",
    ]
    permission["values"] |= {"source_arn": "arn:aws:s3:::*", "source_account": "123456789012"}
    (problem,) = static.problems(values, reasons())
    assert "is wider than one resource" in problem


def test_a_permission_that_eventbridge_cannot_use_is_reported(plans: Plans) -> None:
    """A permission for EventBridge must not have a SourceAccount.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
    """
    values = copy.deepcopy(root(plans, "local"))
    permission = find(values, 'module.digest.aws_lambda_permission.schedule["daily"]')
    assert static.problems(values, reasons()) == []
    permission["values"] |= {"source_account": "123456789012"}
    (problem,) = static.problems(values, reasons())
    assert "EventBridge sets no aws:sourceaccount" in problem


def test_a_queue_that_accepts_plain_http_is_reported(plans: Plans) -> None:
    values = copy.deepcopy(root(plans, "local"))
    queue = find(values, QUEUE)
    document = json.loads(queue["values"]["policy"])
    statements = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
    queue["values"]["policy"] = json.dumps(document | {"Statement": statements})
    (problem,) = static.problems(values, reasons())
    assert "queue policy that refuses plain HTTP" in problem


HALVED_DENIES = [
    ("without the objects", "module.uploads.aws_s3_bucket_policy.this", {"Resource": ["arn:aws:s3:::mock"]}),
    ("without the bucket", "module.uploads.aws_s3_bucket_policy.this", {"Resource": ["arn:aws:s3:::mock/*"]}),
    ("only for reading", "module.uploads.aws_s3_bucket_policy.this", {"Action": "s3:GetObject"}),
    ("only for sending", QUEUE, {"Action": "sqs:SendMessage"}),
    ("on another queue", QUEUE, {"Resource": "arn:aws:sqs:eu-west-1:123456789012:other"}),
]


@pytest.mark.parametrize(
    ("address", "change"), [case[1:] for case in HALVED_DENIES], ids=[case[0] for case in HALVED_DENIES]
)
def test_a_deny_that_is_not_about_everything_is_reported(plans: Plans, address: str, change: dict[str, Any]) -> None:
    values = copy.deepcopy(root(plans, "local"))
    resource = find(values, address)
    document = json.loads(resource["values"]["policy"])
    next(statement for statement in document["Statement"] if statement["Effect"] == "Deny").update(change)
    resource["values"]["policy"] = json.dumps(document)
    (problem,) = static.problems(values, reasons())
    assert problem.startswith("1 of ")
    assert problem.endswith("policy that refuses plain HTTP")
