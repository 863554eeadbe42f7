"""Recover resources that an interrupted apply created, which Terraform's state lacks or has as tainted.

Terraform keeps a resource whose creation was interrupted, but plans to replace it, and with create_before_destroy the
name of a bucket or table is taken. It does not keep a resource whose id the provider had not returned: while a request
is in progress, and for a Kinesis stream until it is active. The next plan would create it again, and fail because it
exists.

So the state bucket gets a note of the unfinished resources. The next plan updates those in the state in place, and
imports those that only the cloud has: https://developer.hashicorp.com/terraform/language/import
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from eventloom import terminal
from eventloom.clouds import client
from eventloom.deployment import state_bucket
from eventloom.deployment.terraform import OnLine, Terraform
from eventloom.errors import UserError

# Types that can be created only once, and the attribute that Terraform imports them by
_IDENTIFIERS = {
    "aws_cloudwatch_log_group": "name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_kinesis_stream": "name",
    "aws_lambda_function": "function_name",
    "aws_s3_bucket": "bucket",
}
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
# The provider's messages about a request that an interruption ended
_CANCELED = "context canceled"
_BEGUN = re.compile(r"^(\S.*): Creating\.\.\.")
_ENDED = re.compile(r"^(\S.*): Creation complete after ")

type Clients = Callable[[str], Any]
type Resource = dict[str, Any]


class Creations:
    """The addresses of resources whose creation has begun and not ended, according to Terraform's output."""

    def __init__(self) -> None:
        """Begin without addresses."""
        self.unfinished: set[str] = set()

    def before(self, on_line: OnLine) -> OnLine:
        """Return a function that takes each line and passes it on."""

        def both(line: str) -> None:
            self.line(line)
            on_line(line)

        return both

    def line(self, line: str) -> None:
        """Take one line of the output of `terraform apply`, with or without -json."""
        line = _COLOR.sub("", line)
        if line.startswith("{"):
            self._message(line)
        elif begun := _BEGUN.match(line):
            self.unfinished.add(begun[1])
        elif ended := _ENDED.match(line):
            self.unfinished.discard(ended[1])

    def _message(self, line: str) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        if message.get("type") == "diagnostic" and message["diagnostic"]["severity"] == "error":
            self._failure(message["diagnostic"])
        hook = message.get("hook", {})
        if hook.get("action") == "create" and message["type"] == "apply_start":
            self.unfinished.add(hook["resource"]["addr"])
        elif message.get("type") == "apply_complete":
            self.unfinished.discard(hook["resource"]["addr"])

    def _failure(self, diagnostic: dict[str, Any]) -> None:
        """Leave out resources that failed by themselves: Terraform is right to replace them."""
        if _CANCELED not in f"{diagnostic['summary']} {diagnostic.get('detail', '')}":
            self.unfinished.discard(diagnostic.get("address", ""))


def remember(environment: str, plan: dict[str, Any], unfinished: set[str]) -> None:
    """Note the resources of a plan (as `terraform show -json` prints it) that an interrupted apply may have created."""
    resources = noted(environment)
    for change in plan.get("resource_changes", []):
        if change["address"] in unfinished:
            planned = change["change"].get("after") or {}
            identifier = planned.get(_IDENTIFIERS.get(change["type"], ""))
            resources.append({"address": change["address"], "type": change["type"], "id": identifier})
    if resources:
        client("s3").put_object(Bucket=state_bucket.bucket_name(), Key=_key(environment), Body=json.dumps(resources))


def forget(environment: str) -> None:
    """Remove the note: an apply came to its end."""
    if noted(environment):
        client("s3").delete_object(Bucket=state_bucket.bucket_name(), Key=_key(environment))


def noted(environment: str) -> list[Resource]:
    """Return the resources that `remember` noted."""
    try:
        answer = client("s3").get_object(Bucket=state_bucket.bucket_name(), Key=_key(environment))
    except client("s3").exceptions.NoSuchKey:
        return []
    resources: list[Resource] = json.loads(answer["Body"].read())
    return resources


@contextmanager
def imports(terraform: Terraform, environment: str, clients: Clients = client) -> Iterator[None]:
    """Make Terraform's plans within this context import the noted resources that exist and that the state lacks.

    The plans do not replace the noted resources that the state has.
    """
    resources = noted(environment)
    known = _known(terraform, environment) if resources else set()
    for address in sorted({entry["address"] for entry in resources} & known):
        with contextlib.suppress(UserError):  # fails if the resource is not tainted
            terraform("untaint", address, workspace=environment, on_line=lambda _: None)
    orphans = {
        entry["address"]: entry
        for entry in resources
        if entry["id"] and entry["address"] not in known and exists(entry, clients)
    }
    file = terraform.folder / f"interrupted-{environment}.tf"
    file.unlink(missing_ok=True)  # left by a killed run
    if orphans:
        terminal.note(f"taking over what an interrupted apply created: {', '.join(sorted(orphans))}")
        file.write_text("\n".join(_block(environment, orphans[address]) for address in sorted(orphans)))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _block(environment: str, resource: Resource) -> str:
    """Return an import block that has an effect in this workspace only."""
    identity = f'terraform.workspace == "{environment}" ? toset([{json.dumps(resource["id"])}]) : toset([])'
    return f"import {{\n  for_each = {identity}\n  to       = {resource['address']}\n  id       = each.value\n}}\n"


def _known(terraform: Terraform, environment: str) -> set[str]:
    """Return the addresses in the state; it may not exist yet."""
    with contextlib.suppress(UserError):
        return set(terraform("state", "list", workspace=environment, on_line=lambda _: None).splitlines())
    return set()


def exists(resource: Resource, clients: Clients = client) -> bool:
    """Return whether a resource exists in the account."""
    identity = resource["id"]
    try:
        match resource["type"]:
            case "aws_cloudwatch_log_group":
                groups = clients("logs").describe_log_groups(logGroupNamePrefix=identity)["logGroups"]
                return any(group["logGroupName"] == identity for group in groups)
            case "aws_dynamodb_table":
                clients("dynamodb").describe_table(TableName=identity)
            case "aws_iam_role":
                clients("iam").get_role(RoleName=identity)
            case "aws_kinesis_stream":
                clients("kinesis").describe_stream_summary(StreamName=identity)
            case "aws_lambda_function":
                clients("lambda").get_function_configuration(FunctionName=identity)
            case "aws_s3_bucket":
                clients("s3").head_bucket(Bucket=identity)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 404} and "NotFound" in _code(error):
            return False
        raise
    return True


def _code(error: ClientError) -> str:
    """Return the error's code; S3 and IAM have other codes for what does not exist."""
    code: str = error.response["Error"]["Code"]
    return "NotFound" if code in {"404", "NoSuchBucket", "NoSuchEntity"} else code


def _key(environment: str) -> str:
    return f"interrupted/{environment}.json"
