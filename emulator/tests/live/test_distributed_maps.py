"""Test the translation of Distributed Maps, and run one with missing and with correct permissions of its role."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from embedded_localstack.patches.stepfunctions_maps import understood
from support import ACCOUNT, REGION, Cloud, eventually, policy


def definition(bucket: str, queue_url: str) -> dict[str, Any]:
    send = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}
    send |= {
        "Parameters": {"QueueUrl": queue_url, "MessageBody": {"items.$": "$.Items[*].Key", "first.$": "$.Items[0]"}}
    }
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": bucket, "Prefix.$": "$.prefix"}}
    batches = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemBatcher": {"MaxItemsPerBatch": 400},
        "MaxConcurrencyPath": "$.at_once",
        "End": True,
    }
    batches |= {"ItemProcessor": {"ProcessorConfig": config, "StartAt": "Send", "States": {"Send": send}}}
    return {"StartAt": "Batches", "States": {"Batches": batches}}


def test_a_definition_without_a_distributed_map_is_unchanged():
    inline = json.dumps(
        {"StartAt": "A", "States": {"A": {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}}}}}
    )
    assert understood(inline) == inline
    assert understood("{") == "{"


def test_the_reader_gets_the_batch_size_and_children_are_standard_workflows():
    batches = json.loads(understood(json.dumps(definition("b", "q"))))["States"]["Batches"]
    assert "ItemBatcher" not in batches
    assert batches["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert 400 in batches["ItemReader"]["Parameters"].values()


@pytest.mark.timeout(120)
def test_a_map_lists_all_pages_and_sends_batches(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    keys = [f"a/{number:04} + ü" for number in range(1005)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: cloud.s3.put_object(Bucket=name, Key=key, Body=b"x"), [*keys, "b/other"]))
    url, queue_arn = cloud.queue(name)
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
    source = {"ArnLike": {"aws:SourceArn": arn}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": source,
    }
    role = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    cloud.grant(name, "sqs:SendMessage", resource=queue_arn, name="send")
    machine = json.dumps(definition(name, url))
    assert (
        cloud.stepfunctions.create_state_machine(name=name, definition=machine, roleArn=role)["stateMachineArn"] == arn
    )
    assert cloud.stepfunctions.describe_state_machine(stateMachineArn=arn)["definition"] == machine

    def run(prefix: str) -> str:
        execution_input = json.dumps({"prefix": prefix, "at_once": 2})
        execution = cloud.stepfunctions.start_execution(stateMachineArn=arn, input=execution_input)["executionArn"]
        describe = lambda: cloud.stepfunctions.describe_execution(executionArn=execution)  # noqa: E731
        ended = eventually(lambda: (description := describe())["status"] != "RUNNING" and description)
        return str(ended["status"])

    assert run("a/") == "FAILED"
    assert cloud.denied("s3:ListBucket", name, who=f"assumed-role/{name}")
    cloud.grant(name, "s3:ListBucket", resource=f"arn:aws:s3:::{name}", name="list")
    assert run("nothing/") == "SUCCEEDED"
    assert run("a/") == "SUCCEEDED"
    batches: list[dict[str, Any]] = []
    eventually(lambda: batches.extend(cloud.received(url, 2)) or len(batches) >= 3)
    assert sorted(len(batch["items"]) for batch in batches) == [205, 400, 400]
    assert sorted(key for batch in batches for key in batch["items"]) == keys
    first = next(batch["first"] for batch in batches if batch["first"]["Key"] == keys[0])
    assert (first["Size"], first["Etag"][0], type(first["LastModified"])) == (1, '"', int)

    trust["Condition"] = {"ArnLike": {"aws:SourceArn": arn + "-other"}}
    cloud.iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy(trust))
    assert run("a/") == "FAILED"
    assert cloud.denied("sts:AssumeRole", f"role/{name}", who="states.amazonaws.com")
