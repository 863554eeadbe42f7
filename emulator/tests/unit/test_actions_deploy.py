"""Test which permissions the operations on functions, APIs, logs, alarms and some other services need."""

from typing import Any

import pytest

from actions import ACCOUNT, API, FUNCTION, LOGS, REGION, ROLES, Cases, checked, keys, needed
from embedded_localstack.iam.actions import TABLES

CASES: Cases = [
    (
        "lambda",
        "CreateEventSourceMapping",
        {"FunctionName": "f", "Tags": {"a": "b"}},
        [
            ("lambda:CreateEventSourceMapping", "*"),
            ("lambda:TagResource", f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"),
        ],
    ),
    (
        "lambda",
        "UpdateFunctionCode",
        {"FunctionName": "f", "S3Bucket": "b", "S3Key": "k", "S3ObjectVersion": "v"},
        [("lambda:UpdateFunctionCode", f"{FUNCTION}:f"), ("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
    ),
    ("lambda", "Invoke", {"FunctionName": "f"}, [("lambda:InvokeFunction", f"{FUNCTION}:f")]),
    ("lambda", "Invoke", {"FunctionName": "f:live"}, [("lambda:InvokeFunction", f"{FUNCTION}:f:live")]),
    ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "live"}, [("lambda:InvokeFunction", f"{FUNCTION}:f:live")]),
    (
        "lambda",
        "Invoke",
        {"FunctionName": f"{FUNCTION}:f:live", "Qualifier": "live"},
        [("lambda:InvokeFunction", f"{FUNCTION}:f:live")],
    ),
    ("lambda", "Invoke", {"FunctionName": "000000000000:function:f"}, [("lambda:InvokeFunction", f"{FUNCTION}:f")]),
    ("lambda", "UpdateAlias", {"FunctionName": "f", "Name": "live"}, [("lambda:UpdateAlias", f"{FUNCTION}:f")]),
    ("lambda", "GetFunction", {"FunctionName": "f", "Qualifier": "3"}, [("lambda:GetFunction", f"{FUNCTION}:f:3")]),
    (
        "lambda",
        "UpdateEventSourceMapping",
        {"UUID": "u"},
        [("lambda:UpdateEventSourceMapping", f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:u")],
    ),
    (
        "lambda",
        "CreateFunction",
        {"FunctionName": "f", "Role": f"{ROLES}/r"},
        [("lambda:CreateFunction", f"{FUNCTION}:f"), ("iam:PassRole", f"{ROLES}/r")],
    ),
    (
        "apigateway",
        "GetStage",
        {"restApiId": "a", "stageName": "v1"},
        [("apigateway:GET", f"{API}/restapis/a/stages/v1")],
    ),
    ("apigateway", "CreateRestApi", {"name": "n"}, [("apigateway:POST", f"{API}/restapis")]),
    ("apigateway", "CreateStage", {"restApiId": "a"}, [("apigateway:POST", f"{API}/restapis/a/stages")]),
    (
        "apigateway",
        "CreateResource",
        {"restApiId": "a", "parentId": "p"},
        [("apigateway:POST", f"{API}/restapis/a/resources/p")],
    ),
    (
        "apigateway",
        "PutIntegration",
        {"restApiId": "a", "resourceId": "r", "httpMethod": "ANY"},
        [("apigateway:PUT", f"{API}/restapis/a/resources/r/methods/ANY/integration")],
    ),
    (
        "apigateway",
        "UpdateAccount",
        {"patchOperations": [{"op": "replace", "path": "/cloudwatchRoleArn", "value": f"{ROLES}/logs"}]},
        [("apigateway:PATCH", f"{API}/account"), ("iam:PassRole", f"{ROLES}/logs")],
    ),
    ("apigatewayv2", "CreateApi", {"Name": "n"}, [("apigateway:POST", f"{API}/apis")]),
    ("apigatewayv2", "GetRoutes", {"ApiId": "a"}, [("apigateway:GET", f"{API}/apis/a/routes")]),
    (
        "apigatewayv2",
        "UpdateStage",
        {"ApiId": "a", "StageName": "$default"},
        [("apigateway:PATCH", f"{API}/apis/a/stages/$default")],
    ),
    (
        "apigatewayv2",
        "CreateIntegration",
        {"ApiId": "a", "CredentialsArn": f"{ROLES}/r"},
        [("apigateway:POST", f"{API}/apis/a/integrations"), ("iam:PassRole", f"{ROLES}/r")],
    ),
    (
        "apigatewayv2",
        "TagResource",
        {"ResourceArn": f"{API}/apis/a"},
        [("apigateway:POST", f"{API}/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2Fapis%2Fa")],
    ),
    (
        "apigateway",
        "UpdateIntegrationResponse",
        {"restApiId": "a", "resourceId": "r", "httpMethod": "GET", "statusCode": "200"},
        [("apigateway:PATCH", f"{API}/restapis/a/resources/r/methods/GET/integration/responses/200")],
    ),
    (
        "apigateway",
        "GetDocumentationVersion",
        {"restApiId": "a", "documentationVersion": "1"},
        [("apigateway:GET", f"{API}/restapis/a/documentation/versions/1")],
    ),
    (
        "apigateway",
        "FlushStageCache",
        {"restApiId": "a", "stageName": "v1"},
        [("apigateway:DELETE", f"{API}/restapis/a/stages/v1/cache/data")],
    ),
    ("apigateway", "ImportRestApi", {"body": b"{}"}, [("apigateway:POST", f"{API}/restapis")]),
    (
        "apigateway",
        "TagResource",
        {"resourceArn": f"{API}/restapis/a"},
        [("apigateway:PUT", f"{API}/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fa")],
    ),
    ("apigateway", "GetResources", {"restApiId": "a"}, [("apigateway:GET", f"{API}/restapis/a/resources")]),
    (
        "logs",
        "CreateLogGroup",
        {"logGroupName": "g", "tags": {"a": "b"}},
        [("logs:CreateLogGroup", f"{LOGS}:g:log-stream:"), ("logs:TagResource", f"{LOGS}:g")],
    ),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s"},
        [("logs:PutLogEvents", f"{LOGS}:g:log-stream:s")],
    ),
    ("logs", "CreateLogGroup", {"logGroupName": "g"}, [("logs:CreateLogGroup", f"{LOGS}:g:log-stream:")]),
    ("logs", "StartQuery", {"logGroupIdentifier": f"{LOGS}:g:*"}, [("logs:StartQuery", f"{LOGS}:g:log-stream:")]),
    ("cloudwatch", "PutMetricData", {"Namespace": "N"}, [("cloudwatch:PutMetricData", "*")]),
    (
        "cloudwatch",
        "DescribeAlarms",
        {"AlarmNames": ["a", "b"]},
        [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}") for name in "ab"],
    ),
    (
        "cloudwatch",
        "DeleteDashboards",
        {"DashboardNames": ["d", "e"]},
        [("cloudwatch:DeleteDashboards", f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}") for name in "de"],
    ),
    ("xray", "PutTraceSegments", {}, [("xray:PutTraceSegments", "*")]),
    ("iam", "CreateRole", {"RoleName": "r", "Path": "/team/"}, [("iam:CreateRole", f"{ROLES}/team/r")]),
    ("iam", "PutRolePolicy", {"RoleName": "r"}, [("iam:PutRolePolicy", f"{ROLES}/r")]),
    (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "arn:aws:states:r:a:m"},
        [("states:StartExecution", "arn:aws:states:r:a:m")],
    ),
    ("kms", "Decrypt", {"KeyId": "k"}, [("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")]),
    ("ssm", "GetParameter", {"Name": "/a/b"}, [("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b")]),
    ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::0:role/r"}, [("sts:AssumeRole", "arn:aws:iam::0:role/r")]),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_need_their_permissions(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
):
    assert needed(service, operation, **params) == expected


def test_requests_have_their_condition_keys():
    assert keys("lambda", "UpdateEventSourceMapping", UUID="u") == {"lambda:functionarn": f"{FUNCTION}:f"}
    assert keys("cloudwatch", "PutMetricData", Namespace="N") == {"cloudwatch:namespace": "N"}
    logs = "arn:aws:iam::aws:policy/Logs"
    assert keys("iam", "AttachRolePolicy", RoleName="r", PolicyArn=logs) == {"iam:policyarn": logs}
    assert keys("iam", "CreateRole", RoleName="r", PermissionsBoundary="b") == {"iam:permissionsboundary": "b"}
    function = {"FunctionName": "f", "Role": f"{ROLES}/r"}
    assert checked("lambda", "CreateFunction", **function)[1].keys == {"iam:passedtoservice": "lambda.amazonaws.com"}


@pytest.mark.parametrize("service", sorted(TABLES))
def test_every_row_accepts_a_request_without_optional_parameters(service: str):
    for operation in TABLES[service]:
        if operation in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
            continue
        permissions = needed(service, operation)
        assert permissions, operation
        assert all(action.split(":")[0].replace("-", "").isalnum() for action, _ in permissions)
