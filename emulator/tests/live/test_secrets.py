"""Test permissions on secrets and parameters of a running server."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, Cloud, policy


def session(cloud: Cloud, name: str, *statements: dict[str, Any]) -> dict[str, str]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    arn = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    cloud.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    keys = cloud.sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
    return {name: keys[part] for name, part in {**names, "aws_session_token": "SessionToken"}.items()}


def test_a_secret_is_read_by_name_with_its_whole_arn(cloud: Cloud, name: str):
    mine = cloud.secretsmanager.create_secret(Name=f"{name}/mine", SecretString="x")["ARN"]
    cloud.secretsmanager.create_secret(Name=f"{name}/other", SecretString="x")
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": mine}
    client = cloud.client("secretsmanager", **session(cloud, name, statement))
    for secret_id in (f"{name}/mine", mine, mine[:-7]):
        assert client.get_secret_value(SecretId=secret_id)["SecretString"] == "x"
    with pytest.raises(ClientError, match=r"GetSecretValue on resource: .*/other-"):
        client.get_secret_value(SecretId=f"{name}/other")
    with pytest.raises(ClientError, match="secretsmanager:PutSecretValue"):
        client.put_secret_value(SecretId=mine, SecretString="y")


def test_the_policy_of_a_secret_counts(cloud: Cloud, name: str):
    secret = cloud.secretsmanager.create_secret(Name=name, SecretString="x")["ARN"]
    statement = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    client = cloud.client("secretsmanager", **session(cloud, name, statement))
    assert client.get_secret_value(SecretId=secret)["SecretString"] == "x"
    denied = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    cloud.secretsmanager.put_resource_policy(SecretId=secret, ResourcePolicy=policy(denied))
    with pytest.raises(ClientError, match="explicitly denied"):
        client.get_secret_value(SecretId=name)


def test_an_operation_without_a_table_needs_every_resource(cloud: Cloud, name: str):
    statement = {"Effect": "Allow", "Action": "route53:*", "Resource": "*"}
    everywhere = cloud.client("route53", **session(cloud, name, statement))
    assert everywhere.list_hosted_zones()["IsTruncated"] is False
    narrow = {**statement, "Resource": "arn:aws:route53:::hostedzone/*"}
    with pytest.raises(ClientError, match='no statement with Resource "\\*" allows it'):
        cloud.client("route53", **session(cloud, f"{name}-n", narrow)).list_hosted_zones()
