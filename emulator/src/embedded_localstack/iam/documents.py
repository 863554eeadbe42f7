"""Refuse malformed policies when they are written, with the error of the service that stores them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""
# mypy: disable-error-code="import-not-found"

import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
_AWS_PRINCIPAL = re.compile(
    r"\*|\d{12}|A[A-Z0-9]{15,127}"
    r"|arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[^*?]+)"
    r"|arn:aws[a-z-]*:sts::\d{12}:(assumed-role|federated-user)/[^*?]+"
    r"|arn:aws[a-z-]*:iam::cloudfront:user/[^*?]+"
)


class Kind(Enum):
    """The kind of a policy, which decides which elements its statements have."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"


class MalformedError(Exception):
    """A policy document that AWS does not accept."""


class _Stored(NamedTuple):
    """The place of the policy in an operation's parameters, and the service's error for a malformed policy."""

    kind: Kind
    code: str
    documents: Callable[[Mapping[str, Any]], list[Any]]


def _at(name: str) -> Callable[[Mapping[str, Any]], list[Any]]:
    return lambda params: [params.get(name)]


def _attribute(params: Mapping[str, Any]) -> list[Any]:
    """Return the policy in the attributes of CreateQueue, SetQueueAttributes and CreateTopic."""
    return [(params.get("Attributes") or {}).get("Policy")]


def _topic_attribute(params: Mapping[str, Any]) -> list[Any]:
    return [params.get("AttributeValue")] if params.get("AttributeName") == "Policy" else []


_MALFORMED = "MalformedPolicyDocument"
STORED: dict[tuple[str, str], _Stored] = {
    **{
        ("iam", operation): _Stored(Kind.IDENTITY, _MALFORMED, _at("PolicyDocument"))
        for operation in ("CreatePolicy", "CreatePolicyVersion", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy")
    },
    ("iam", "CreateRole"): _Stored(Kind.TRUST, _MALFORMED, _at("AssumeRolePolicyDocument")),
    ("iam", "UpdateAssumeRolePolicy"): _Stored(Kind.TRUST, _MALFORMED, _at("PolicyDocument")),
    ("sts", "AssumeRole"): _Stored(Kind.IDENTITY, _MALFORMED, _at("Policy")),
    ("s3", "PutBucketPolicy"): _Stored(Kind.RESOURCE, "MalformedPolicy", _at("Policy")),
    ("sqs", "CreateQueue"): _Stored(Kind.RESOURCE, "InvalidAttributeValue", _attribute),
    ("sqs", "SetQueueAttributes"): _Stored(Kind.RESOURCE, "InvalidAttributeValue", _attribute),
    ("sns", "CreateTopic"): _Stored(Kind.RESOURCE, "InvalidParameter", _attribute),
    ("sns", "SetTopicAttributes"): _Stored(Kind.RESOURCE, "InvalidParameter", _topic_attribute),
    ("kms", "CreateKey"): _Stored(Kind.RESOURCE, f"{_MALFORMED}Exception", _at("Policy")),
    ("kms", "PutKeyPolicy"): _Stored(Kind.RESOURCE, f"{_MALFORMED}Exception", _at("Policy")),
    ("events", "PutPermission"): _Stored(Kind.RESOURCE, "ValidationException", _at("Policy")),
    ("logs", "PutResourcePolicy"): _Stored(Kind.RESOURCE, "InvalidParameterException", _at("policyDocument")),
    ("secretsmanager", "PutResourcePolicy"): _Stored(Kind.RESOURCE, f"{_MALFORMED}Exception", _at("ResourcePolicy")),
    ("dynamodb", "PutResourcePolicy"): _Stored(Kind.RESOURCE, "ValidationException", _at("Policy")),
    ("kinesis", "PutResourcePolicy"): _Stored(Kind.RESOURCE, "ValidationException", _at("Policy")),
}


def verify(document: str, kind: Kind) -> None:
    """Check the grammar of a policy document.

    Raises:
        MalformedError: AWS does not accept the document; the message says why.
    """
    try:
        policy = json.loads(document)
    except ValueError as error:
        raise MalformedError(f"The policy is not valid JSON: {error}") from error
    if not isinstance(policy, dict):
        raise MalformedError("The policy is not a JSON object")
    if policy.get("Version", VERSIONS[1]) not in VERSIONS:
        raise MalformedError(f"The policy's Version must be one of {', '.join(VERSIONS)}")
    statements = policy.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise MalformedError("The policy has no Statement")
    for index, statement in enumerate(statements):
        for problem in _problems(statement, kind):
            name = statement.get("Sid") if isinstance(statement, dict) else None
            raise MalformedError(f"Statement {name or index}: {problem}")


def _problems(statement: Any, kind: Kind) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield "it is not a JSON object"
        return
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield "Effect must be Allow or Deny"
    yield from _texts(statement, "Action")
    if kind is Kind.TRUST:
        if "Resource" in statement or "NotResource" in statement:
            yield "a trust policy has no Resource"
    else:
        yield from _texts(statement, "Resource")
    if kind is Kind.IDENTITY:
        if "Principal" in statement or "NotPrincipal" in statement:
            yield "a policy of an identity has no Principal"
    else:
        yield from _principal_problems(statement)
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict) or not all(isinstance(operands, dict) for operands in conditions.values()):
        yield "Condition must map operators to condition keys"


def _texts(statement: dict[str, Any], name: str) -> Iterator[str]:
    """Yield the problems of Action or Resource. A statement must have either the element or its Not form."""
    elements = [element for element in (name, f"Not{name}") if element in statement]
    if len(elements) != 1:
        yield f"it must have either {name} or Not{name}"
        return
    value = statement[elements[0]]
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        yield f"{elements[0]} must be a text or a list of texts, and not empty"


def _principal_problems(statement: dict[str, Any]) -> Iterator[str]:
    elements = [element for element in ("Principal", "NotPrincipal") if element in statement]
    if len(elements) != 1:
        yield "it must have either Principal or NotPrincipal"
        return
    if elements == ["NotPrincipal"] and statement.get("Effect") == "Allow":
        yield "NotPrincipal needs Effect Deny"
    value = statement[elements[0]]
    if value == "*":
        return
    if not isinstance(value, dict) or not value or not value.keys() <= _PRINCIPALS:
        yield f'{elements[0]} must be "*" or have keys of {", ".join(sorted(_PRINCIPALS))}'
        return
    for kind, names in value.items():
        for name in [names] if isinstance(names, str) else names if isinstance(names, list) else [None]:
            if not isinstance(name, str) or (kind == "AWS" and not _AWS_PRINCIPAL.fullmatch(name)):
                yield f"invalid principal: {kind} {name}"


def refuse_malformed(_chain: Any, context: Any, _response: Any) -> None:
    """Check the policies in a request: a handler in LocalStack's chain.

    Raises:
        CommonServiceException: a policy is malformed.
    """
    if not context.service or not context.operation:
        return
    stored = STORED.get((context.service.service_name, context.operation.name))
    if not stored:
        return
    for document in stored.documents(context.service_request or {}):
        if not document:
            continue
        try:
            verify(str(document), stored.kind)
        except MalformedError as error:
            from localstack.aws.api import CommonServiceException  # noqa: PLC0415 - only a running server has it

            raise CommonServiceException(stored.code, str(error), status_code=400, sender_fault=True) from error


def install() -> None:
    """Add the handler to the chain, after the one that checks permissions."""
    from localstack.aws.handlers import serve_custom_service_request_handlers  # noqa: PLC0415 - only a running server has it

    serve_custom_service_request_handlers.append(refuse_malformed)
