"""Check permissions when the deployer connects a function to another resource.

Lambda checks the function's execution role. A load balancer checks that it may invoke the function.
"""
# mypy: disable-error-code="import-not-found"

from collections.abc import Iterable, Mapping
from typing import Any

from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException

from embedded_localstack.iam.actions_lambda import function_arn
from embedded_localstack.iam.decide import Question, decide_resource, decide_role
from embedded_localstack.iam.lookup import LocalStackFacts, policy_name
from embedded_localstack.iam.records import Records
from embedded_localstack.iam.request import Request

POLLING = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "kinesis": ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"),
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
}
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
TRACES = ("xray:PutTraceSegments",)
SENDING = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}
LOAD_BALANCER = "elasticloadbalancing.amazonaws.com"


def verify(operation: str, params: Mapping[str, Any], facts: LocalStackFacts, records: Records) -> None:
    """Check the permissions of the function in the request.

    Raises:
        CommonServiceException: a permission is missing; code and message are those of AWS.
    """
    match operation:
        case "CreateFunction" | "UpdateFunctionConfiguration":
            _function(params, facts, records)
        case "CreateEventSourceMapping":
            _mapping(params, facts, records)
        case "UpdateEventSourceMapping":
            function = params.get("FunctionName") or facts.mapping_function(str(params.get("UUID")))
            _destinations({**params, "FunctionName": function}, facts, records)
        case "PutFunctionEventInvokeConfig" | "UpdateFunctionEventInvokeConfig":
            _destinations(params, facts, records)
        case "RegisterTargets":
            _targets(params, facts, records)


def _function(params: Mapping[str, Any], facts: LocalStackFacts, records: Records) -> None:
    role = str(params.get("Role") or facts.execution_role(_named(params, facts)) or "")
    needed: list[tuple[tuple[str, ...], str]] = []
    if target := (params.get("DeadLetterConfig") or {}).get("TargetArn"):
        needed.append(((SENDING[target.split(":")[2]],), target))
    if (params.get("TracingConfig") or {}).get("Mode") == "Active":
        needed.append((TRACES, "*"))
    if (params.get("VpcConfig") or {}).get("SubnetIds"):
        needed.append((INTERFACES, "*"))
    for actions, resource in needed if role else []:
        if lacking := _lacking(role, actions, resource, facts, records):
            service, _, call = lacking.partition(":")
            raise _invalid(f"The provided execution role does not have permissions to call {call} on {service.upper()}")


def _mapping(params: Mapping[str, Any], facts: LocalStackFacts, records: Records) -> None:
    source = params.get("EventSourceArn") or ""
    service = source.split(":")[2] if source.startswith("arn:") else ""
    role = facts.execution_role(_named(params, facts))
    if service not in POLLING or not role:
        return
    lacking = _lacking(role, POLLING[service], source, facts, records)
    if lacking and service == "sqs":
        call = lacking.partition(":")[2]
        raise _invalid(f"The provided execution role does not have permissions to call {call} on SQS")
    if lacking:
        calls = (
            "GetRecords, GetShardIterator, DescribeStream, "
            + ("ListShards, " if service == "kinesis" else "")
            + "and ListStreams"
        )
        raise _invalid(
            f"Cannot access stream {source}. Please ensure the role can perform the {calls} Actions on your stream in "
            f"IAM."
        )
    _destinations(params, facts, records)


def _destinations(params: Mapping[str, Any], facts: LocalStackFacts, records: Records) -> None:
    role = facts.execution_role(_named(params, facts))
    destinations = params.get("DestinationConfig") or {}
    for part in ("OnSuccess", "OnFailure"):
        target = (destinations.get(part) or {}).get("Destination") or ""
        service = target.split(":")[2] if target.startswith("arn:") else ""
        if role and service in SENDING and (lacking := _lacking(role, [SENDING[service]], target, facts, records)):
            call = lacking.partition(":")[2].replace("InvokeFunction", "Invoke")
            raise _invalid(f"The function's execution role does not have permissions to call {call} on {target}")


def _targets(params: Mapping[str, Any], facts: LocalStackFacts, records: Records) -> None:
    """Check that a load balancer may invoke a function before the function becomes its target."""
    group, action = str(params.get("TargetGroupArn")), "lambda:InvokeFunction"
    for target in [str(target.get("Id")) for target in params.get("Targets") or []]:
        if not target.startswith("arn:aws:lambda:"):
            continue
        keys = {"aws:sourcearn": group, "aws:sourceaccount": facts.account}
        question = Question(LOAD_BALANCER, action, target, facts.account, facts.region, keys)
        verdict = decide_resource(question, facts.resource_policy(target), kind=policy_name(target), service=True)
        who = f"{LOAD_BALANCER} for {group}"
        records.decided(who, verdict)
        if not verdict.allowed:
            records.denied(who, action, target, verdict.asked, verdict.reason)
            message = (
                f"elasticloadbalancing principal does not have permission to invoke {target} from target group {group}"
            )
            raise CommonServiceException("AccessDenied", message, status_code=403, sender_fault=True)


def _lacking(
    role_arn: str, needed: Iterable[str], resource: str, facts: LocalStackFacts, records: Records
) -> str | None:
    """Return the first action that the role is not allowed to perform, or None."""
    policies = facts.role_policies(role_arn.rpartition("/")[2])
    session = f"arn:aws:sts::{facts.account}:assumed-role/{role_arn.rpartition('/')[2]}/lambda"
    for action in needed:
        question = Question(session, action, resource, facts.account, facts.region, {})
        verdict = decide_role(question, policies, facts.resource_policy(resource))
        records.decided(session, verdict)
        if not verdict.allowed:
            records.denied(session, action, resource, verdict.asked, verdict.reason)
            return action
    return None


def _named(params: Mapping[str, Any], facts: LocalStackFacts) -> str:
    request = Request("", params, facts.account, facts.region, facts)
    return function_arn(request, str(params.get("FunctionName") or "*"))


def _invalid(message: str) -> Exception:
    error: Exception = InvalidParameterValueException(message, Type="User")
    return error
