"""Recover resources that an interrupted apply created.

Terraform marks a resource as tainted if its creation was interrupted, and the next plan replaces it. With
create_before_destroy that fails, because the name of the bucket or table is taken. If the provider has not yet
returned an id, the resource is missing from the state, and the next apply fails because the resource exists. The
provider returns no id while a request is in progress, and none for a Kinesis stream until the stream is active.

So an interrupted apply saves a note of the unfinished resources in the state bucket. The next plan updates the noted
resources in the state in place, and imports those that only the cloud has:
https://developer.hashicorp.com/terraform/language/import
A destroy imports them as well, because it removes only resources in the state.

The `owner` of a note is the name of an environment, or examples/NAME for an example.
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

# Examples use this workspace.
_DEFAULT = "default"
# The attribute that identifies a resource of each type. The names of REST APIs need not be unique on AWS, but Eventloom
# puts the environment into them.
_IDENTIFIERS = {
    "aws_api_gateway_rest_api": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_kinesis_stream": "name",
    "aws_lambda_function": "function_name",
    "aws_s3_bucket": "bucket",
}
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
# The provider's error messages contain this text if an interruption canceled the request.
_CANCELED = "context canceled"
_BEGUN = re.compile(r"^(\S.*): Creating\.\.\.")
_ENDED = re.compile(r"^(\S.*): Creation complete after ")

type Clients = Callable[[str], Any]
type Resource = dict[str, Any]


class Creations:
    """Collects from Terraform's output the addresses of resources whose creation has begun and not ended."""

    def __init__(self) -> None:
        """Start with no addresses."""
        self.unfinished: set[str] = set()

    def before(self, on_line: OnLine) -> OnLine:
        """Return a function that calls `line` and then `on_line` with each line."""

        def both(line: str) -> None:
            self.line(line)
            on_line(line)

        return both

    def line(self, line: str) -> None:
        """Process one line of the output of `terraform apply`, with or without -json."""
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
        """Remove a resource that failed for another reason than the interruption. Terraform may replace it."""
        if _CANCELED not in f"{diagnostic['summary']} {diagnostic.get('detail', '')}":
            self.unfinished.discard(diagnostic.get("address", ""))


def remember(owner: str, plan: dict[str, Any], unfinished: set[str]) -> None:
    """Save a note of the unfinished resources of a plan. `plan` is the output of `terraform show -json`."""
    resources = noted(owner)
    for change in plan.get("resource_changes", []):
        if change["address"] in unfinished:
            planned = change["change"].get("after") or {}
            identifier = planned.get(_IDENTIFIERS.get(change["type"], ""))
            resources.append({"address": change["address"], "type": change["type"], "id": identifier})
    if resources:
        client("s3").put_object(Bucket=state_bucket.bucket_name(), Key=_key(owner), Body=json.dumps(resources))


def forget(owner: str) -> None:
    """Remove the note, after an apply or a destroy has ended without interruption."""
    if noted(owner):
        client("s3").delete_object(Bucket=state_bucket.bucket_name(), Key=_key(owner))


def noted(owner: str) -> list[Resource]:
    """Return the resources that `remember` noted."""
    try:
        answer = client("s3").get_object(Bucket=state_bucket.bucket_name(), Key=_key(owner))
    except client("s3").exceptions.NoSuchKey:
        return []
    resources: list[Resource] = json.loads(answer["Body"].read())
    return resources


@contextmanager
def imports(terraform: Terraform, owner: str, clients: Clients = client) -> Iterator[None]:
    """Make Terraform's plans within this context import the noted resources that exist but are not in the state.

    The plans do not replace noted resources that are in the state.
    """
    resources = noted(owner)
    known = _known(terraform, owner) if resources else set()
    for address in sorted({entry["address"] for entry in resources} & known):
        with contextlib.suppress(UserError):  # `untaint` fails if the resource is not tainted.
            terraform("untaint", address, workspace=_workspace(owner), on_line=lambda _: None)
    orphans = _orphans(resources, known, clients)
    file = terraform.folder / f"interrupted-{owner.replace('/', '-')}.tf"
    file.unlink(missing_ok=True)  # A killed run may have left the file.
    if orphans:
        terminal.note(f"taking over what an interrupted apply created: {', '.join(sorted(orphans))}")
        file.write_text("\n".join(_block(_workspace(owner), *entry) for entry in sorted(orphans.items())))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def adopt(terraform: Terraform, owner: str, *options: str, clients: Clients = client) -> None:
    """Import the noted resources that exist but are not in the state, so that a destroy removes them.

    Terraform ignores import blocks when it destroys. `options` are options of the destroy, such as -var=NAME=VALUE.
    """
    resources = noted(owner)
    known = _known(terraform, owner) if resources else set()
    for address, identity in sorted(_orphans(resources, known, clients).items()):
        terminal.note(f"taking over what an interrupted apply created: {address}")
        terraform("import", "-input=false", *options, address, identity, workspace=_workspace(owner))


def _orphans(resources: list[Resource], known: set[str], clients: Clients) -> dict[str, str]:
    """Return the import ids, by address, of the resources that exist but are not in the state."""
    candidates = [entry for entry in resources if entry["id"] and entry["address"] not in known]
    return {entry["address"]: identity for entry in candidates if (identity := identify(entry, clients))}


def _block(workspace: str, address: str, identity: str) -> str:
    """Return an import block that has an effect in this workspace only."""
    identities = f'terraform.workspace == "{workspace}" ? toset([{json.dumps(identity)}]) : toset([])'
    return f"import {{\n  for_each = {identities}\n  to       = {address}\n  id       = each.value\n}}\n"


def _known(terraform: Terraform, owner: str) -> set[str]:
    """Return the addresses in the state, or an empty set if there is no state."""
    with contextlib.suppress(UserError):
        return set(terraform("state", "list", workspace=_workspace(owner), on_line=lambda _: None).splitlines())
    return set()


def identify(resource: Resource, clients: Clients = client) -> str | None:
    """Return the id with which Terraform imports a resource, or None if the resource does not exist."""
    name = resource["id"]
    try:
        match resource["type"]:
            case "aws_api_gateway_rest_api":
                pages = clients("apigateway").get_paginator("get_rest_apis").paginate()
                apis = [api for page in pages for api in page["items"] if api["name"] == name]
                return max(apis, key=lambda api: api["createdDate"])["id"] if apis else None
            case "aws_cloudwatch_log_group":
                groups = clients("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
                return name if any(group["logGroupName"] == name for group in groups) else None
            case "aws_dynamodb_table":
                clients("dynamodb").describe_table(TableName=name)
            case "aws_iam_role":
                clients("iam").get_role(RoleName=name)
            case "aws_kinesis_stream":
                clients("kinesis").describe_stream_summary(StreamName=name)
            case "aws_lambda_function":
                clients("lambda").get_function_configuration(FunctionName=name)
            case "aws_s3_bucket":
                clients("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 404} and "NotFound" in _code(error):
            return None
        raise
    return str(name)


def _code(error: ClientError) -> str:
    """Return the error's code, and "NotFound" for the codes of S3 and IAM that mean the same."""
    code: str = error.response["Error"]["Code"]
    return "NotFound" if code in {"404", "NoSuchBucket", "NoSuchEntity"} else code


def _workspace(owner: str) -> str:
    return _DEFAULT if "/" in owner else owner


def _key(owner: str) -> str:
    return f"interrupted/{owner}.json"
