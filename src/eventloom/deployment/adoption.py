"""After an interruption, resources that were created although Terraform's state does not have them.

Terraform keeps a resource whose creation was interrupted, unless the provider did not return its id yet. That is so while a request is
under way, and for a Kinesis stream until it is active: https://github.com/hashicorp/terraform-provider-aws, resourceStreamCreate.
The next plan would create it once more, and fail because it exists.
"""

import json
import re
from typing import Any

from eventloom import terminal
from eventloom.deployment.terraform import OnLine, Terraform
from eventloom.errors import UserError

# Types that can be created only once, and the attribute that `terraform import` takes as id
_IDENTIFIERS = {
    "aws_cloudwatch_log_group": "name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_kinesis_stream": "name",
    "aws_lambda_function": "function_name",
    "aws_s3_bucket": "bucket",
}
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_BEGUN = re.compile(r"^(\S.*): Creating\.\.\.")
_ENDED = re.compile(r"^(\S.*): Creation complete after ")


class Creations:
    """The addresses of resources whose creation has begun and not ended, as Terraform's output says."""

    def __init__(self) -> None:
        """Begin with none."""
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
        hook = message.get("hook", {})
        if hook.get("action") == "create" and message["type"] == "apply_start":
            self.unfinished.add(hook["resource"]["addr"])
        elif message.get("type") == "apply_complete":
            self.unfinished.discard(hook["resource"]["addr"])


def adopt(terraform: Terraform, environment: str, plan: dict[str, Any], unfinished: set[str]) -> None:
    """Import those of the resources that exist and that the state does not have. `plan` is what `terraform show -json` prints."""
    changes = {change["address"]: change for change in plan.get("resource_changes", [])}
    try:
        known = set(terraform("state", "list", workspace=environment, on_line=_ignore).splitlines())
    except UserError:  # nothing was created
        known = set()
    for address in sorted(unfinished - known):
        attribute = _IDENTIFIERS.get(changes.get(address, {}).get("type", ""))
        identifier = attribute and (changes[address]["change"].get("after") or {}).get(attribute)
        if identifier:
            _import(terraform, environment, address, identifier)


def _import(terraform: Terraform, environment: str, address: str, identifier: str) -> None:
    try:
        terraform("import", "-input=false", address, identifier, workspace=environment, on_line=_ignore)
    except UserError:  # it does not exist
        return
    terminal.note(f"{address} was created before the interruption; the state has it now")


def _ignore(_line: str) -> None:
    """Print nothing: a failure says that there is nothing to adopt."""
