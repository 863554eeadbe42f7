"""Resolve condition keys and policy variables of a request, and report the unknown ones.

The evaluator treats an unknown key, operator or variable as a mismatch, so a Deny that uses it would have no effect.
This module reports unknown ones. statements.py raises an error if a statement that applies to the request contains
one, and the request is then refused.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from embedded_localstack.vendor.ministack_iam_evaluator import _CONDITION_OPS

# Condition keys by service. A request to the service may lack them without making them unknown.
_OF_SERVICES = {
    "cloudwatch": {"namespace"},
    "dynamodb": {"leadingkeys", "fulltablescan"},
    "events": {"source", "detail-type"},
    "iam": {*"awsservicename passedtoservice permissionsboundary policyarn".split()},
    "kms": {
        *"viaservice calleraccount encryptioncontextkeys requestalias granteeprincipal retiringprincipal".split(),
        *"grantoperations grantconstrainttype".split(),
    },
    "lambda": {*"functionarn sourcefunctionarn functionurlauthtype invokedviafunctionurl".split()},
    "s3": {
        *"prefix delimiter max-keys versionid x-amz-acl x-amz-copy-source x-amz-server-side-encryption".split(),
        *"x-amz-server-side-encryption-aws-kms-key-id x-amz-storage-class".split(),
    },
    "secretsmanager": {
        *"forcedeletewithoutrecovery kmskeyid name recoverywindowindays secretid versionid versionstage".split(),
    },
    "ses": {"fromaddress", "recipients"},
    "sns": {"protocol", "endpoint"},
    "ssm": {"overwrite", "recursive"},
    "states": {"statemachinequalifier"},
    "sts": {*"externalid rolesessionname sourceidentity transitivetagkeys".split()},
}
# Prefixes of condition keys that end with a name chosen by the caller.
_OPEN = re.compile(r"kms:encryptioncontext:")
# Global keys that only some callers have: users, signed requests, services.
_OF_SOME = {
    *"aws:username aws:principalarn aws:principalservicename aws:sourcearn aws:sourceaccount aws:sourceowner".split(),
    *"aws:principalaccount aws:principaltype".split(),
}
_TAGS = re.compile(r"aws:(tagkeys$|requesttag/)")
_MAY_TAG = re.compile(r"(?!sts:)\w+:(Add|Create|Put|Register|Tag|Untag)")

_VARIABLE = re.compile(r"\$\{\s*([^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_TAKES_VARIABLES = re.compile(r"(string|arn)")
_TAKES_WILDCARDS = re.compile(r"(string(not)?like|arn)")
# Private-use characters stand for a literal * and ?, and for a text that equals no other text.
LITERALS = {"\ue000": "*", "\ue001": "?"}
_NOTHING = "\ue002"


def request_keys(  # noqa: PLR0913 - these are the parts of a request
    keys: Mapping[str, Any],
    *,
    role_arn: str | None,
    service: str | None,
    account: str,
    owner: str,
    action: str,
    region: str,
    tls: bool,
) -> dict[str, Any]:
    """Return all condition keys of a request, in lower case.

    Args:
        keys: the keys that are specific to the service.
        role_arn: the ARN of the caller's role, if the caller is a role's session.
        service: the caller's service principal, if the caller is a service.
        account: the account of the role.
        owner: the account of the resource.
    """
    now = datetime.now(UTC)
    all_keys: dict[str, Any] = {
        "aws:currenttime": now.isoformat(),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:requestedregion": region,
        "aws:securetransport": str(tls).lower(),
        "aws:sourceip": "127.0.0.1",
        "aws:resourceaccount": owner,
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": str(bool(service)).lower(),
    }
    if action.startswith("s3:"):
        all_keys["s3:resourceaccount"] = owner
    if role_arn:
        all_keys |= {"aws:principalarn": role_arn, "aws:principalaccount": account, "aws:principaltype": "AssumedRole"}
    elif service:
        all_keys["aws:principalservicename"] = service
    else:
        all_keys |= {"aws:principalaccount": "anonymous", "aws:principaltype": "Anonymous"}
    return all_keys | dict(keys)


class Reader:
    """A reader of policy statements for one request.

    Args:
        action: the requested action.
        keys: all condition keys of the request.
        version: the version of the policy language; only 2012-10-17 has variables.
    """

    def __init__(self, action: str, keys: Mapping[str, Any], version: str) -> None:
        self._action, self._keys = action, keys
        self._has_variables = version == "2012-10-17"

    def read(self, statement: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        """Replace the variables of a statement.

        Return the statement, a copy without unknown conditions, and what is unknown, such as "condition key aws:x".
        """
        unknown: list[str] = []
        read = dict(statement)
        # An unknown variable could have any value, so the statement applies to every resource that fits one.
        for element, doubt in (("Resource", "*"), ("NotResource", _NOTHING)):
            if element in statement:
                read[element] = self._fill_resources(statement[element], unknown, doubt)
        conditions: dict[str, dict[str, Any]] = {}
        certain: dict[str, dict[str, Any]] = {}
        for operator, operands in (statement.get("Condition") or {}).items():
            for key, value in operands.items():
                doubts: list[str] = []
                filled = self._operand(operator, key, value, doubts)
                for target in [conditions] if doubts else [conditions, certain]:
                    target.setdefault(operator, {})[key] = filled
                unknown += doubts
        return read | {"Condition": conditions}, read | {"Condition": certain}, unknown

    def _fill_resources(self, value: Any, unknown: list[str], doubt: str) -> Any:
        """Return the patterns of Resource or NotResource with the values of their variables.

        "A policy variable can be used in the Resource element, but only in the resource portion of the ARN", which
        "appears after the fifth colon". Elsewhere a variable is not replaced and matches nothing.
        """
        if isinstance(value, list):
            return [self._fill_resources(item, unknown, doubt) for item in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        parts = value.split(":", 5)
        filled = self._fill(parts[5], unknown, wildcards=True, doubt=doubt) if len(parts) == 6 else value
        return ":".join([*parts[:5], filled]) if len(parts) == 6 and filled != _NOTHING else filled

    def _operand(self, operator: str, key: str, value: Any, unknown: list[str]) -> Any:
        base = operator.lower().removeprefix("forallvalues:").removeprefix("foranyvalue:").removesuffix("ifexists")
        if base not in _CONDITION_OPS and operator.lower() != "null":
            unknown.append(f"condition operator {operator}")
        if not self._knows(key):
            unknown.append(f"condition key {key}")
        if not _TAKES_VARIABLES.match(base):
            return value
        return self._fill(value, unknown, wildcards=bool(_TAKES_WILDCARDS.match(base)))

    def _knows(self, key: str) -> bool:
        key = key.lower()
        prefix, _, name = key.partition(":")
        if key in self._keys or _OPEN.match(key):
            return True
        if prefix == "aws":
            return key in _OF_SOME or bool(_TAGS.match(key) and not _MAY_TAG.match(self._action))
        return bool(name) and (prefix != self._action.partition(":")[0] or name in _OF_SERVICES.get(prefix, ()))

    def _fill(self, value: Any, unknown: list[str], *, wildcards: bool, doubt: str = "") -> Any:
        """Return a text or a list of texts with their variables replaced.

        If a variable has no value, its whole text is replaced by one that equals no other text.
        """
        if isinstance(value, list):
            return [self._fill(item, unknown, wildcards=wildcards, doubt=doubt) for item in value]
        if not isinstance(value, str) or "${" not in value or not self._has_variables:
            return value
        absent = False

        def replace(variable: re.Match[str]) -> str:
            nonlocal absent
            name, default = variable.groups()
            if name in ("*", "?", "$"):
                replacement = name
            elif not self._knows(name):
                unknown.append(f"policy variable {variable[0]}")
                return doubt
            else:
                replacement = self._keys.get(name.lower(), default)
            absent = absent or not isinstance(replacement, str)
            return _literal(str(replacement)) if wildcards else str(replacement)

        filled = _VARIABLE.sub(replace, value)
        return _NOTHING if absent else filled


def _literal(text: str) -> str:
    for stand_in, character in LITERALS.items():
        text = text.replace(character, stand_in)
    return text
