"""Test which policies apply to which caller, with invented facts and without a running server."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException

from embedded_localstack.iam import function_urls, handler, preflight
from embedded_localstack.iam.callers import Caller, Kind
from embedded_localstack.iam.decide import Policy, RolePolicies
from embedded_localstack.iam.handler import Enforcer, judge
from embedded_localstack.iam.records import Records
from embedded_localstack.iam.request import Check

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
WORKER = Caller(Kind.ROLE, f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/f", "worker", "f")
NOBODY = Caller(Kind.ANONYMOUS, "anonymous")


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Facts:
    account, region = ACCOUNT, "us-east-1"

    def __init__(self, role: str = document(), resource: str | None = None, trust: str | None = None) -> None:
        self.role, self.resource, self.trust = role, resource, trust

    def role_policies(self, _name: str, _caller: Caller | None = None) -> RolePolicies:
        return RolePolicies(ROLE, (Policy("role policy p", self.role),))

    def resource_policy(self, arn: str) -> Policy | None:
        return Policy(f"policy of {arn}", self.resource) if self.resource else None

    def trust_policy(self, _arn: str) -> Policy | None:
        return Policy("trust policy of role worker", self.trust) if self.trust else None

    def functions_named(self, name: str) -> list[str]:
        return [FUNCTION] if name == "f" else []

    def mapping_function(self, _uuid: str) -> str | None:
        return FUNCTION

    def execution_role(self, _arn: str) -> str | None:
        return ROLE


def facts(**state: Any) -> Any:
    return Facts(**state)


def allow(action: str, resource: str = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def trust(**condition: Any) -> str:
    principal = {"Service": "lambda.amazonaws.com"}
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition})


ASSUME = Check("sts:AssumeRole", ROLE)
LAMBDA = Caller(Kind.SERVICE, "lambda.amazonaws.com")


def test_lambda_assumes_a_role_without_source_keys():
    assert judge(LAMBDA, ASSUME, facts(trust=trust())).allowed
    for condition in ({"ArnEquals": {"aws:SourceArn": FUNCTION}}, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}):
        assert not judge(LAMBDA, ASSUME, facts(trust=trust(**condition))).allowed


def test_other_services_cannot_assume_a_role_that_trusts_lambda():
    verdict = judge(Caller(Kind.SERVICE, "events.amazonaws.com", source_arn="arn"), ASSUME, facts(trust=trust()))
    assert (verdict.allowed, verdict.asked) == (False, "trust policy of role worker")


def test_a_missing_role_cannot_be_assumed():
    assert judge(LAMBDA, ASSUME, facts()).reason == "there is none"


def test_a_role_assumes_another_role_if_both_policies_allow_it():
    to_all = document(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    )
    assert judge(WORKER, ASSUME, facts(role=document(allow("sts:AssumeRole")), trust=to_all)).allowed
    assert not judge(WORKER, ASSUME, facts(trust=to_all)).allowed
    assert not judge(WORKER, ASSUME, facts(role=document(allow("sts:AssumeRole")), trust=trust())).allowed


def test_the_source_account_is_the_one_in_the_source_arn():
    send = Check("sqs:SendMessage", QUEUE)
    mine = document(
        allow(
            "sqs:SendMessage",
            Principal={"Service": "sns.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        )
    )
    for account, allowed in ((ACCOUNT, True), ("111111111111", False)):
        caller = Caller(Kind.SERVICE, "sns.amazonaws.com", source_arn=f"arn:aws:sns:us-east-1:{account}:t")
        assert judge(caller, send, facts(resource=mine)).allowed is allowed


def test_eventbridge_sends_the_source_arn_but_not_the_source_account():
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r"
    caller, principal = (
        Caller(Kind.SERVICE, "events.amazonaws.com", source_arn=rule),
        {"Service": "events.amazonaws.com"},
    )
    source, account = {"ArnEquals": {"aws:SourceArn": rule}}, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    for condition, allowed in ((source, True), (source | account, False)):
        policy = document(allow("sqs:SendMessage", Principal=principal, Condition=condition))
        assert judge(caller, Check("sqs:SendMessage", QUEUE), facts(resource=policy)).allowed is allowed


def test_a_default_topic_policy_allows_only_alarms_of_the_owner_to_publish():
    default = document(
        allow("SNS:Publish", Principal={"AWS": "*"}, Condition={"StringEquals": {"AWS:SourceOwner": ACCOUNT}})
    )
    publish = Check("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:t")
    for principal, allowed in (("cloudwatch.amazonaws.com", True), ("s3.amazonaws.com", False)):
        caller = Caller(Kind.SERVICE, principal, source_arn=f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:a")
        assert judge(caller, publish, facts(resource=default)).allowed is allowed
    assert not judge(WORKER, publish, facts(resource=default)).allowed


def test_a_function_s_session_carries_its_arn():
    only_f = document(allow("sqs:SendMessage", Condition={"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION}}))
    send = Check("sqs:SendMessage", QUEUE)
    assert judge(WORKER, send, facts(role=only_f)).allowed
    other = Caller(Kind.ROLE, WORKER.name, "worker", "someone")
    assert not judge(other, send, facts(role=only_f)).allowed


def test_a_queue_of_another_account_must_allow_too():
    theirs = "arn:aws:sqs:us-east-1:111111111111:theirs"
    send, mine = Check("sqs:SendMessage", theirs), document(allow("sqs:SendMessage"))
    assert not judge(WORKER, send, facts(role=mine)).allowed
    assert judge(
        WORKER, send, facts(role=mine, resource=document(allow("sqs:SendMessage", Principal={"AWS": ROLE})))
    ).allowed


def test_an_anonymous_caller_needs_a_resource_policy():
    read = Check("s3:GetObject", "arn:aws:s3:::b/k")
    assert not judge(NOBODY, read, facts()).allowed
    assert judge(NOBODY, read, facts(resource=document(allow("s3:GetObject", Principal="*")))).allowed


URL = [
    allow(
        "lambda:InvokeFunctionUrl",
        FUNCTION,
        Condition={"StringEquals": {"lambda:FunctionUrlAuthType": ["AWS_IAM", "NONE"]}},
    ),
    allow("lambda:InvokeFunction", FUNCTION, Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
]
OF_EVERYBODY = [statement | {"Principal": "*"} for statement in URL]


@pytest.mark.parametrize(
    ("auth_type", "caller", "resource", "role", "refused"),
    [
        ("NONE", NOBODY, None, document(), {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}),
        ("NONE", NOBODY, document(OF_EVERYBODY[0]), document(), {"lambda:InvokeFunction"}),
        ("NONE", NOBODY, document(OF_EVERYBODY[1]), document(), {"lambda:InvokeFunctionUrl"}),
        ("NONE", NOBODY, document(*OF_EVERYBODY), document(), set()),
        ("AWS_IAM", NOBODY, document(*OF_EVERYBODY), document(), {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}),
        ("AWS_IAM", WORKER, None, document(*URL), set()),
        ("AWS_IAM", WORKER, document(OF_EVERYBODY[0]), document(URL[1]), set()),
        ("AWS_IAM", WORKER, None, document(URL[0]), {"lambda:InvokeFunction"}),
        ("AWS_IAM", WORKER, None, document(URL[1]), {"lambda:InvokeFunctionUrl"}),
    ],
)
def test_a_function_url_needs_two_actions(
    auth_type: str, caller: Caller, resource: str | None, role: str, refused: set[str]
):
    state = facts(role=role, resource=resource)
    verdicts = function_urls.judge(caller, FUNCTION, auth_type, state)
    assert {action for action, verdict in verdicts.items() if not verdict.allowed} == refused


POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


@pytest.mark.parametrize("missing", POLL)
def test_a_mapping_is_refused_if_the_role_cannot_poll(tmp_path: Path, missing: str):
    role = document(*(allow(action, QUEUE) for action in POLL if action != missing))
    message = f"The provided execution role does not have permissions to call {missing.removeprefix('sqs:')} on SQS"
    with pytest.raises(InvalidParameterValueException, match=message):
        verify(tmp_path, role, "CreateEventSourceMapping", EventSourceArn=QUEUE)
    assert json.loads((tmp_path / "denials.jsonl").read_text())["action"] == missing


def test_a_mapping_is_created_if_the_role_can_poll(tmp_path: Path):
    verify(
        tmp_path, document(*(allow(action, QUEUE) for action in POLL)), "CreateEventSourceMapping", EventSourceArn=QUEUE
    )
    assert not (tmp_path / "denials.jsonl").exists()


@pytest.mark.parametrize("service", ["kinesis", "dynamodb"])
def test_a_mapping_of_a_stream_is_refused_with_lambda_s_message(tmp_path: Path, service: str):
    with pytest.raises(
        InvalidParameterValueException,
        match="ensure the role can perform the GetRecords, GetShardIterator, DescribeStream,",
    ):
        verify(
            tmp_path, document(), "CreateEventSourceMapping", EventSourceArn=f"arn:aws:{service}:us-east-1:{ACCOUNT}:x"
        )


def test_destinations_and_dead_letter_queues_need_the_permission_to_send(tmp_path: Path):
    destination = {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}
    with pytest.raises(
        InvalidParameterValueException, match=f"does not have permissions to call SendMessage on {QUEUE}"
    ):
        verify(tmp_path, document(), "PutFunctionEventInvokeConfig", **destination)
    with pytest.raises(InvalidParameterValueException, match="does not have permissions to call SendMessage on SQS"):
        verify(tmp_path, document(), "UpdateFunctionConfiguration", DeadLetterConfig={"TargetArn": QUEUE})
    may_send = document(allow("sqs:SendMessage", QUEUE))
    verify(tmp_path, may_send, "PutFunctionEventInvokeConfig", **destination)
    verify(tmp_path, may_send, "UpdateFunctionConfiguration", DeadLetterConfig={"TargetArn": QUEUE})


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({"TracingConfig": {"Mode": "Active"}}, "PutTraceSegments on XRAY"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "CreateNetworkInterface on EC2"),
    ],
)
@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionConfiguration"])
def test_tracing_and_networks_need_the_role_s_permission(
    tmp_path: Path, operation: str, config: dict[str, Any], missing: str
):
    with pytest.raises(InvalidParameterValueException, match=f"does not have permissions to call {missing}"):
        verify(tmp_path, document(), operation, Role=ROLE, **config)
    verify(tmp_path, document(allow("xray:*"), allow("ec2:*")), operation, Role=ROLE, **config)
    verify(
        tmp_path, document(), operation, Role=ROLE, TracingConfig={"Mode": "PassThrough"}, VpcConfig={"SubnetIds": []}
    )


def test_a_failure_destination_in_an_update_of_a_mapping_is_checked(tmp_path: Path):
    destination = {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}
    with pytest.raises(
        InvalidParameterValueException, match=f"does not have permissions to call SendMessage on {QUEUE}"
    ):
        verify(tmp_path, document(), "UpdateEventSourceMapping", UUID="1", FunctionName=None, **destination)
    verify(
        tmp_path,
        document(allow("sqs:SendMessage", QUEUE)),
        "UpdateEventSourceMapping",
        UUID="1",
        FunctionName=None,
        **destination,
    )


def verify(folder: Path, role: str, operation: str, **params: Any) -> None:
    preflight.verify(operation, {"FunctionName": "f", **params}, facts(role=role), Records(folder, audit=False))


def context(service: str, operation: str, key: str = "", **internal: str) -> Any:
    authorization = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request" if key else ""
    return SimpleNamespace(
        service=SimpleNamespace(service_name=service, protocol="query"),
        operation=SimpleNamespace(name=operation),
        service_request={"Bucket": "b", "Key": "k", "QueueUrl": f"http://h/{ACCOUNT}/q"},
        account_id=ACCOUNT,
        region="us-east-1",
        request=SimpleNamespace(headers={"Authorization": authorization}, url="http://h/", form=None, environ={}),
        internal_request_params=internal,
    )


@pytest.fixture
def enforcer(tmp_path: Path) -> Enforcer:
    return Enforcer(Records(tmp_path, audit=True))


def test_the_deployer_may_do_everything(enforcer: Enforcer):
    enforcer(None, context("s3", "GetObject", "test"), None)
    enforcer(None, context("athena", "StartQueryExecution", "test"), None)


def test_a_refusal_is_raised_and_recorded(enforcer: Enforcer, tmp_path: Path):
    with pytest.raises(CommonServiceException) as refused:
        enforcer(
            None,
            context("sqs", "SendMessage", "__internal_call__", service_principal="s3", source_arn="arn:aws:s3:::b"),
            None,
        )
    assert (refused.value.code, refused.value.status_code) == ("AccessDenied", 403)
    denial = json.loads((tmp_path / "denials.jsonl").read_text())
    assert denial.pop("time")
    assert denial == {
        "who": "s3.amazonaws.com for arn:aws:s3:::b",
        "action": "sqs:SendMessage",
        "resource": QUEUE,
        "policy": "queue policy of q",
        "reason": "there is none",
    }
    assert json.loads((tmp_path / "audit.jsonl").read_text())["decision"] == "deny"


def test_a_subscription_acts_as_its_topic(enforcer: Enforcer, tmp_path: Path):
    subscription = f"arn:aws:sns:us-east-1:{ACCOUNT}:t:6b0e71bd-7e97-4d97-80ce-4a0994e55286"
    with pytest.raises(CommonServiceException):
        enforcer(
            None,
            context("sqs", "SendMessage", "__internal_call__", service_principal="sns", source_arn=subscription),
            None,
        )
    assert (
        json.loads((tmp_path / "audit.jsonl").read_text())["keys"]["aws:sourcearn"]
        == f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
    )


def test_an_operation_without_a_mapping_is_refused(enforcer: Enforcer, tmp_path: Path):
    with pytest.raises(CommonServiceException, match="no resource mapping for ec2:CreateIpamPolicy"):
        enforcer(None, context("ec2", "CreateIpamPolicy", "x", service_principal="events"), None)
    assert "actions.py" in (tmp_path / "denials.jsonl").read_text()


@pytest.mark.parametrize("operation", ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken"])
@pytest.mark.parametrize("caller", [NOBODY, WORKER], ids=str)
def test_other_operations_that_issue_session_keys_are_refused(
    enforcer: Enforcer, monkeypatch: pytest.MonkeyPatch, caller: Caller, operation: str
):
    monkeypatch.setattr(handler, "caller_of", lambda *_: caller)
    with pytest.raises(CommonServiceException, match=f"no resource mapping for sts:{operation}"):
        enforcer(None, context("sts", operation), None)


def test_a_service_needs_no_permission_on_its_own_resources(enforcer: Enforcer):
    enforcer(None, context("kinesis", "PutRecords", "x", service_principal="dynamodb"), None)


def test_unsigned_requests_are_refused_with_few_exceptions(enforcer: Enforcer):
    with pytest.raises(CommonServiceException):
        enforcer(None, context("s3", "GetObject"), None)
    enforcer(None, context("sns", "ConfirmSubscription"), None)
    enforcer(None, context("sts", "GetCallerIdentity", "x", service_principal="s3"), None)
