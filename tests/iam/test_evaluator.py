"""The policy evaluator agrees with AWS's documentation of policy evaluation, and with MiniStack's own server.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
reference_policies_elements*.html.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_resource, decide_role

ACCOUNT = "000000000000"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session"


@dataclass(frozen=True)
class Case:
    """A request of a role session to send to the queue, and the expected decision."""

    name: str
    statements: list[dict[str, Any]]
    allowed: bool
    boundary: list[dict[str, Any]] | None = None
    session: list[dict[str, Any]] | None = None
    queue: list[dict[str, Any]] | None = None
    keys: dict[str, Any] | None = None


def allow(action: Any = "sqs:SendMessage", resource: Any = QUEUE, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def deny(**rest: Any) -> dict[str, Any]:
    return {**allow("*", "*"), "Effect": "Deny", **rest}


def if_(operator: str, key: str, value: Any) -> dict[str, Any]:
    return allow(Condition={operator: {key: value}})


REGION = "aws:RequestedRegion"
EVERYTHING = allow("*", "*")
NOT_ACTION = {"Effect": "Allow", "NotAction": "sqs:SendMessage", "Resource": "*"}
NOT_RESOURCE = {"Effect": "Allow", "Action": "*", "NotResource": QUEUE}
DENY_NOT_ACTION = {"Effect": "Deny", "NotAction": "sqs:*", "Resource": "*"}
DENY_NOT_RESOURCE = {"Effect": "Deny", "Action": "*", "NotResource": f"{QUEUE}*"}
OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"

# Cases that a real server can decide as well, because they depend only on the request
SHARED = [
    Case("nothing allows: implicitly denied", [allow("sqs:ReceiveMessage")], False),
    Case("an allow", [allow()], True),
    Case("an explicit deny overrides any allow", [EVERYTHING, deny()], False),
    Case("a deny of another action does not override it", [EVERYTHING, deny(Action="s3:*")], True),
    Case("the order does not matter", [deny(Resource=QUEUE), EVERYTHING], False),
    Case("a boundary that allows too", [EVERYTHING], True, boundary=[allow("sqs:*", "*")]),
    Case("a boundary that does not allow", [EVERYTHING], False, boundary=[allow("s3:*", "*")]),
    Case("a boundary grants nothing", [allow("s3:GetObject")], False, boundary=[EVERYTHING]),
    Case("a boundary can deny", [EVERYTHING], False, boundary=[EVERYTHING, deny(Action="sqs:Send*")]),
    Case("a session policy that allows too", [EVERYTHING], True, session=[allow()]),
    Case("a session policy that does not allow", [EVERYTHING], False, session=[allow("sqs:ReceiveMessage")]),
    Case("NotAction allows the rest", [{**NOT_ACTION, "NotAction": "sqs:DeleteQueue"}], True),
    Case("NotAction does not allow what it names", [NOT_ACTION], False),
    Case("NotAction in a deny does not deny what it names", [EVERYTHING, DENY_NOT_ACTION], True),
    Case("NotAction in a deny denies the rest", [EVERYTHING, {**DENY_NOT_ACTION, "NotAction": "s3:*"}], False),
    Case("NotResource allows the rest", [{**NOT_RESOURCE, "NotResource": f"{QUEUE}2"}], True),
    Case("NotResource does not allow what it names", [NOT_RESOURCE], False),
    Case("NotResource in a deny does not deny what it names", [EVERYTHING, DENY_NOT_RESOURCE], True),
    Case(
        "NotResource in a deny denies the rest",
        [EVERYTHING, {**DENY_NOT_RESOURCE, "NotResource": f"{QUEUE}2"}],
        False,
    ),
    Case("* within an action", [allow("sqs:S*Message")], True),
    Case("? matches one character", [allow("sqs:SendMessag?")], True),
    Case("? does not match an empty string", [allow("sqs:SendMessage?")], False),
    Case("actions are case-insensitive", [allow("SQS:sendmessage")], True),
    Case("resources are case-sensitive", [allow(resource=QUEUE.replace("orders", "Orders"))], False),
    Case("* within a resource", [allow(resource="arn:aws:sqs:*:*:ord*s")], True),
    Case("another resource", [allow(resource=f"{QUEUE}2")], False),
    Case("StringEquals", [if_("StringEquals", REGION, "us-east-1")], True),
    Case("StringEquals matches any of several values", [if_("StringEquals", REGION, ["eu-west-1", "us-east-1"])], True),
    Case("StringEquals is case-sensitive", [if_("StringEquals", REGION, "US-EAST-1")], False),
    Case("StringEqualsIgnoreCase is not", [if_("StringEqualsIgnoreCase", REGION, "US-EAST-1")], True),
    Case("StringNotEquals", [if_("StringNotEquals", REGION, "us-east-1")], False),
    Case(
        "StringNotEquals matches none of several values",
        [if_("StringNotEquals", REGION, ["eu-west-1", "us-east-1"])],
        False,
    ),
    Case("StringLike", [if_("StringLike", REGION, "us-*")], True),
    Case("StringNotLike", [if_("StringNotLike", REGION, "us-*")], False),
    Case(
        "several operators must all hold",
        [allow(Condition={"StringLike": {REGION: "us-*"}, "StringEquals": {REGION: "x"}})],
        False,
    ),
    Case("an absent key does not match", [if_("StringEquals", "s3:prefix", "a")], False),
    Case("a negated operator matches an absent key", [if_("StringNotEquals", "s3:prefix", "a")], True),
    Case("IfExists lets an absent key pass", [if_("StringEqualsIfExists", "s3:prefix", "a")], True),
    Case("IfExists compares a present key", [if_("StringEqualsIfExists", REGION, "eu-west-1")], False),
    Case("Null true: the key is absent", [if_("Null", "s3:prefix", "true")], True),
    Case("Null false: the key is present", [if_("Null", "s3:prefix", "false")], False),
    Case("ForAllValues is true for no values", [if_("ForAllValues:StringEquals", "aws:TagKeys", ["a"])], True),
    Case("ForAnyValue is false for no values", [if_("ForAnyValue:StringEquals", "aws:TagKeys", ["a"])], False),
    Case("IpAddress", [if_("IpAddress", "aws:SourceIp", "127.0.0.0/8")], True),
    Case("IpAddress of another range", [if_("IpAddress", "aws:SourceIp", "203.0.113.0/24")], False),
    Case("NotIpAddress", [if_("NotIpAddress", "aws:SourceIp", "127.0.0.0/8")], False),
    Case("DateGreaterThan", [if_("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")], True),
    Case("DateLessThan", [if_("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")], False),
    Case("NumericGreaterThan", [if_("NumericGreaterThan", "aws:EpochTime", "1577836800")], True),
    Case("NumericLessThan", [if_("NumericLessThan", "aws:EpochTime", "1577836800")], False),
    Case("ArnEquals of another role", [if_("ArnEquals", "aws:PrincipalArn", OTHER)], False),
    Case("the queue's policy can allow without the role's", [], True, queue=[allow(Principal={"AWS": ROLE})]),
    Case("the queue's policy allows another role", [], False, queue=[allow(Principal={"AWS": OTHER})]),
    Case(
        "the queue's policy can deny",
        [EVERYTHING],
        False,
        queue=[deny(Resource=QUEUE, Action="sqs:*", Principal="*")],
    ),
]  # fmt: skip

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
# MiniStack's server does not replace variables.
OF_CALLER, OF_USER = "${aws:PrincipalAccount}", "${aws:username}"
PREFIX = "s3:prefix"
# Variables count only after the fifth colon of an ARN.
MINE, EARLY, NAMED = QUEUE.replace("orders", "${s3:prefix}"), QUEUE.replace(ACCOUNT, OF_CALLER), {PREFIX: "orders"}
VARIABLES = [
    Case("a variable in a resource", [allow(resource=MINE)], True, keys=NAMED),
    Case("a variable in a resource of a deny", [EVERYTHING, deny(Resource=MINE)], False, keys=NAMED),
    Case("a variable in NotResource", [{**NOT_RESOURCE, "NotResource": MINE}], False, keys=NAMED),
    Case("a variable in the policy of the queue", [], True, queue=[allow(resource=MINE, Principal="*")], keys=NAMED),
    Case("a variable before the fifth colon", [allow(resource=EARLY)], False),
    Case("a variable before the fifth colon of a deny", [EVERYTHING, deny(Resource=EARLY)], True),
    Case("a variable before the fifth colon of NotResource", [{**NOT_RESOURCE, "NotResource": EARLY}], True),
    Case("a variable before it in the queue's policy", [], False, queue=[allow(resource=EARLY, Principal="*")]),
    Case("a variable in a condition", [if_("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}")], True),
    Case(
        "a variable in a condition of a deny",
        [EVERYTHING, deny(Condition={"StringEquals": {"aws:ResourceAccount": OF_CALLER}})],
        False,
    ),
    Case(
        "a variable in an ARN",
        [if_("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:ResourceAccount}:role/work*")],
        True,
    ),
    Case("variables are case-insensitive", [if_("StringEquals", REGION, "${AWS:requestedREGION}")], True),
    Case(
        "an unset variable matches nothing",
        [allow(resource=f"{QUEUE}{OF_USER}"), if_("StringLike", REGION, OF_USER + "*")],
        False,
    ),
    Case("an unset variable is not equal to anything", [if_("StringNotEquals", REGION, OF_USER)], True),
    Case("a variable can have a default", [if_("StringEquals", REGION, "${aws:username, 'us-east-1'}")], True),
    Case(
        "a default does not replace a value",
        [if_("StringEquals", REGION, "${aws:RequestedRegion, 'eu-west-1'}")],
        True,
    ),
    Case(
        "a wildcard after a variable",
        [if_("StringLike", PREFIX, "${aws:PrincipalAccount}/*")],
        True,
        keys={PREFIX: f"{ACCOUNT}/a"},
    ),
    Case(
        "a wildcard value is literal",
        [if_("StringLike", PREFIX, "${s3:delimiter}")],
        False,
        keys={PREFIX: "a", "s3:delimiter": "*"},
    ),
    Case("${*} is an asterisk", [if_("StringLike", PREFIX, "a${*}")], True, keys={PREFIX: "a*"}),
    Case("${*} is not a wildcard", [if_("StringLike", PREFIX, "a${*}")], False, keys={PREFIX: "ab"}),
    Case("${$} is a dollar", [if_("StringEquals", PREFIX, "${$}{a}")], True, keys={PREFIX: "${a}"}),
]  # fmt: skip

# Cases that depend on a value from the service, such as a partition key, or in which MiniStack's server differs from
# AWS: its aws:PrincipalArn is not the role's ARN for a session, and it ignores NotPrincipal. decide.py handles both.
LEADING = "dynamodb:LeadingKeys"
KNOWN = [
    Case("Bool", [if_("Bool", "aws:SecureTransport", "true")], True),
    Case("Bool with another value", [if_("Bool", "aws:SecureTransport", "false")], False),
    Case(
        "ForAllValues: all match",
        [if_("ForAllValues:StringLike", LEADING, ["a#*"])],
        True,
        keys={LEADING: ["a#1", "a#2"]},
    ),
    Case(
        "ForAllValues: one differs",
        [if_("ForAllValues:StringLike", LEADING, ["a#*"])],
        False,
        keys={LEADING: ["a#1", "b#1"]},
    ),
    Case(
        "ForAnyValue: one matches",
        [if_("ForAnyValue:StringEquals", LEADING, ["a"])],
        True,
        keys={LEADING: ["a", "b"]},
    ),
    Case(
        "NumericLessThanEquals",
        [if_("NumericLessThanEquals", "s3:max-keys", "10")],
        True,
        keys={"s3:max-keys": "10"},
    ),
    Case("NumericEquals", [if_("NumericEquals", "s3:max-keys", "10")], False, keys={"s3:max-keys": "11"}),
    Case("keys are case-insensitive", [if_("StringEquals", "S3:Prefix", "a")], True, keys={"s3:prefix": "a"}),
    Case("values are case-sensitive", [if_("StringEquals", "s3:prefix", "A")], False, keys={"s3:prefix": "a"}),
    Case("ArnLike of the role", [if_("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/work*")], True),
    Case("ArnNotLike", [if_("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/work*")], False),
    Case(
        "NotPrincipal in a deny does not deny whom it names",
        [EVERYTHING],
        True,
        queue=[
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": [ROLE, SESSION, f"arn:aws:iam::{ACCOUNT}:root"]},
                "Action": "sqs:*",
                "Resource": QUEUE,
            },
        ],
    ),
    Case(
        "NotPrincipal in a deny denies the rest",
        [EVERYTHING],
        False,
        queue=[
            {"Effect": "Deny", "NotPrincipal": {"AWS": OTHER}, "Action": "sqs:*", "Resource": QUEUE},
        ],
    ),
]


def document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def decide(case: Case) -> bool:
    """Return the decision of the evaluator."""
    policies = RolePolicies(
        ROLE,
        (Policy("role policy", document(case.statements)),),
        Policy("boundary", document(case.boundary)) if case.boundary else None,
        (Policy("session policy", document(case.session)),) if case.session else (),
    )
    keys = {name.lower(): value for name, value in (case.keys or {}).items()}
    question = Question(SESSION, "sqs:SendMessage", QUEUE, ACCOUNT, "us-east-1", keys)
    return decide_role(question, policies, Policy("queue policy", document(case.queue)) if case.queue else None).allowed


@pytest.mark.parametrize("case", SHARED + VARIABLES + KNOWN, ids=lambda case: case.name)
def test_the_evaluator_decides_as_aws_documents(case: Case) -> None:
    assert decide(case) is case.allowed


def test_policies_of_version_2008_have_no_variables() -> None:
    for version, allowed in (("2012-10-17", True), ("2008-10-17", False)):
        text = document([if_("StringEquals", REGION, "${aws:RequestedRegion}")]).replace("2012-10-17", version)
        question = Question(SESSION, "sqs:SendMessage", QUEUE, ACCOUNT, "us-east-1", {})
        assert decide_role(question, RolePolicies(ROLE, (Policy("role policy", text),)), None).allowed is allowed


@pytest.mark.parametrize(("account", "allowed"), [(ACCOUNT, True), ("111111111111", False)])
def test_a_condition_on_source_account_limits_a_service_to_that_account(account: str, allowed: bool) -> None:
    statement = allow(
        Principal={"Service": "s3.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    )
    question = Question(
        "s3.amazonaws.com", "sqs:SendMessage", QUEUE, ACCOUNT, "us-east-1", {"aws:sourceaccount": account}
    )
    assert (
        decide_resource(
            question, Policy("queue policy", document([statement])), kind="queue policy", service=True
        ).allowed
        is allowed
    )


class Server:
    """A MiniStack server that enforces IAM."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = self.client("sqs").create_queue(QueueName="orders")["QueueUrl"]

    def client(self, service: str, **keys: str) -> Any:
        keys = keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        config = Config(retries={"max_attempts": 1})
        return boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", config=config, **keys
        )

    def decide(self, case: Case) -> bool:
        """Create the role, assume it, send a message, and delete everything. Return whether the message was allowed."""
        iam, sqs = self.client("iam"), self.client("sqs")
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        boundary = (
            iam.create_policy(PolicyName="b", PolicyDocument=document(case.boundary))["Policy"]["Arn"]
            if case.boundary
            else None
        )
        limited = {"PermissionsBoundary": boundary} if boundary else {}
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=document([trust]), **limited)
        try:
            if case.statements:
                iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document(case.statements))
            sqs.set_queue_attributes(
                QueueUrl=self.url, Attributes={"Policy": document(case.queue) if case.queue else ""}
            )
            narrowed = {"Policy": document(case.session)} if case.session else {}
            keys = self.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="session", **narrowed)["Credentials"]
            return self._sends(keys)
        finally:
            if case.statements:
                iam.delete_role_policy(RoleName="worker", PolicyName="p")
            iam.delete_role(RoleName="worker")
            if boundary:
                iam.delete_policy(PolicyArn=boundary)

    def _sends(self, keys: dict[str, str]) -> bool:
        session = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
        try:
            self.client("sqs", **session, aws_session_token=keys["SessionToken"]).send_message(
                QueueUrl=self.url, MessageBody="x"
            )
        except ClientError as error:
            if "AccessDenied" not in error.response["Error"]["Code"]:
                raise
            return False
        return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a running MiniStack server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    folder = tmp_path_factory.mktemp("ministack")
    # The environment is new, because variables of the host would change the server's behaviour.
    environment = {"PATH": os.defpath, "TMPDIR": str(folder), "HOME": str(folder), "SERVICES": "iam,sts,sqs"}
    environment |= {"AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    program = Path(sys.executable).parent / "ministack"
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([program], env=environment, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield Server(port)
        finally:
            process.terminate()


@pytest.mark.parametrize("case", SHARED, ids=lambda case: case.name)
def test_ministacks_server_makes_the_same_decision(server: Server, case: Case) -> None:
    assert server.decide(case) is case.allowed
