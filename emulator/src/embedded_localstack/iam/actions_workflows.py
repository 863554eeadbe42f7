"""Permissions that operations of Step Functions, EventBridge Scheduler and Data Firehose need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisfirehose.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from embedded_localstack.iam.request import (
    Check,
    Keys,
    Request,
    Resource,
    Row,
    anything,
    each,
    needs,
    request_tags,
    text,
)


def _tags(request: Request) -> Keys:
    return request_tags(request.params.get("Tags") or request.params.get("tags"))


def _at(name: str) -> Resource:
    return lambda request: text(request.params.get(name)) or "*"


# -- Step Functions

_MACHINE_PARTS = 7


def _qualified(request: Request) -> str:
    """Return the ARN of the state machine, including the version or alias if the request names one."""
    names = ("stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn")
    return next((text(request.params[name]) for name in names if request.params.get(name)), "")


def _machine(request: Request) -> str:
    """Return the ARN of the state machine. A version or alias is not a part of it, but a condition key."""
    return ":".join(_qualified(request).split(":")[:_MACHINE_PARTS]) or "*"


def _qualifier(request: Request) -> Keys:
    parts = _qualified(request).split(":")
    return {"states:statemachinequalifier": parts[_MACHINE_PARTS]} if len(parts) > _MACHINE_PARTS else {}


def _new_machine(request: Request) -> str:
    return request.arn("states", f"stateMachine:{text(request.params.get('name'))}")


def _new_alias(request: Request) -> str:
    routes = request.params.get("routingConfiguration") or [{}]
    return ":".join(text(routes[0].get("stateMachineVersionArn")).split(":")[:_MACHINE_PARTS]) or "*"


def _new_activity(request: Request) -> str:
    return request.arn("states", f"activity:{text(request.params.get('name'))}")


def _executions(request: Request) -> list[Check]:
    """Return the permission to list the executions of a state machine or of a Map Run."""
    run = text(request.params.get("mapRunArn"))
    return [Check("states:ListExecutions", run or _machine(request), _qualifier(request))]


STATES: dict[str, Row] = (
    {
        operation: needs(f"states:{operation}", _machine, _qualifier)
        for operation in (
            "DeleteStateMachine DeleteStateMachineAlias DeleteStateMachineVersion DescribeStateMachine "
            "DescribeStateMachineAlias ListStateMachineAliases ListStateMachineVersions PublishStateMachineVersion "
            "StartExecution StartSyncExecution UpdateStateMachine UpdateStateMachineAlias"
        ).split()
    }
    | each(
        "states",
        "DescribeExecution DescribeStateMachineForExecution GetExecutionHistory ListMapRuns RedriveExecution "
        "StopExecution".split(),
        _at("executionArn"),
    )
    | each("states", ["DescribeMapRun", "UpdateMapRun"], _at("mapRunArn"))
    | each("states", ["DeleteActivity", "DescribeActivity", "GetActivityTask"], _at("activityArn"))
    | each("states", ["ListTagsForResource", "UntagResource"], _at("resourceArn"))
    | each(
        "states",
        "ListActivities ListStateMachines SendTaskFailure SendTaskHeartbeat SendTaskSuccess TestState "
        "ValidateStateMachineDefinition".split(),
        anything,
    )
    | {
        "CreateActivity": needs("states:CreateActivity", _new_activity, _tags),
        "CreateStateMachine": needs("states:CreateStateMachine", _new_machine, _tags),
        "CreateStateMachineAlias": needs("states:CreateStateMachineAlias", _new_alias),
        "ListExecutions": _executions,
        "TagResource": needs("states:TagResource", _at("resourceArn"), _tags),
    }
)

# -- Scheduler


def _schedule(request: Request) -> str:
    group = text(request.params.get("GroupName")) or "default"
    return request.arn("scheduler", f"schedule/{group}/{text(request.params.get('Name'))}")


def _group(request: Request) -> str:
    return request.arn("scheduler", f"schedule-group/{text(request.params.get('Name'))}")


SCHEDULER: dict[str, Row] = (
    each("scheduler", "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule".split(), _schedule)
    | each("scheduler", ["DeleteScheduleGroup", "GetScheduleGroup"], _group)
    | each("scheduler", ["ListScheduleGroups", "ListSchedules"], anything)
    | each("scheduler", ["ListTagsForResource", "UntagResource"], _at("ResourceArn"))
    | {
        "CreateScheduleGroup": needs("scheduler:CreateScheduleGroup", _group, _tags),
        "TagResource": needs("scheduler:TagResource", _at("ResourceArn"), _tags),
    }
)

# -- Firehose


def _delivery_stream(request: Request) -> str:
    return request.arn("firehose", f"deliverystream/{text(request.params.get('DeliveryStreamName'))}")


FIREHOSE: dict[str, Row] = each(
    "firehose",
    (
        "DeleteDeliveryStream DescribeDeliveryStream ListTagsForDeliveryStream PutRecord PutRecordBatch "
        "StartDeliveryStreamEncryption StopDeliveryStreamEncryption UntagDeliveryStream UpdateDestination"
    ).split(),
    _delivery_stream,
) | {
    "CreateDeliveryStream": needs("firehose:CreateDeliveryStream", _delivery_stream, _tags),
    "TagDeliveryStream": needs("firehose:TagDeliveryStream", _delivery_stream, _tags),
    "ListDeliveryStreams": needs("firehose:ListDeliveryStreams", anything),
}
