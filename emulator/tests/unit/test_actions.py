"""Test which permissions each operation needs."""

import base64
from typing import Any

import pytest

from embedded_localstack.iam.actions import TABLES, checks
from embedded_localstack.iam.request import UnmappedError

ACCOUNT, REGION = "000000000000", "us-east-1"
SQS = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
API = f"arn:aws:apigateway:{REGION}::"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"


class Facts:
    def redrive_sources(self, dead_letter_arn: str) -> list[str]:
        return [f"{SQS}:source"] if dead_letter_arn == f"{SQS}:dlq" else []

    def hash_key(self, table_arn: str, index: str | None = None) -> str | None:
        return {None: "id", "i": "owner"}.get(index) if table_arn.endswith("/t") else None

    def mapping_function(self, uuid: str) -> str | None:
        return f"{FUNCTION}:f" if uuid == "u" else None

    def identity(self, address: str) -> str:
        return "example.org" if address.endswith("@example.org") else address

    def has_tags(self, _bucket: str, key: str, _version: str) -> bool:
        return key == "tagged"

    def key_arn(self, key_id: str) -> str:
        return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"

    def secret_arn(self, secret_id: str) -> str:
        return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret_id}-Abc123"


def needed(service: str, operation: str, **params: Any) -> list[tuple[str, str]]:
    return [(check.action, check.resource) for check in checks(service, operation, params, ACCOUNT, REGION, Facts())]


def keys(service: str, operation: str, **params: Any) -> Any:
    return checks(service, operation, params, ACCOUNT, REGION, Facts())[0].keys


