"""Test that CloudFormation calls the functions of custom resources, and waits for their answers."""

import json
import shutil
from typing import Any

import pytest

from support import LOGS, SOON, Cloud, eventually, package

# This function stores the request and then answers as the resource's properties say.
CODE = """
import json, urllib.request, boto3

def handler(event, context):
    key = f"custom/{event['StackId'].split('/')[1]}/{event['RequestType']}-{event.get('PhysicalResourceId', '')}"
    boto3.client("s3").put_object(Bucket="out", Key=key, Body=json.dumps(event))
    properties = event["ResourceProperties"]
    if properties.get("Raises") and event["RequestType"] != "Delete":
        raise ValueError("the function is broken")
    if properties.get("Silent"):
        return
    fails = properties.get("Fails") and event["RequestType"] != "Delete"
    answer = {
        "Status": "FAILED" if fails else "SUCCESS",
        "Reason": "no more room",
        "PhysicalResourceId": "thing-" + properties.get("Name", "x"),
        "Data": {"Name": "the " + properties.get("Name", "x"), "Rows.0.Id": "r0", "Count": 3},
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request) as response:
        print(response.status)
"""
# Like CDK's handlers, this function uses the host of the URL but not its port.
NODE_CODE = """
import https from "node:https";
export const handler = async (event) => {
  const url = new URL(event.ResponseURL);
  const body = JSON.stringify({
    Status: "SUCCESS", PhysicalResourceId: "of-node", StackId: event.StackId, RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId, Data: { Version: process.version },
  });
  const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
  await new Promise((resolve, reject) => {
    const options = { hostname: url.hostname, path: url.pathname, method: "PUT", headers };
    https.request(options, resolve).on("error", reject).end(body);
  });
};
"""


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return cloud.function("custom-resource", *LOGS, Code={"ZipFile": package(CODE)}, Timeout=30)


def body(function: str, **properties: Any) -> str:
    thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": function, **properties}}
    attributes = {name: {"Value": {"Fn::GetAtt": ["Thing", name]}} for name in ("Name", "Rows.0.Id", "Count")}
    outputs = {key.replace(".", ""): value for key, value in attributes.items()} | {"Id": {"Value": {"Ref": "Thing"}}}
    return json.dumps({"Resources": {"Thing": thing}, "Outputs": outputs})


def finished(cloud: Cloud, stack: str) -> dict[str, Any]:
    """Wait until the stack's operation has ended, and return the stack."""

    def ended() -> dict[str, Any] | None:
        (shown,) = cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return None if shown["StackStatus"].endswith("_IN_PROGRESS") else shown

    shown = eventually(ended, 60)
    assert shown, f"{stack} is still in progress"
    return shown


def created(cloud: Cloud, stack: str, template: str) -> dict[str, Any]:
    """Create a stack, and return it with its outputs by name."""
    cloud.cloudformation.create_stack(StackName=stack, TemplateBody=template)
    shown = finished(cloud, stack)
    return shown | {"Outputs": {item["OutputKey"]: item["OutputValue"] for item in shown.get("Outputs", [])}}


def deleted(cloud: Cloud, stack: str) -> None:
    cloud.cloudformation.delete_stack(StackName=stack)
    cloud.cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=SOON)


def requests(cloud: Cloud, stack: str) -> dict[str, dict[str, Any]]:
    """Return the requests that the function got for a stack, by type and physical id."""
    entries = cloud.s3.list_objects_v2(Bucket="out", Prefix=f"custom/{stack}/").get("Contents", [])
    return {
        entry["Key"].rpartition("/")[2]: json.loads(cloud.s3.get_object(Bucket="out", Key=entry["Key"])["Body"].read())
        for entry in entries
    }


def reasons(cloud: Cloud, stack: str) -> str:
    events = cloud.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return " ".join(event.get("ResourceStatusReason") or "" for event in events)


