"""Test that EventBridge starts state machines with each kind of input, and that the log names a failing target."""

import json
from typing import Any

import pytest

from support import Cloud, eventually

MACHINE = json.dumps({"StartAt": "pass", "States": {"pass": {"Type": "Pass", "End": True}}})
TRANSFORMER = {"InputPathsMap": {"color": "$.detail.color"}, "InputTemplate": '{"of": <color>}'}


def rule_for_machine(cloud: Cloud, name: str, *actions: str, **target: Any) -> str:
    """Create a rule that starts a state machine, send an event that matches it, and return the machine's ARN."""
    machine_role = cloud.role(f"{name}-machine", principal="states.amazonaws.com")
    machine = cloud.stepfunctions.create_state_machine(name=name, definition=MACHINE, roleArn=machine_role)
    arn = str(machine["stateMachineArn"])
    rule_role = cloud.role(f"{name}-rule", *actions, principal="events.amazonaws.com")
    cloud.events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    cloud.events.put_targets(Rule=name, Targets=[{"Id": "machine", "Arn": arn, "RoleArn": rule_role, **target}])
    cloud.events.put_events(Entries=[{"Source": name, "DetailType": "sold", "Detail": '{"color": "red"}'}])
    return arn


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail"}, {"color": "red"}),
        ({"InputPath": "$.detail.color"}, "red"),
        ({"InputTransformer": TRANSFORMER}, {"of": "red"}),
    ],
    ids=["fixed", "object", "text", "template"],
)
def test_a_changed_input_starts_it(cloud: Cloud, name: str, target: dict[str, Any], expected: Any):
    machine = rule_for_machine(cloud, name, "states:StartExecution", **target)
    listed = eventually(lambda: cloud.stepfunctions.list_executions(stateMachineArn=machine)["executions"])
    (execution,) = [cloud.stepfunctions.describe_execution(executionArn=entry["executionArn"]) for entry in listed]
    assert json.loads(execution["input"]) == expected


def test_the_log_names_a_target_that_fails(cloud: Cloud, name: str):
    machine = rule_for_machine(cloud, name)
    message = f"rule {name}: target {machine} did not get an event: "
    assert eventually(lambda: message in cloud.home.log.read_text())
    assert cloud.stepfunctions.list_executions(stateMachineArn=machine)["executions"] == []
