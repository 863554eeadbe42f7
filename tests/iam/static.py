"""Check the policy documents of a state or plan by rules that IAM enforcement cannot check."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.iam.documents import Document, listed, policies, unread_policies
from tests.iam.environments import resources
from tests.iam.reasons import Reason, excuse

# The services that may assume a role of this project
TRUSTED = {"lambda.amazonaws.com", "apigateway.amazonaws.com", "states.amazonaws.com"}
SOURCE = {"aws:sourcearn": ("ArnEquals", "ArnLike"), "aws:sourceaccount": ("StringEquals",)}
PROTECTED = {"aws_s3_bucket": "bucket policy", "aws_sqs_queue": "queue policy", "aws_sns_topic": "topic policy"}
# The action that a statement must deny without TLS. SNS accepts no wildcard in a topic's policy.
# https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html#enforce-encryption-data-in-transit
WITHOUT_TLS = {"bucket policy": "s3:*", "queue policy": "sqs:*", "topic policy": "sns:Publish"}
NEGATED = ("NotAction", "NotResource", "NotPrincipal")


def problems(root: dict[str, Any], reasons: list[Reason]) -> list[str]:
    """Return a description of everything that is wrong with the policies of a root module."""
    documents = policies(root)
    faults = []
    for document in documents:
        for statement in document.statements:
            where = f"{document.address}, statement {statement['Sid']}"
            faults += [f"{where}: {fault}" for fault in _statement(document, statement, reasons)]
    unread = [f"{address}: tests/iam/documents.py does not read its policy" for address in unread_policies(root)]
    return [*faults, *unread, *_roles(root), *_tls(root, documents)]


def _statement(document: Document, statement: dict[str, Any], reasons: list[Reason]) -> Iterator[str]:
    yield from (f"{element} matches unforeseen values" for element in NEGATED if element in statement)
    if statement["Effect"] != "Allow":
        return
    yield from (f"wildcard action {action}" for action in listed(statement["Action"]) if "*" in action or "?" in action)
    excused = excuse(reasons, "wildcard", document.block, statement["Sid"])
    for resource in listed(statement.get("Resource", [])):
        if not (bounded(resource) or (resource == "*" and excused)):
            yield f'wildcard resource {resource}: name it, or add a comment "#iam:wildcard {statement["Sid"]} - REASON"'
    if document.kind == "trust policy":
        yield from _trust(statement)
    if not document.of_role():
        yield from _principal(document, statement, reasons)


def bounded(resource: str) -> bool:
    """Return whether an ARN is limited to one named resource. It may end with a wildcard after the name."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or any("*" in part for part in parts[:5]) or "?" in resource:
        return False
    head, wildcard, rest = parts[5].partition("*")
    name = head.rpartition("/")[2] if head.count("/") or ":" not in head else head.rpartition(":")[2]
    complete = head.endswith(("/", ":")) or len(name) > len("eventloom-")
    named = len(head.strip("/:")) > 0 and complete and head.strip("/:") not in KINDS
    return not wildcard or (named and rest == "")


# Resource types that precede a name in an ARN. A wildcard directly after one is not bounded: `table/*` is every table.
KINDS = {*"table stream function log-group alarm rule event-bus key alias role identity parameter secret".split()}  # noqa: SIM905


def _trust(statement: dict[str, Any]) -> Iterator[str]:
    principals = statement["Principal"]
    services = listed(principals.get("Service", [])) if isinstance(principals, dict) else []
    if (
        listed(statement["Action"]) != ["sts:AssumeRole"]
        or list(principals) != ["Service"]
        or len(services) != 1
        or not {*services} <= TRUSTED
    ):
        yield f"a role trusts one service, to assume it, and nobody else; not {principals} with {statement['Action']}"


def _principal(document: Document, statement: dict[str, Any], reasons: list[Reason]) -> Iterator[str]:
    principal = statement.get("Principal")
    if not isinstance(principal, dict) or "*" in listed(principal.get("AWS", [])):
        yield f"everybody may {statement['Action']}"
        return
    if "Service" not in principal or excuse(reasons, "unconditional", document.block, statement["Sid"]):
        return
    sources, accounts = _sources(statement, "aws:sourcearn"), _sources(statement, "aws:sourceaccount")
    if not sources:
        yield f"{principal['Service']} may act for anybody: there is no condition on aws:sourcearn"
    if not accounts and not (sources and all(_account(source) for source in sources)):
        yield f"{principal['Service']} may act for anybody: there is no condition on aws:sourceaccount"
    if accounts and principal["Service"] == "events.amazonaws.com":
        yield "EventBridge sets no aws:sourceaccount: it is refused"
    yield from (f"aws:sourcearn {value} is wider than one resource" for value in sources if not _one_source(value))


def _sources(statement: dict[str, Any], key: str) -> list[str]:
    """Return the values that a statement's conditions require for a key. Operators that don't limit it don't count."""
    conditions = [operands for operator, operands in statement.get("Condition", {}).items() if operator in SOURCE[key]]
    operands_of_key = [operand for operands in conditions for name, operand in operands.items() if name.lower() == key]
    return [value for operand in operands_of_key for value in listed(operand)]


def _account(arn: str) -> str:
    """Return the account in an ARN. The ARN of a bucket has none."""
    return (arn.split(":") + [""] * 5)[4]


def _one_source(arn: str) -> bool:
    """Return whether an ARN names one source.

    The alarms of an environment, or the methods of an API, may share a statement. The account may not be
    a wildcard.
    """
    parts = arn.split(":", 5)
    return len(parts) == 6 and not any("*" in part for part in (*parts[:3], parts[4])) and not parts[5].startswith("*")


def _roles(root: dict[str, Any]) -> Iterator[str]:
    used = Counter(
        function["values"]["role"] for function in resources(root) if function["type"] == "aws_lambda_function"
    )
    yield from (
        f"{count} functions share the role {role}"
        for role, count in used.items()
        if count > 1 and not role.endswith("/mock")
    )


def _tls(root: dict[str, Any], documents: list[Document]) -> Iterator[str]:
    """Yield a problem for each kind of resource that does not always refuse plain HTTP."""
    refusing = Counter(document.kind for document in documents if _refuses_plain_http(document))
    kinds = Counter(PROTECTED[resource["type"]] for resource in resources(root) if resource["type"] in PROTECTED)
    yield from (
        f"{count - refusing[kind]} of {count} have no {kind} that refuses plain HTTP"
        for kind, count in kinds.items()
        if refusing[kind] < count
    )


def _refuses_plain_http(document: Document) -> bool:
    """Return whether a statement denies everything without TLS: all actions, on the resource and on its objects."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    denies = [
        statement
        for statement in document.statements
        if statement["Effect"] == "Deny" and statement["Principal"] == "*" and statement.get("Condition") == condition
    ]
    return any(
        WITHOUT_TLS.get(document.kind) in listed(statement["Action"])
        and _is_whole(document, {*listed(statement["Resource"])})
        for statement in denies
    )


def _is_whole(document: Document, resources: set[str]) -> bool:
    """Return whether `resources` cover everything of a document's owner. A mocked provider invents the owner's name."""
    if document.kind == "bucket policy":
        return any(f"{resource}/*" in resources for resource in resources)
    allowed = [statement for statement in document.statements if statement["Effect"] == "Allow"]
    return bool(resources) and all({*listed(statement["Resource"])} <= resources for statement in allowed)
