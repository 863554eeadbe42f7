"""Test requests of other projects' tools: templates in buckets, lifecycle rules with a prefix, old policies."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import SOON, Cloud, eventually, package

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def template(cloud: Cloud, name: str, **resources: Any) -> str:
    """Put a template into a bucket, and return its address."""
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_object(Bucket=name, Key="a template.json", Body=json.dumps({"Resources": resources}))
    return f"http://127.0.0.1:{cloud.home.port}/{name}/a%20template.json"


def wait_for(cloud: Cloud, stack: str) -> None:
    cloud.cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=SOON)


@pytest.mark.parametrize("host", ["http://127.0.0.1", "https://s3.us-east-1.amazonaws.com"])
def test_a_template_in_a_bucket_is_read_without_a_refusal(cloud: Cloud, name: str, host: str):
    bucket = f"{name[:30]}-{len(host)}"
    url = template(cloud, bucket, Queue={"Type": "AWS::SQS::Queue"}, Metadata={"Type": "AWS::CDK::Metadata"})
    url = url if host.endswith("127.0.0.1") else url.replace(f"http://127.0.0.1:{cloud.home.port}", host)
    cloud.cloudformation.create_stack(StackName=bucket, TemplateURL=url)
    wait_for(cloud, bucket)
    assert bucket not in cloud.home.denials.read_text()


def test_the_caller_of_cloudformation_must_be_able_to_read_the_template(cloud: Cloud, name: str):
    url = template(cloud, name[:40], Queue={"Type": "AWS::SQS::Queue"})
    create = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
    for allowed, statements in {"reader": [create, READ], "creator": [create]}.items():
        client = cloud.as_role("cloudformation", f"{name[:30]}-{allowed}", *statements)
        if allowed == "reader":
            assert client.get_template_summary(TemplateURL=url)["ResourceTypes"] == ["AWS::SQS::Queue"]
        else:
            with pytest.raises(ClientError, match="s3:GetObject"):
                client.get_template_summary(TemplateURL=url)


def test_a_stack_with_a_resource_that_cannot_be_made_fails(cloud: Cloud, name: str):
    resources = {"Pipe": {"Type": "AWS::Pipes::Pipe", "Properties": {"Name": "a"}}}
    stack = name[:40]
    cloud.cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))

    def is_over() -> bool:
        (shown,) = cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return not shown["StackStatus"].endswith("_IN_PROGRESS")

    assert eventually(is_over)
    (shown,) = cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert "CREATE_COMPLETE" not in shown["StackStatus"]
    assert "AWS::Pipes::Pipe" in str(shown.get("StackStatusReason")), shown


def test_ecr_has_repositories_but_the_serverless_framework_finds_none(cloud: Cloud, name: str):
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        cloud.ecr.describe_repositories(repositoryNames=["serverless-service-dev"])
    made = cloud.ecr.create_repository(repositoryName=name)["repository"]
    (stored,) = cloud.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert stored["repositoryArn"] == made["repositoryArn"]


def test_a_lifecycle_rule_may_have_a_prefix_in_place_of_a_filter(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    rule = {"Prefix": "old/", "Status": "Enabled", "Expiration": {"Days": 3}}
    cloud.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    (stored,) = cloud.s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert stored == {**rule, "ID": stored["ID"]}
    expirations = [
        "Expiration" in cloud.s3.put_object(Bucket=name, Key=key, Body=b"") for key in ("old/photo", "new/photo")
    ]
    assert expirations == [True, False]
    with pytest.raises(ClientError, match="MalformedXML"):
        cloud.s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [{**rule, "Filter": {"Prefix": "old/"}}]}
        )


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}])
def test_inline_and_trust_policies_may_have_no_version(cloud: Cloud, name: str, version: dict[str, str]):
    role = f"inline-{len(version)}"
    cloud.role(role)
    document = json.dumps({**version, "Statement": [READ]})
    cloud.iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    cloud.iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps({**version, "Statement": [trust]}))
    assert cloud.iam.get_role_policy(RoleName=role, PolicyName="p")["PolicyDocument"] == json.loads(document)
    with pytest.raises(ClientError, match="must be version 2012-10-17 or greater"):
        cloud.iam.create_policy(PolicyName=role, PolicyDocument=document)


TRUSTING = """
import os, socket, ssl, urllib.request

def handler(event, context):
    context = ssl.create_default_context()
    connection = socket.create_connection(("127.0.0.1", event["port"]))
    with context.wrap_socket(connection, server_hostname=event["host"]) as secure:
        secure.sendall(b"GET /_localstack/health HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        first = secure.recv(64).decode().split("\\r")[0]
    return [first, os.path.exists(os.environ["NODE_EXTRA_CA_CERTS"]), os.path.exists(os.environ["AWS_CA_BUNDLE"])]
"""


def test_functions_trust_the_server_at_localstacks_domain(cloud: Cloud, name: str):
    cloud.function(name, Code={"ZipFile": package(TRUSTING)})
    for host in ("localhost.localstack.cloud", "bucket.s3.localhost.localstack.cloud", "127.0.0.1"):
        payload = json.dumps({"host": host, "port": cloud.home.port})
        answer = cloud.lambda_.invoke(FunctionName=name, Payload=payload)["Payload"].read()
        assert json.loads(answer) == ["HTTP/1.1 200 OK", True, True]
