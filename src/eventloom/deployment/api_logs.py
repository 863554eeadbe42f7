"""Decide whether an environment sets the role with which API Gateway writes access logs.

An account has one such role per region, and all its APIs share the role. An environment sets its role only if the
account has no role or its role was deleted. It never replaces an existing role of another owner. A destroyed
environment leaves its role if other APIs may log with it.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from eventloom import terminal
from eventloom.clouds import chosen_cloud, client
from eventloom.deployment import environments
from eventloom.deployment.terraform import root_module
from eventloom.errors import UserError

SETTING = "aws_api_gateway_account.this[0]"
ROLE = ("aws_iam_role_policy_attachment.api_gateway_logs[0]", "aws_iam_role.api_gateway_logs[0]")
# This environment variable sets a Terraform variable. chosen_cloud().environment() passes it to Terraform.
VARIABLE = "TF_VAR_api_gateway_account"


@dataclass(frozen=True)
class Account:
    """API Gateway's logging role in an account and region, as an environment sees it."""

    gateway: Any
    iam: Any
    environment: str

    @property
    def own_name(self) -> str:
        """Return the name of the role that the environment creates."""
        return f"eventloom-{self.environment}-api-gateway-logs"

    def role(self) -> str:
        """Return the ARN of the account's role, or "" if it has none."""
        return str(self.gateway.get_account().get("cloudwatchRoleArn") or "")

    def is_own(self, arn: str) -> bool:
        """Return whether the environment created a role."""
        return _name(arn) == self.own_name

    def exists(self, arn: str) -> bool:
        """Return whether a role exists. A role that these credentials may not read counts as existing."""
        try:
            self.iam.get_role(RoleName=_name(arn))
        except ClientError as error:
            return error.response["Error"]["Code"] != "NoSuchEntity"
        return True

    def other_apis(self) -> list[str]:
        """Return the names of the APIs of others, which may log with the role."""
        pages = self.gateway.get_paginator("get_rest_apis").paginate()
        names = [api["name"] for page in pages for api in page["items"]]
        return sorted(name for name in names if not name.startswith(f"eventloom-{self.environment}-"))


def account(environment: str) -> Account:
    """Return the chosen cloud's account for an environment."""
    return Account(client("apigateway"), client("iam"), environment)


def choose(target: Account) -> None:
    """Set Terraform's variable that decides whether the environment sets the account's role.

    Raises:
        UserError: the account has no working role, and the environment may not set one.
    """
    os.environ[VARIABLE] = str(_decide(target)).lower()


def _decide(target: Account) -> bool:
    arn = target.role()
    live = arn and target.exists(arn)
    if not environments.setting(target.environment, "owns_api_gateway_account"):
        if not live:
            raise UserError(
                "API Gateway of this account and region has no role for its logs, and refuses access logs without one; "
                f"set owns_api_gateway_account to true for '{target.environment}' in terraform/{environments.TABLE}, "
                "or deploy the environment first that sets the role"
            )
        return False
    if not live:
        if arn and not chosen_cloud().endpoint:  # Emulators start with the ARN of a role that does not exist.
            terminal.note(f"API Gateway's logs use the role {arn}, which does not exist; the environment sets its own")
        return True
    if target.is_own(arn):
        return _in_state(target.environment, SETTING)
    terminal.note(
        f"API Gateway's logs in this account and region use the role {arn}; it stays, and the environment logs with it"
    )
    if _in_state(target.environment, SETTING):
        _forget(target.environment, SETTING)  # Version 6 of the provider would remove the other role from the account.
    return False


def refuse_outdated(target: Account, plan: dict[str, Any]) -> None:
    """Raise UserError if a plan sets the account's role, but another owner has set one since the plan was made."""
    actions = [
        change["change"]["actions"] for change in plan.get("resource_changes", []) if change["address"] == SETTING
    ]
    arn = target.role() if actions and actions != [["no-op"]] else ""
    if arn and not target.is_own(arn) and target.exists(arn):
        raise UserError(
            f"API Gateway's logs in this account and region use the role {arn} since the plan was made; make another "
            "plan, which leaves that role"
        )


def release(target: Account) -> None:
    """Before an environment is destroyed, remove the role from its state if other APIs use it, so that it stays."""
    if not _in_state(target.environment, SETTING):
        return
    arn = target.role()
    if arn and not target.is_own(arn):
        terminal.note(f"API Gateway's logs in this account and region use the role {arn}; it stays")
        _forget(target.environment, SETTING)
    elif others := target.other_apis():
        terminal.note(
            f"other APIs ({', '.join(map(terminal.printable, others))}) may write their logs with the role {arn}; it "
            f"stays, so set another role in API Gateway's settings before you delete it"
        )
        _forget(target.environment, SETTING, *ROLE)


def reset(target: Account) -> None:
    """After an environment is destroyed, remove its role from API Gateway's settings if the role no longer exists.

    Version 5 of the AWS provider leaves the deleted role in these settings; version 6 removes it.
    """
    arn = target.role()
    if arn and target.is_own(arn) and not target.exists(arn):
        target.gateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}])


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _in_state(environment: str, address: str) -> bool:
    # Without any state, `terraform state list` ends with 1.
    code, output = root_module().run("state", "list", address, workspace=environment, codes=(0, 1))
    return code == 0 and address in output


def _forget(environment: str, *addresses: str) -> None:
    for address in addresses:
        if _in_state(environment, address):
            root_module()("state", "rm", address, workspace=environment)
