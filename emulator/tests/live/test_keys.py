"""Test permissions on KMS keys: the key in a ciphertext, grants, encryption contexts and keys of another account."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_role
from embedded_localstack.iam.grants import with_grants
from support import ACCOUNT, REGION, Cloud, policy

# -- grants as statements

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
TO_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}


def decide(grant: dict[str, Any], action: str = "kms:Decrypt", *denied: str, **context: str) -> bool:
    key_policy = with_grants({"Version": "2012-10-17", "Statement": [TO_ACCOUNT]}, [{"GrantId": "1", **grant}])
    refused = {"Effect": "Deny", "Action": list(denied) or "s3:*", "Resource": "*"}
    keys: dict[str, Any] = {f"kms:encryptioncontext:{name}": value for name, value in context.items()}
    if context:
        keys["kms:encryptioncontextkeys"] = list(context)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/s"
    question = Question(session, action, KEY, ACCOUNT, REGION, keys)
    granted = RolePolicies(ROLE, (Policy("role policy", policy(refused)),))
    return decide_role(question, granted, Policy("key policy", json.dumps(key_policy)), required=True).allowed


def test_a_grant_allows_its_operations():
    grant = {"GranteePrincipal": ROLE, "Operations": ["Decrypt"]}
    assert decide(grant)
    assert not decide(grant, "kms:Encrypt")
    assert not decide(grant, "kms:Decrypt", "kms:Decrypt")
    assert not decide(grant | {"GranteePrincipal": f"{ROLE}2"})
    assert not decide(grant | {"GranteePrincipal": "s3.amazonaws.com"})


def test_the_constraints_of_a_grant_compare_the_encryption_context():
    grant = {"GranteePrincipal": ROLE, "Operations": ["Decrypt"]}
    subset = grant | {"Constraints": {"EncryptionContextSubset": {"a": "1"}}}
    equals = grant | {"Constraints": {"EncryptionContextEquals": {"a": "1"}}}
    assert [decide(subset, a="1"), decide(subset, a="1", b="2"), decide(subset, a="2"), decide(subset)] == [
        True,
        True,
        False,
        False,
    ]
    assert [decide(equals, a="1"), decide(equals, a="1", b="2"), decide(equals)] == [True, False, False]


# -- a running server


def of_account(account: str) -> dict[str, str]:
    return {"aws_access_key_id": account, "aws_secret_access_key": "test"}


def session(cloud: Cloud, name: str, *statements: dict[str, Any]) -> Any:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    arn = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if statements:
        cloud.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    keys = cloud.sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return cloud.client(
        "kms",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def use(resource: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"kms:{action}" for action in actions], "Resource": resource, **more}


def test_the_key_of_a_ciphertext_is_the_one_that_is_asked_about(cloud: Cloud, name: str):
    key, other = (cloud.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    ciphertext = cloud.kms.encrypt(KeyId=key, Plaintext=b"s")["CiphertextBlob"]
    reader = session(cloud, name, use(key, "Decrypt", "ReEncryptFrom"))
    assert reader.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"s"
    foreign = cloud.kms.encrypt(KeyId=other, Plaintext=b"s")["CiphertextBlob"]
    with pytest.raises(ClientError, match=f"kms:Decrypt on resource: {other}"):
        reader.decrypt(CiphertextBlob=foreign)
    with pytest.raises(ClientError, match=f"kms:ReEncryptTo on resource: {other}"):
        reader.re_encrypt(CiphertextBlob=ciphertext, DestinationKeyId=other)


def test_a_grant_allows_a_role_without_a_policy(cloud: Cloud, name: str):
    key = cloud.kms.create_key()["KeyMetadata"]["Arn"]
    ciphertext = cloud.kms.encrypt(KeyId=key, Plaintext=b"s")["CiphertextBlob"]
    reader = session(cloud, name)
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.decrypt(CiphertextBlob=ciphertext)
    grant = cloud.kms.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/{name}", Operations=["Decrypt"]
    )
    assert reader.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"s"
    cloud.kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.decrypt(CiphertextBlob=ciphertext)


def test_a_condition_reads_the_encryption_context(cloud: Cloud, name: str):
    key = cloud.kms.create_key()["KeyMetadata"]["Arn"]
    condition = {"StringEquals": {"kms:EncryptionContext:team": "a"}}
    client = session(cloud, name, use(key, "GenerateDataKey", Condition=condition))
    assert client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"team": "a"})["KeyId"] == key
    for context in ({}, {"team": "b"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)


def test_a_key_of_another_account_needs_both_policies(cloud: Cloud, name: str):
    there = cloud.client("kms", **of_account("222222222222"))
    key = there.create_key()["KeyMetadata"]["Arn"]
    client = session(cloud, name, use(key, "GenerateDataKey"))
    with pytest.raises(ClientError, match=f"not authorized to perform: kms:GenerateDataKey on resource: {key}"):
        client.generate_data_key(KeyId=key, KeySpec="AES_256")
    both = [{"AWS": f"arn:aws:iam::{account}:root"} for account in (ACCOUNT, "222222222222")]
    statements = [{"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"} for principal in both]
    there.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(*statements))
    assert client.generate_data_key(KeyId=key, KeySpec="AES_256")["KeyId"] == key
