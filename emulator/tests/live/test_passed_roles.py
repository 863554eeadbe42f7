"""Test what a service checks when a request passes a role or connects resources, with invented facts."""

import json
from typing import Any

import pytest

from embedded_localstack.iam.connections import refusal
from embedded_localstack.iam.decide import Policy
from embedded_localstack.iam.passed_roles import checks, passed

ROLE, OTHER = "arn:aws:iam::000000000000:role/r", "arn:aws:iam::000000000000:role/path/other"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:dead"


class Facts:
    account, region = "000000000000", "us-east-1"

    def __init__(self, trusted: Any = None, redrive: dict[str, Any] | None = None) -> None:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}
        self._trust = Policy("trust policy", json.dumps({"Statement": statement})) if trusted else None
        self._redrive = json.dumps(redrive) if redrive else None

    def trust_policy(self, _arn: str) -> Policy | None:
        return self._trust

    def redrive_allow_policy(self, _arn: str) -> str | None:
        return self._redrive


@pytest.mark.parametrize(
    ("service", "operation", "params", "principal"),
    [
        ("lambda", "CreateFunction", {"Role": ROLE}, "lambda"),
        ("lambda", "UpdateFunctionConfiguration", {"Role": ROLE}, "lambda"),
        ("events", "PutRule", {"RoleArn": ROLE}, "events"),
        ("events", "PutTargets", {"Targets": [{"Id": "1", "RoleArn": ROLE}]}, "events"),
        ("logs", "PutSubscriptionFilter", {"roleArn": ROLE, "destinationArn": QUEUE}, "logs"),
        ("logs", "PutDestination", {"roleArn": ROLE}, "logs"),
        ("stepfunctions", "UpdateStateMachine", {"roleArn": ROLE}, "states"),
        ("scheduler", "CreateSchedule", {"Target": {"Arn": QUEUE, "RoleArn": ROLE}}, "scheduler"),
        ("firehose", "CreateDeliveryStream", {"ExtendedS3DestinationConfiguration": {"RoleARN": ROLE}}, "firehose"),
        ("pipes", "CreatePipe", {"RoleArn": ROLE}, "pipes"),
        ("s3", "PutBucketReplication", {"ReplicationConfiguration": {"Role": ROLE}}, "s3"),
        ("apigateway", "PutIntegration", {"credentials": ROLE}, "apigateway"),
        ("apigateway", "CreateAuthorizer", {"authorizerCredentials": ROLE}, "apigateway"),
        (
            "apigateway",
            "UpdateAccount",
            {"patchOperations": [{"path": "/cloudwatchRoleArn", "value": ROLE}]},
            "apigateway",
        ),
        ("ecs", "RegisterTaskDefinition", {"taskRoleArn": ROLE}, "ecs-tasks"),
        ("cloudformation", "CreateStack", {"RoleARN": ROLE}, "cloudformation"),
        ("sns", "SetTopicAttributes", {"AttributeName": "LambdaFailureFeedbackRoleArn", "AttributeValue": ROLE}, "sns"),
        ("sns", "CreateTopic", {"Attributes": {"LambdaFailureFeedbackRoleArn": ROLE}}, "sns"),
        ("sns", "Subscribe", {"Attributes": {"SubscriptionRoleArn": ROLE}}, "sns"),
    ],
)
def test_a_passed_role_needs_a_permission(service: str, operation: str, params: dict[str, Any], principal: str):
    (check,) = checks(service, operation, params)
    assert (check.action, check.resource) == ("iam:PassRole", ROLE)
    assert check.keys == {"iam:passedtoservice": f"{principal}.amazonaws.com"}


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("lambda", "AddPermission", {"Principal": ROLE}),
        ("lambda", "UpdateFunctionConfiguration", {"Timeout": 3}),
        ("iam", "UpdateRole", {"RoleArn": ROLE}),
        ("sts", "AssumeRole", {"RoleArn": ROLE}),
        ("apigateway", "PutIntegration", {"credentials": "arn:aws:iam::*:user/*"}),
        ("apigateway", "UpdateStage", {"patchOperations": [{"path": "/variables/a", "value": ROLE}]}),
        ("ssm", "PutParameter", {"Value": ROLE}),
        ("cloudformation", "DescribeStacks", {"RoleARN": ROLE}),
    ],
)
def test_a_named_role_is_not_passed(service: str, operation: str, params: dict[str, Any]):
    assert checks(service, operation, params) == []


def test_every_role_is_passed_once():
    targets = [{"RoleArn": ROLE}, {"RoleArn": OTHER}, {"RoleArn": ROLE}]
    assert passed("events", "PutTargets", {"Targets": targets}) == [ROLE, OTHER]


@pytest.mark.parametrize(
    ("service", "params", "trusted", "code"),
    [
        ("lambda", {"Role": ROLE}, {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}, None),
        ("lambda", {"Role": ROLE}, {"Service": "events.amazonaws.com"}, "InvalidParameterValueException"),
        ("lambda", {"Role": ROLE}, None, "InvalidParameterValueException"),
        ("events", {"RoleArn": ROLE}, {"AWS": "000000000000"}, "ValidationException"),
        ("stepfunctions", {"roleArn": ROLE}, {"Service": "states.us-east-1.amazonaws.com"}, None),
        ("stepfunctions", {"roleArn": ROLE}, {"Service": "states.eu-west-1.amazonaws.com"}, "AccessDeniedException"),
    ],
)
def test_a_service_must_be_able_to_assume_the_role(
    service: str, params: dict[str, Any], trusted: Any, code: str | None
):
    refused = refusal(service, "CreateThing", params, Facts(trusted))
    assert (refused[0] if refused else None) == code


@pytest.mark.parametrize(
    ("policy", "is_refused"),
    [
        (None, False),
        ({"redrivePermission": "allowAll"}, False),
        ({"redrivePermission": "denyAll"}, True),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [QUEUE.replace("dead", "q")]}, False),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [QUEUE.replace("dead", "x")]}, True),
    ],
)
def test_a_dead_letter_queue_must_allow_the_queue(policy: dict[str, Any] | None, is_refused: bool):
    attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": QUEUE, "maxReceiveCount": 1})}
    for name in ({"QueueUrl": "http://127.0.0.1:4566/000000000000/q"}, {"QueueName": "q"}):
        refused = refusal("sqs", "SetQueueAttributes", {**name, "Attributes": attributes}, Facts(redrive=policy))
        assert bool(refused) is is_refused


def test_an_integration_with_another_service_needs_a_role():
    queue = {"type": "AWS", "uri": "arn:aws:apigateway:us-east-1:sqs:path/000000000000/q"}
    function = {"type": "AWS_PROXY", "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{QUEUE}"}
    refused = refusal("apigateway", "PutIntegration", queue, Facts())
    assert refused == ("BadRequestException", "Role ARN must be specified for AWS integrations")
    assert refusal("apigateway", "PutIntegration", {**queue, "credentials": ROLE}, Facts()) is None
    for allowed in (function, {"type": "HTTP", "uri": "https://example.com"}, {"type": "MOCK"}):
        assert refusal("apigateway", "PutIntegration", allowed, Facts()) is None