B = {"Bucket": "b", "Key": "dir/k"}
CASES: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("s3", "GetObject", B, [("s3:GetObject", "arn:aws:s3:::b/dir/k")]),
    ("s3", "GetObject", {**B, "VersionId": "v"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/dir/k")]),
    ("s3", "GetObjectAttributes", B, [(f"s3:GetObject{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Attributes")]),
    (
        "s3",
        "GetObjectAttributes",
        {**B, "VersionId": "v"},
        [(f"s3:GetObjectVersion{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Attributes")],
    ),
    ("s3", "HeadObject", B, [("s3:GetObject", "arn:aws:s3:::b/dir/k")]),
    ("s3", "GetObjectTagging", {**B, "VersionId": "v"}, [("s3:GetObjectVersionTagging", "arn:aws:s3:::b/dir/k")]),
    ("s3", "PutObject", B, [("s3:PutObject", "arn:aws:s3:::b/dir/k")]),
    (
        "s3",
        "PutObject",
        {**B, "Tagging": "a=b", "ACL": "private"},
        [(f"s3:PutObject{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Tagging", "Acl")],
    ),
    (
        "s3",
        "PutObject",
        {**B, "GrantRead": "id=1", "ObjectLockMode": "GOVERNANCE", "ObjectLockLegalHoldStatus": "ON"},
        [(f"s3:PutObject{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Acl", "Retention", "LegalHold")],
    ),
    (
        "s3",
        "CreateBucket",
        {"Bucket": "b", "ACL": "public-read", "ObjectLockEnabledForBucket": True, "ObjectOwnership": "ObjectWriter"},
        [
            (f"s3:{action}", "arn:aws:s3:::b")
            for action in (
                "CreateBucket",
                "PutBucketAcl",
                "PutBucketObjectLockConfiguration",
                "PutBucketVersioning",
                "PutBucketOwnershipControls",
            )
        ],
    ),
    (
        "s3",
        "DeleteObject",
        {**B, "BypassGovernanceRetention": True},
        [(f"s3:{action}", "arn:aws:s3:::b/dir/k") for action in ("DeleteObject", "BypassGovernanceRetention")],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": "from/tagged"},
        [
            ("s3:GetObject", "arn:aws:s3:::from/tagged"),
            ("s3:PutObject", "arn:aws:s3:::b/dir/k"),
            ("s3:GetObjectTagging", "arn:aws:s3:::from/tagged"),
            ("s3:PutObjectTagging", "arn:aws:s3:::b/dir/k"),
        ],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": "from/tagged", "TaggingDirective": "REPLACE"},
        [("s3:GetObject", "arn:aws:s3:::from/tagged"), ("s3:PutObject", "arn:aws:s3:::b/dir/k")],
    ),
    (
        "sqs",
        "CreateQueue",
        {"QueueName": "q", "tags": {"a": "b"}},
        [(f"sqs:{action}", f"{SQS}:q") for action in ("CreateQueue", "TagQueue")],
    ),
    ("s3", "CreateBucket", {"Bucket": "b", "ACL": "private"}, [("s3:CreateBucket", "arn:aws:s3:::b")]),
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
        "dynamodb",
        "CreateTable",
        {"TableName": "t", "Tags": [{"Key": "a"}]},
        [(f"dynamodb:{action}", f"{TABLE}/t") for action in ("CreateTable", "TagResource")],
    ),
    (
        "logs",
        "CreateLogGroup",
        {"logGroupName": "g", "tags": {"a": "b"}},
        [("logs:CreateLogGroup", f"{LOGS}:g:log-stream:"), ("logs:TagResource", f"{LOGS}:g")],
    ),
    (
        "lambda",
        "UpdateFunctionCode",
        {"FunctionName": "f", "S3Bucket": "b", "S3Key": "k", "S3ObjectVersion": "v"},
        [("lambda:UpdateFunctionCode", f"{FUNCTION}:f"), ("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
    ),
    (
        "ses",
        "SendTemplatedEmail",
        {"Source": "a@example.org", "Template": "t"},
        [
            ("ses:SendTemplatedEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:{part}")
            for part in ("identity/example.org", "template/t")
        ],
    ),
    ("s3", "UploadPart", B, [("s3:PutObject", "arn:aws:s3:::b/dir/k")]),
    ("s3", "AbortMultipartUpload", B, [("s3:AbortMultipartUpload", "arn:aws:s3:::b/dir/k")]),
    ("s3", "DeleteObject", {**B, "VersionId": "v"}, [("s3:DeleteObjectVersion", "arn:aws:s3:::b/dir/k")]),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2", "VersionId": "v"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/2")],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": "/from/a%20b?versionId=1"},
        [("s3:GetObjectVersion", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::b/dir/k")],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": {"Bucket": "from", "Key": "x"}},
        [("s3:GetObject", "arn:aws:s3:::from/x"), ("s3:PutObject", "arn:aws:s3:::b/dir/k")],
    ),
    ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    ("s3", "ListObjectVersions", {"Bucket": "b"}, [("s3:ListBucketVersions", "arn:aws:s3:::b")]),
    ("s3", "HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    ("s3", "PutBucketNotificationConfiguration", {"Bucket": "b"}, [("s3:PutBucketNotification", "arn:aws:s3:::b")]),
    ("sqs", "SendMessageBatch", {"QueueUrl": "http://x/000000000000/q"}, [("sqs:SendMessage", f"{SQS}:q")]),
    (
        "sqs",
        "ReceiveMessage",
        {"QueueUrl": "http://x/111111111111/q"},
        [("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:111111111111:q")],
    ),
    ("sqs", "GetQueueUrl", {"QueueName": "q"}, [("sqs:GetQueueUrl", f"{SQS}:q")]),
    (
        "sqs",
        "StartMessageMoveTask",
        {"SourceArn": f"{SQS}:dlq"},
        [
            (f"sqs:{name}", f"{SQS}:dlq")
            for name in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ]
        + [("sqs:SendMessage", f"{SQS}:source")],
    ),
    ("sns", "PublishBatch", {"TopicArn": "arn:aws:sns:r:a:t"}, [("sns:Publish", "arn:aws:sns:r:a:t")]),
    ("sns", "Unsubscribe", {"SubscriptionArn": "arn:aws:sns:r:a:t:uuid"}, [("sns:Unsubscribe", "arn:aws:sns:r:a:t")]),
    ("dynamodb", "PutItem", {"TableName": "t", "Item": {"id": {"S": "1"}}}, [("dynamodb:PutItem", f"{TABLE}/t")]),
    ("dynamodb", "GetItem", {"TableName": f"{TABLE}/t", "Key": {}}, [("dynamodb:GetItem", f"{TABLE}/t")]),
    ("dynamodb", "Query", {"TableName": "u", "IndexName": "i"}, [("dynamodb:Query", f"{TABLE}/u/index/i")]),
    ("dynamodb", "Scan", {"TableName": "t"}, [("dynamodb:Scan", f"{TABLE}/t")]),
    (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"t": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}], "u": [{"DeleteRequest": {"Key": {}}}]}},
        [("dynamodb:BatchWriteItem", f"{TABLE}/t"), ("dynamodb:BatchWriteItem", f"{TABLE}/u")],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "t", "Item": {}}},
                {"Update": {"TableName": "u", "Key": {}}},
                {"ConditionCheck": {"TableName": "t", "Key": {}}},
            ]
        },
        [
            ("dynamodb:PutItem", f"{TABLE}/t"),
            ("dynamodb:UpdateItem", f"{TABLE}/u"),
            ("dynamodb:ConditionCheckItem", f"{TABLE}/t"),
        ],
    ),
    (
        "dynamodbstreams",
        "GetRecords",
        {"ShardIterator": f"{TABLE}/t/stream/1|x"},
        [("dynamodb:GetRecords", f"{TABLE}/t/stream/1")],
    ),
    ("dynamodbstreams", "ListStreams", {}, [("dynamodb:ListStreams", "*")]),
    ("dynamodbstreams", "ListStreams", {"TableName": "t"}, [("dynamodb:ListStreams", f"{TABLE}/t/stream/*")]),
    (
        "kinesis",
        "PutRecords",
        {"StreamName": "s"},
        [("kinesis:PutRecords", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s")],
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
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s"},
        [("logs:PutLogEvents", f"{LOGS}:g:log-stream:s")],
    ),
    ("logs", "CreateLogGroup", {"logGroupName": "g"}, [("logs:CreateLogGroup", f"{LOGS}:g:log-stream:")]),
    ("logs", "StartQuery", {"logGroupIdentifier": f"{LOGS}:g:*"}, [("logs:StartQuery", f"{LOGS}:g:log-stream:")]),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Source": "a"}, {"EventBusName": "orders"}]},
        [("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}") for bus in ("default", "orders")],
    ),
    (
        "events",
        "EnableRule",
        {"Name": "r", "EventBusName": "o"},
        [("events:EnableRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/o/r")],
    ),
    ("cloudwatch", "PutMetricData", {"Namespace": "N"}, [("cloudwatch:PutMetricData", "*")]),
    (
        "cloudwatch",
        "DescribeAlarms",
        {"AlarmNames": ["a", "b"]},
        [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}") for name in "ab"],
    ),
    (
        "ses",
        "SendEmail",
        {"Source": "Us <us@example.org>"},
        [("ses:SendEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.org")],
    ),
    (
        "ses",
        "SendRawEmail",
        {"RawMessage": {"Data": b"From: me@example.com\r\n\r\nhello"}},
        [("ses:SendRawEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/me@example.com")],
    ),
    ("kms", "Decrypt", {"KeyId": "k"}, [("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")]),
    ("xray", "PutTraceSegments", {}, [("xray:PutTraceSegments", "*")]),
    (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "arn:aws:states:r:a:m"},
        [("states:StartExecution", "arn:aws:states:r:a:m")],
    ),
    ("ssm", "GetParameter", {"Name": "/a/b"}, [("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b")]),
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
    ("apigateway", "GetResources", {"restApiId": "a"}, [("apigateway:GET", f"{API}/restapis/a/resources")]),
    ("iam", "CreateRole", {"RoleName": "r", "Path": "/team/"}, [("iam:CreateRole", f"{ROLES}/team/r")]),
    ("iam", "PutRolePolicy", {"RoleName": "r"}, [("iam:PutRolePolicy", f"{ROLES}/r")]),
    (
        "lambda",
        "CreateFunction",
        {"FunctionName": "f", "Role": f"{ROLES}/r"},
        [("lambda:CreateFunction", f"{FUNCTION}:f"), ("iam:PassRole", f"{ROLES}/r")],
    ),
    (
        "cloudwatch",
        "DeleteDashboards",
        {"DashboardNames": ["d", "e"]},
        [("cloudwatch:DeleteDashboards", f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}") for name in "de"],
    ),
    ("s3", "DeleteBucketCors", {"Bucket": "b"}, [("s3:PutBucketCORS", "arn:aws:s3:::b")]),
    ("dynamodb", "UpdateTimeToLive", {"TableName": "t"}, [("dynamodb:UpdateTimeToLive", f"{TABLE}/t")]),
    ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::0:role/r"}, [("sts:AssumeRole", "arn:aws:iam::0:role/r")]),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_permissions(service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]):
    assert needed(service, operation, **params) == expected


def test_condition_keys():
    assert keys("s3", "ListObjectsV2", Bucket="b", Prefix="p/", MaxKeys=1) == {"s3:prefix": "p/", "s3:max-keys": "1"}
    assert keys("s3", "ListObjectsV2", Bucket="b") == {}
    assert keys("s3", "PutObject", **B, ServerSideEncryption="AES256") == {"s3:x-amz-server-side-encryption": "AES256"}
    version = {"s3:versionid": "v"}
    assert keys("s3", "CopyObject", **B, CopySource="from/a?versionId=v") == version
    assert keys("s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "k", "VersionId": "v"}]}) == version
    assert checks("s3", "PutObject", {**B, "ACL": "private"}, ACCOUNT, REGION, Facts())[1].keys == {
        "s3:x-amz-acl": "private"
    }
    assert keys("dynamodb", "GetItem", TableName="t", Key={"id": {"S": "1"}}) == {"dynamodb:leadingkeys": ["1"]}
    assert keys("dynamodb", "GetItem", TableName="other", Key={"id": {"S": "1"}}) == {}
    assert keys("lambda", "UpdateEventSourceMapping", UUID="u") == {"lambda:functionarn": f"{FUNCTION}:f"}
    assert keys("cloudwatch", "PutMetricData", Namespace="N") == {"cloudwatch:namespace": "N"}
    logs = "arn:aws:iam::aws:policy/Logs"
    assert keys("iam", "AttachRolePolicy", RoleName="r", PolicyArn=logs) == {"iam:policyarn": logs}
    assert keys("iam", "CreateRole", RoleName="r", PermissionsBoundary="b") == {"iam:permissionsboundary": "b"}
    function = {"FunctionName": "f", "Role": f"{ROLES}/r"}
    assert checks("lambda", "CreateFunction", function, ACCOUNT, REGION, Facts())[1].keys == {
        "iam:passedtoservice": "lambda.amazonaws.com"
    }
    assert keys("ses", "SendEmail", Source="a@b.c", Destination={"ToAddresses": ["x@y.z"]}) == {
        "ses:fromaddress": "a@b.c",
        "ses:recipients": ["x@y.z"],
    }


ONE = {"ExpressionAttributeValues": {":v": {"S": "1"}, ":w": {"S": "2"}}}
PARTITIONS: list[tuple[str, dict[str, Any]]] = [
    ("by its name", {"KeyConditionExpression": "id = :v"}),
    ("without blanks", {"KeyConditionExpression": "id=:v"}),
    ("by another name", {"KeyConditionExpression": "#k = :v", "ExpressionAttributeNames": {"#k": "id"}}),
    (
        "as boto3 writes it",
        {"KeyConditionExpression": "(#n0 = :v AND begins_with(at, :w))", "ExpressionAttributeNames": {"#n0": "id"}},
    ),
    ("after the sort key", {"KeyConditionExpression": "at >= :w and id = :v"}),
    ("in the older form", {"KeyConditions": {"id": {"AttributeValueList": [{"S": "1"}], "ComparisonOperator": "EQ"}}}),
    ("of an index", {"IndexName": "i", "KeyConditionExpression": "id = :w AND owner = :v"}),
]


@pytest.mark.parametrize("params", [params for _, params in PARTITIONS], ids=[name for name, _ in PARTITIONS])
def test_the_leading_key_of_a_query_is_its_partition_key(params: dict[str, Any]):
    assert keys("dynamodb", "Query", TableName="t", **ONE, **params) == {"dynamodb:leadingkeys": ["1"]}


@pytest.mark.parametrize("expression", ["", "id = 1", "id = :absent", "id = :v AND id = 2", ":v = id", "at = :v"])
@pytest.mark.parametrize("index", [{}, {"IndexName": "unknown"}])
def test_a_query_of_who_knows_which_partition_is_refused(expression: str, index: dict[str, str]):
    with pytest.raises(UnmappedError, match=r"the partition that a Query of .*table/t.* reads cannot be told"):
        keys("dynamodb", "Query", TableName="t", KeyConditionExpression=expression, **ONE, **index)


def test_the_recipients_of_a_raw_mail_are_in_its_header():
    mail = b"From: a@x.org\r\nTo: b@x.org, C <c@x.org>\r\nCc: d@x.org\r\nBcc: e@x.org\r\n\r\ntext"
    listed = keys("ses", "SendRawEmail", RawMessage={"Data": mail})["ses:recipients"]
    assert listed == ["b@x.org", "c@x.org", "d@x.org", "e@x.org"]
    listed = keys("ses", "SendRawEmail", RawMessage={"Data": mail}, Destinations=["f@x.org"])["ses:recipients"]
    assert listed == ["f@x.org"]


URL = f"http://127.0.0.1:4566/{ACCOUNT}"


def test_a_queue_is_the_one_in_the_path_of_its_url():
    for url in (f"{URL}/q", f"{URL}/q/", f"http://sqs.us-east-1.localhost:4566/queue/{REGION}/{ACCOUNT}/q"):
        assert needed("sqs", "SendMessage", QueueUrl=url) == [("sqs:SendMessage", f"{SQS}:q")]
    for suffix in ("?x=/000000000000/other", "#/000000000000/other"):
        assert needed("sqs", "SendMessage", QueueUrl=f"{URL}/q{suffix}") == [("sqs:SendMessage", f"{SQS}:q")]
    for url in ("q", f"{URL}/q/../other", f"{URL}/../q", "http://127.0.0.1:4566/"):
        with pytest.raises(UnmappedError, match="has no path /ACCOUNT/NAME"):
            needed("sqs", "SendMessage", QueueUrl=url)


def test_an_iterator_reads_from_its_own_stream():
    iterator, by_arn = (base64.b64encode(name + b":shardId-000000000000:0").decode() for name in (b"mine", b"None"))
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream"
    expected = [("kinesis:GetRecords", f"{arn}/mine")]
    assert needed("kinesis", "GetRecords", ShardIterator=iterator, StreamARN=f"{arn}/other") == expected
    assert needed("kinesis", "GetRecords", ShardIterator=by_arn, StreamARN=f"{arn}/mine") == expected


@pytest.mark.parametrize("operation", ["ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"])
def test_partiql_is_refused(operation: str):
    with pytest.raises(UnmappedError, match="PartiQL"):
        needed("dynamodb", operation)


@pytest.mark.parametrize("service", sorted(TABLES))
def test_every_row_accepts_a_request_without_optional_parameters(service: str):
    for operation in TABLES[service]:
        if operation in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
            continue
        permissions = needed(service, operation)
        assert permissions, operation
        assert all(action.split(":")[0].isalnum() for action, _ in permissions)
