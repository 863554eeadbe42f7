"""Judge the statements that deny requests without TLS, by the recorded requests."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_role
from tests.iam.decisions import Decision, owner_of
from tests.iam.documents import Document, listed

ACCOUNT = "000000000000"
ADMINISTRATOR = RolePolicies(
    f"arn:aws:iam::{ACCOUNT}:role/admin",
    (Policy("everything", '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'),),
)
type Requests = list[tuple[str, str]]


def requests_to(document: Document, decisions: Iterable[Decision]) -> Requests:
    """Return the actions and resources of all requests to this kind of resource, as if `document`'s owner got them."""
    service = _service(document.owner)
    recorded = [decision for decision in decisions if decision.allowed and _service(decision.resource) == service]
    owner = document.owner
    pairs = {
        (entry.action, owner if entry.resource == owner_of(entry.resource) else f"{owner}/key") for entry in recorded
    }
    return sorted(pairs)


def _service(arn: str) -> str:
    """Return the service in an ARN."""
    return (arn.split(":") + [""] * 3)[2]


def faults(document: Document, requests: Requests) -> list[str]:
    """Return the faults of a document that must deny all requests without TLS, and no others."""
    if not requests:
        return ["no request to a resource of this kind is recorded"]
    policy = document.policy
    problems = [f"{what} is allowed without TLS" for what in _allowed(policy, requests, tls=False)]
    with_tls = _allowed(policy, requests, tls=True)
    problems += [f"{what} is denied with TLS" for what in _texts(requests) if what not in with_tls]
    if not problems:
        halves = [half for half in _halves(policy) if not _allowed(half, requests, tls=False)]
        problems = [f"no recorded request needs all of {json.dumps(half['Statement'])}" for half in halves]
    return problems


def _halves(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield copies of the document: each lacks one deny, or one action or resource of a deny."""
    statements = listed(policy["Statement"])
    for index, statement in enumerate(statements):
        if statement["Effect"] != "Deny":
            continue
        others = [*statements[:index], *statements[index + 1 :]]
        yield {**policy, "Statement": others}
        for element in ("Action", "Resource"):
            values = listed(statement[element])
            for value in values if len(values) > 1 else ():
                rest = {**statement, element: [other for other in values if other != value]}
                yield {**policy, "Statement": [*others, rest]}


def _texts(requests: Requests) -> list[str]:
    return [f"{action} on {resource}" for action, resource in requests]


def _allowed(policy: dict[str, Any], requests: Requests, *, tls: bool) -> list[str]:
    """Return the requests that the policy allows to an administrator's role."""
    document = Policy("resource policy", json.dumps(policy))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/s"

    def allows(action: str, resource: str) -> bool:
        question = Question(session, action, resource, ACCOUNT, "us-east-1", {}, tls)
        return bool(decide_role(question, ADMINISTRATOR, document).allowed)

    return _texts([request for request in requests if allows(*request)])
