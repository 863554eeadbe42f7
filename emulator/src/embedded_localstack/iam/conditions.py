"""Condition keys, operators and policy variables: what each is worth in a request, and which are not known here.

The evaluator takes a key, operator or variable that it does not know for one that does not match, and a Deny would
vanish. Here each has a value, or is known to be absent, or is named as unknown; decide.py refuses a request that a
statement with an unknown one is about.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from embedded_localstack.vendor.ministack_iam_evaluator import _CONDITION_OPS

# Keys of a service are in requests to it alone; these are known if they are absent from one.
_OF_SERVICES = {
    "cloudwatch": {"namespace"},
    "dynamodb": {"leadingkeys"},
    "events": {"source", "detail-type"},
    "kms": {"viaservice"},
    "lambda": {*"functionarn sourcefunctionarn functionurlauthtype invokedviafunctionurl".split()},
    "s3": {
        *"prefix delimiter max-keys versionid x-amz-acl x-amz-copy-source x-amz-server-side-encryption".split(),
        *"x-amz-server-side-encryption-aws-kms-key-id x-amz-storage-class".split(),
    },
    "ses": {"fromaddress", "recipients"},
    "sns": {"protocol", "endpoint"},
}
# Global keys that only some callers have: users, principals that sign, services.
_OF_SOME = {
    *"aws:username aws:principalarn aws:principalservicename aws:sourcearn aws:sourceaccount aws:sourceowner".split()
}
_TAGS = re.compile(r"aws:(tagkeys$|requesttag/)")
_MAY_TAG = re.compile(r"\w+:(Add|Create|Put|Register|Tag|Untag)")

_VARIABLE = re.compile(r"\$\{\s*([^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_TAKES_VARIABLES = re.compile(r"(string|arn)")
_TAKES_WILDCARDS = re.compile(r"(string(not)?like|arn)")
# Characters of no policy: * and ? that are no wildcards, and what equals nothing.
LITERALS = {"\ue000": "*", "\ue001": "?"}
_NOTHING = "\ue002"


def request_keys(  # noqa: PLR0913 - a request is what it is
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
    """All condition keys of a request, in lower case.

    Args:
        keys: what only the service knows.
        role_arn: of the caller, if it is a role's session.
        service: the caller, if it is a service.
        account: of a role.
        owner: the resource's account.
    """
    now = datetime.now(UTC)
    found: dict[str, Any] = {
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
        found["s3:resourceaccount"] = owner
    if role_arn:
        found |= {"aws:principalarn": role_arn, "aws:principalaccount": account, "aws:principaltype": "AssumedRole"}
    elif service:
        found["aws:principalservicename"] = service
    else:
        found |= {"aws:principalaccount": "anonymous", "aws:principaltype": "Anonymous"}
    return found | dict(keys)


class Reader:
    """Reads statements as one request sees them.

    Args:
        action: what is asked.
        keys: all condition keys of the request.
        version: of the policy language: only the present one has variables.
    """

    def __init__(self, action: str, keys: Mapping[str, Any], version: str) -> None:
        self._action, self._keys = action, keys
        self._has_variables = version == "2012-10-17"

    def read(self, statement: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        """The statement with its variables filled in, the same without what is unknown of it, and that, such as
        "condition key aws:x".
        """
        unknown: list[str] = []
        read = dict(statement)
        # With something unknown it is about all that it may be about.
        for element, doubt in (("Resource", "*"), ("NotResource", _NOTHING)):
            if element in statement:
                read[element] = self._fill(statement[element], unknown, wildcards=True, doubt=doubt)
        conditions: dict[str, dict[str, Any]] = {}
        certain: dict[str, dict[str, Any]] = {}
        for operator, operands in (statement.get("Condition") or {}).items():
            for key, value in operands.items():
                doubts: list[str] = []
                filled = self._operand(operator, key, value, doubts)
                for found in [conditions] if doubts else [conditions, certain]:
                    found.setdefault(operator, {})[key] = filled
                unknown += doubts
        return read | {"Condition": conditions}, read | {"Condition": certain}, unknown

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
        if key in self._keys:
            return True
        if prefix == "aws":
            return key in _OF_SOME or bool(_TAGS.match(key) and not _MAY_TAG.match(self._action))
        return bool(name) and (prefix != self._action.partition(":")[0] or name in _OF_SERVICES.get(prefix, ()))

    def _fill(self, value: Any, unknown: list[str], *, wildcards: bool, doubt: str = "") -> Any:
        """A text, or several, with variables replaced; one without a value has the text equal nothing."""
        if isinstance(value, list):
            return [self._fill(one, unknown, wildcards=wildcards, doubt=doubt) for one in value]
        if not isinstance(value, str) or "${" not in value or not self._has_variables:
            return value
        absent = False

        def replace(variable: re.Match[str]) -> str:
            nonlocal absent
            name, default = variable.groups()
            if name in ("*", "?", "$"):
                found = name
            elif not self._knows(name):
                unknown.append(f"policy variable {variable[0]}")
                return doubt
            else:
                found = self._keys.get(name.lower(), default)
            absent = absent or not isinstance(found, str)
            return _literal(str(found)) if wildcards else str(found)

        filled = _VARIABLE.sub(replace, value)
        return _NOTHING if absent else filled


def _literal(text: str) -> str:
    for stand_in, character in LITERALS.items():
        text = text.replace(character, stand_in)
    return text
