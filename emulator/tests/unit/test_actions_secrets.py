"""Test which permissions the operations of secrets, parameters, workflows, keys and IAM need."""

from typing import Any

import pytest

from actions import ACCOUNT, KEY, REGION, ROLES, SECRET, Cases, checked
from embedded_localstack.iam.request import request_tags

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream"
ROLE = f"{ROLES}/r"

ROWS: Cases = [
    ("secretsmanager", "GetSecretValue", {"SecretId": "s"}, [("GetSecretValue", f"{SECRET}:s-Abc123")]),
    ("secretsmanager", "CreateSecret", {"Name": "s"}, [("CreateSecret", f"{SECRET}:s-??????")]),
    ("secretsmanager", "ListSecrets", {}, [("ListSecrets", "*")]),
    (
        "secretsmanager",
        "BatchGetSecretValue",
        {"SecretIdList": ["s"]},
        [("BatchGetSecretValue", "*"), ("GetSecretValue", f"{SECRET}:s-Abc123")],
    ),
    ("ssm", "GetParameter", {"Name": "/a/b:3"}, [("GetParameter", f"{PARAMETER}/a/b")]),
    ("ssm", "GetParameter", {"Name": f"{PARAMETER}/a/b"}, [("GetParameter", f"{PARAMETER}/a/b")]),
    (
        "ssm",
        "DeleteParameters",
        {"Names": ["/a", "b"]},
        [("DeleteParameters", f"{PARAMETER}/a"), ("DeleteParameters", f"{PARAMETER}/b")],
    ),
    ("ssm", "DescribeParameters", {}, [("DescribeParameters", "*")]),
    (
        "ssm",
        "ListTagsForResource",
        {"ResourceType": "Parameter", "ResourceId": "/a/b"},
        [("ListTagsForResource", f"{PARAMETER}/a/b")],
    ),
    ("stepfunctions", "UpdateStateMachine", {"stateMachineArn": MACHINE}, [("UpdateStateMachine", MACHINE)]),
    ("stepfunctions", "StartExecution", {"stateMachineArn": f"{MACHINE}:prod"}, [("StartExecution", MACHINE)]),
    ("stepfunctions", "CreateStateMachine", {"name": "m"}, [("CreateStateMachine", MACHINE)]),
    ("stepfunctions", "ListExecutions", {"mapRunArn": "arn:run"}, [("ListExecutions", "arn:run")]),
    (
        "stepfunctions",
        "CreateStateMachineAlias",
        {"routingConfiguration": [{"stateMachineVersionArn": f"{MACHINE}:1"}]},
        [("CreateStateMachineAlias", MACHINE)],
    ),
    (
        "scheduler",
        "CreateSchedule",
        {"Name": "s"},
        [("CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/s")],
    ),
    (
        "scheduler",
        "GetSchedule",
        {"Name": "s", "GroupName": "g"},
        [("GetSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/g/s")],
    ),
    (
        "firehose",
        "PutRecord",
        {"DeliveryStreamName": "d"},
        [("PutRecord", f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/d")],
    ),
    ("iam", "CreateUser", {"UserName": "u", "Path": "/a/"}, [("CreateUser", f"arn:aws:iam::{ACCOUNT}:user/a/u")]),
    ("iam", "DeletePolicy", {"PolicyArn": "arn:policy"}, [("DeletePolicy", "arn:policy")]),
    (
        "iam",
        "CreateOpenIDConnectProvider",
        {"Url": "https://example.org/a"},
        [("CreateOpenIDConnectProvider", f"arn:aws:iam::{ACCOUNT}:oidc-provider/example.org/a")],
    ),
    (
        "iam",
        "CreateServiceLinkedRole",
        {"AWSServiceName": "s.amazonaws.com"},
        [("CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/s.amazonaws.com/*")],
    ),
    ("kinesis", "SplitShard", {"StreamName": "s"}, [("SplitShard", f"{STREAM}/s")]),
    ("kinesis", "UpdateShardCount", {"StreamName": "s"}, [("UpdateShardCount", "*")]),
    (
        "kinesis",
        "DescribeStreamConsumer",
        {"StreamARN": f"{STREAM}/s", "ConsumerName": "c"},
        [("DescribeStreamConsumer", f"{STREAM}/s/consumer/c:*")],
    ),
    ("kms", "Decrypt", {"CiphertextBlob": b"k" * 36 + b"more"}, [("Decrypt", f"{KEY}/{'k' * 36}")]),
    ("kms", "Decrypt", {"CiphertextBlob": b"k" * 36, "KeyId": "j"}, [("Decrypt", f"{KEY}/j")]),
    ("kms", "Decrypt", {}, [("Decrypt", "*")]),
    (
        "kms",
        "ReEncrypt",
        {"CiphertextBlob": b"k" * 40, "DestinationKeyId": "j"},
        [("ReEncryptFrom", f"{KEY}/{'k' * 36}"), ("ReEncryptTo", f"{KEY}/j")],
    ),
    (
        "kms",
        "UpdateAlias",
        {"AliasName": "alias/a", "TargetKeyId": "j"},
        [
            ("UpdateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/a"),
            ("UpdateAlias", f"{KEY}/of-alias"),
            ("UpdateAlias", f"{KEY}/j"),
        ],
    ),
    (
        "sts",
        "AssumeRole",
        {"RoleArn": ROLE, "Tags": [{"Key": "a", "Value": "b"}], "SourceIdentity": "me"},
        [("AssumeRole", ROLE), ("TagSession", ROLE), ("SetSourceIdentity", ROLE)],
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), ROWS, ids=[f"{row[1]}-{number}" for number, row in enumerate(ROWS)]
)
def test_operations_need_their_permissions(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
):
    asked = [(check.action.partition(":")[2], check.resource) for check in checked(service, operation, **params)]
    assert asked == expected


def test_assume_role_has_its_condition_keys():
    params = {"RoleArn": ROLE, "RoleSessionName": "n", "ExternalId": "e", "TransitiveTagKeys": ["a"]}
    assert checked("sts", "AssumeRole", **params)[0].keys == {
        "sts:externalid": "e",
        "sts:rolesessionname": "n",
        "sts:transitivetagkeys": ["a"],
    }


def test_requests_for_secrets_and_parameters_have_their_condition_keys():
    assert checked("secretsmanager", "GetSecretValue", SecretId="s")[0].keys == {
        "secretsmanager:secretid": "s",
        "secretsmanager:versionstage": "AWSCURRENT",
    }
    deletion = checked("secretsmanager", "DeleteSecret", SecretId="s", ForceDeleteWithoutRecovery=True)[0]
    assert deletion.keys["secretsmanager:forcedeletewithoutrecovery"] == "true"
    tagged = checked("ssm", "PutParameter", Name="a", Tags=[{"Key": "t", "Value": "v"}])[0]
    assert tagged.keys == {"ssm:overwrite": "false", "aws:tagkeys": ["t"], "aws:requesttag/t": "v"}


def test_the_qualifier_of_a_state_machine_is_a_condition_key():
    (check,) = checked("stepfunctions", "StartExecution", stateMachineArn=f"{MACHINE}:prod")
    assert check.keys == {"states:statemachinequalifier": "prod"}


def test_grants_and_encryption_contexts_have_their_condition_keys():
    grant = {"KeyId": "k", "GranteePrincipal": ROLE, "Operations": ["Decrypt"]}
    constraints = {"EncryptionContextSubset": {"a": "1"}}
    assert checked("kms", "CreateGrant", **grant, Constraints=constraints)[0].keys == {
        "kms:calleraccount": ACCOUNT,
        "kms:granteeprincipal": ROLE,
        "kms:grantconstrainttype": "EncryptionContextSubset",
        "kms:grantoperations": ["Decrypt"],
    }
    assert checked("kms", "Encrypt", KeyId="alias/a", EncryptionContext={"a": "1"})[0].keys == {
        "kms:calleraccount": ACCOUNT,
        "kms:encryptioncontext:a": "1",
        "kms:encryptioncontextkeys": ["a"],
        "kms:requestalias": "alias/a",
    }


@pytest.mark.parametrize("tags", [[{"Key": "A", "Value": "b"}], [{"key": "A", "value": "b"}], {"A": "b"}])
def test_tags_come_as_a_list_or_a_mapping(tags: Any):
    assert request_tags(tags) == {"aws:tagkeys": ["A"], "aws:requesttag/a": "b"}
    assert request_tags(None) == request_tags([]) == {}
