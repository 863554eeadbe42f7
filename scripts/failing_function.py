"""Deploy a temporary function that always fails, for the probes in scripts/capabilities.py that test aliases."""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from eventloom.clouds import client

HANDLER = "def handler(event, context):\n    raise RuntimeError('as it should')\n"
ALIAS = "live"


@dataclass(frozen=True)
class FailingFunction:
    """A deployed function, and a queue with the same name to which the function may send messages."""

    name: str
    queue_url: str
    queue_arn: str

    def publish_another(self) -> str:
        """Publish a second version and return its number."""
        functions = client("lambda")
        functions.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": {"EDITION": "second"}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 1})
        number: str = functions.publish_version(FunctionName=self.name)["Version"]
        return number

    def keeps_failures(self, timeout_s: float) -> bool:
        """Return whether a failed asynchronous invocation of the alias reaches the destination in its settings."""
        destination = {"OnFailure": {"Destination": self.queue_arn}}
        client("lambda").put_function_event_invoke_config(
            FunctionName=self.name, Qualifier=ALIAS, MaximumRetryAttempts=0, DestinationConfig=destination
        )
        client("lambda").invoke(FunctionName=f"{self.name}:{ALIAS}", InvocationType="Event", Payload=b"{}")
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if client("sqs").receive_message(QueueUrl=self.queue_url, WaitTimeSeconds=1).get("Messages"):
                return True
        return False


@contextmanager
def failing_function() -> Iterator[FailingFunction]:
    """Deploy the function with an alias for version 1, and delete it with its queue and role afterwards."""
    iam, sqs, functions = client("iam"), client("sqs"), client("lambda")
    name = f"probe-{uuid.uuid4().hex[:12]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    with ExitStack() as stack:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        stack.callback(sqs.delete_queue, QueueUrl=url)
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        stack.callback(iam.delete_role, RoleName=name)
        send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=document(send))
        stack.callback(iam.delete_role_policy, RoleName=name, PolicyName="send")
        stack.callback(delete_log, name)
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="probe.handler",
            Role=role,
            Code={"ZipFile": build_package()},
            Publish=True,
        )
        stack.callback(functions.delete_function, FunctionName=name)
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        functions.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1")
        yield FailingFunction(name, url, arn)


def document(statement: Mapping[str, object]) -> str:
    """Return a policy document with one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def delete_log(name: str) -> None:
    """Delete the function's log group, which the function can create if the emulator does not enforce IAM."""
    with suppress(client("logs").exceptions.ResourceNotFoundException):
        client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")


def build_package() -> bytes:
    """Return the function's deployment package."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("probe.py", HANDLER)
    return package.getvalue()