def test_a_custom_resource_is_created_updated_replaced_and_deleted(cloud: Cloud, function: str):
    stack = "custom-life"
    shown = created(cloud, stack, body(function, Name="a", Size=5, On=True, List=[1]))
    assert shown["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, stack)
    assert shown["Outputs"] == {"Name": "the a", "Rows0Id": "r0", "Count": "3", "Id": "thing-a"}
    create = requests(cloud, stack)["Create-"]
    given = {"ServiceToken": function, "Name": "a", "Size": "5", "On": "true", "List": ["1"]}
    assert create["ResourceProperties"] == given
    assert (create["LogicalResourceId"], create["ResourceType"]) == ("Thing", "Custom::Thing")
    assert create["StackId"] == shown["StackId"]

    cloud.cloudformation.update_stack(StackName=stack, TemplateBody=body(function, Name="b"))
    shown = finished(cloud, stack)
    assert shown["StackStatus"] == "UPDATE_COMPLETE", reasons(cloud, stack)
    sent = requests(cloud, stack)
    assert sent["Update-thing-a"]["OldResourceProperties"] == given
    assert sent["Update-thing-a"]["ResourceProperties"] == {"ServiceToken": function, "Name": "b"}
    assert sent["Delete-thing-a"]["ResourceProperties"] == given
    (resource,) = cloud.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    assert resource["PhysicalResourceId"] == "thing-b"

    deleted(cloud, stack)
    assert requests(cloud, stack)["Delete-thing-b"]["ResourceProperties"] == {"ServiceToken": function, "Name": "b"}


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        (
            "fails",
            {"Fails": "yes"},
            "Received response status [FAILED] from custom resource. Message returned: no more",
        ),
        ("raises", {"Raises": "yes"}, "failed 3 times, and sent no response: "),
        (
            "silent",
            {"Silent": "yes", "ServiceTimeout": 2},
            "did not receive a response from your Custom Resource within 2",
        ),
        ("timeout", {"ServiceTimeout": 4000}, "set it to a number of seconds from 1 to 3600"),
    ],
)
def test_a_custom_resource_that_fails_names_its_reason(
    cloud: Cloud, function: str, kind: str, properties: dict[str, Any], reason: str
):
    stack = f"custom-{kind}"
    shown = created(cloud, stack, body(function, **properties))
    assert shown["StackStatus"] in ("CREATE_FAILED", "ROLLBACK_COMPLETE")
    assert reason in reasons(cloud, stack)
    if kind == "fails":
        deleted(cloud, stack)
        (asked,) = [sent for key, sent in requests(cloud, stack).items() if key.startswith("Delete-")]
        assert asked["PhysicalResourceId"].startswith("custom-fails-Thing-")


@pytest.mark.parametrize("token", ["none", "arn:aws:sqs:us-east-1:000000000000:queue"])
def test_a_service_token_that_is_not_a_function_fails(cloud: Cloud, token: str):
    stack = f"custom-token-{len(token)}"
    shown = created(cloud, stack, body(token))
    assert shown["StackStatus"] in ("CREATE_FAILED", "ROLLBACK_COMPLETE")
    assert "ServiceToken" in reasons(cloud, stack)


def test_an_attribute_that_the_answer_lacks_fails(cloud: Cloud, function: str):
    template = json.loads(body(function))
    template["Outputs"] = {"Other": {"Value": {"Fn::GetAtt": ["Thing", "Other"]}}}
    cloud.cloudformation.create_stack(StackName="custom-attribute", TemplateBody=json.dumps(template))
    shown = finished(cloud, "custom-attribute")
    assert shown["StackStatus"] in ("CREATE_FAILED", "ROLLBACK_COMPLETE")
    assert "Vendor response doesn't contain Other attribute in object thing-x" in shown["StackStatusReason"]


def test_a_function_of_node_answers_as_those_of_cdk_do(cloud: Cloud):
    if not shutil.which("npm"):
        pytest.skip("npm is not on the PATH")
    code = package(NODE_CODE, "app.mjs")
    function = cloud.function("custom-node", *LOGS, Runtime="nodejs20.x", Code={"ZipFile": code}, Timeout=30)
    template = json.loads(body(function))
    template["Outputs"] = {"Version": {"Value": {"Fn::GetAtt": ["Thing", "Version"]}}}
    shown = created(cloud, "custom-node", json.dumps(template))
    assert shown["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, "custom-node")
    assert shown["Outputs"]["Version"].startswith("v20.")
