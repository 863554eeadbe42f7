"""Find the recorded requests that need each grant of a policy, the tests that ran meanwhile, and narrower grants."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.iam import plain_http
from tests.iam.decisions import Decision, Policies, target
from tests.iam.documents import Document, listed
from tests.iam.reasons import Reason, excuse
from tests.iam.width import Narrower, narrower_statements

NEVER = {"ArnEquals": "arn:aws:none:::none", "ArnLike": "arn:aws:none:::none"}


@dataclass
class Grant:
    """A removable part of a policy document, the document without it, and the decisions and tests that need it."""

    document: Document
    sid: str
    effect: str
    what: str
    action: str
    resource: str
    left: dict[str, Any]
    statement: dict[str, Any] = field(default_factory=dict)
    missed_by: list[Decision] = field(default_factory=list)
    meanwhile: list[str] = field(default_factory=list)
    reason: Reason | None = None
    wider_than: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.document.address}, statement {self.sid}: {self.what}"

    @property
    def key(self) -> tuple[str, str, str]:
        """Return a key that identifies the grant in the code and is the same in all environments."""
        return self.document.block, self.sid, self.what.partition(" on ")[0]


def grants(document: Document) -> Iterator[Grant]:
    """Yield everything that a document grants or denies: actions by resource, principals, and values of conditions."""
    if document.kind == "managed policy":
        name = document.policy["Id"]
        yield Grant(document, name, "Allow", "is attached", name, "", document.policy)
    statements = document.statements
    for index, statement in enumerate(statements):
        rest = [*statements[:index], *statements[index + 1 :]]

        def grant(
            what: str,
            remaining: list[dict[str, Any]],
            action: str = "",
            resource: str = "",
            *,
            rest: Any = rest,
            of: Any = statement,
        ) -> Grant:
            left = {"Version": "2012-10-17", "Statement": [*rest, *remaining]}
            return Grant(document, of["Sid"], of["Effect"], what, action, resource, left, of)

        if statement["Effect"] == "Deny":
            yield grant(
                f"denies {statement['Action']} on {'plain HTTP' if 'Condition' in statement else 'anything'}", []
            )
            continue
        for action, resource, remaining in _pairs(statement):
            yield grant(f"{action} on {resource or 'it'}", remaining, action, resource)
        for name, changed in [*_principals(statement), *_conditions(statement)]:
            yield grant(name, [changed])


def _pairs(statement: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield each action and resource, with statements that grant everything except this action on this resource."""
    actions, resources = listed(statement["Action"]), listed(statement.get("Resource", []))
    for action in actions:
        others = [{**statement, "Action": [other for other in actions if other != action]}] if len(actions) > 1 else []
        for resource in resources:
            other_resources = [other for other in resources if other != resource]
            same_action = [{**statement, "Action": action, "Resource": other_resources}] if other_resources else []
            yield action, resource, [*others, *same_action]
        if not resources:
            yield action, "", others


def _principals(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    principal = statement.get("Principal")
    for kind, names in principal.items() if isinstance(principal, dict) else ():
        for name in listed(names):
            others = [other for other in listed(names) if other != name] or [
                "nobody.amazonaws.com" if kind == "Service" else "arn:aws:iam::000000000000:role/nobody"
            ]
            yield f"for {name}", {**statement, "Principal": {**principal, kind: others}}


def _conditions(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    conditions = statement.get("Condition", {})
    for operator, operands in conditions.items():
        for key, values in operands.items():
            for value in listed(values):
                others = [other for other in listed(values) if other != value] or [NEVER.get(operator, "none")]
                yield (
                    f"if {key} is {value}",
                    {**statement, "Condition": {**conditions, operator: {**operands, key: others}}},
                )


class Judge:
    """Finds the decisions and tests that need each grant."""

    def __init__(
        self,
        documents: list[Document],
        decisions: list[Decision],
        declared_proofs: dict[str, dict[str, list[str] | None]],
        modules: list[Path],
        reasons: list[Reason],
    ) -> None:
        self._policies = Policies(documents)
        self._documents = documents
        self._decisions = [decision for decision in decisions if self._policies.knows(decision)]
        self._allowed: dict[str, list[Decision]] = defaultdict(list)
        for decision in self._decisions:
            if decision.allowed:
                # Either the role's policies or the resource's policy allowed the request.
                for owner in {decision.role, target(decision)}:
                    self._allowed[owner].append(decision)
        self._declared_proofs = declared_proofs
        self._words = {path.name: _words(path) for path in modules}
        self._reasons = reasons

    @property
    def divergent(self) -> list[Decision]:
        """Return the allowed decisions that these documents would deny. Proofs are only valid if there are none."""
        return [decision for decision in self._decisions if decision.allowed and not self._policies.decide(decision)]

    def judge(self) -> list[Grant]:
        """Return all grants with the requests that need them and the narrower statements that would do."""
        return [grant for document in self._documents for grant in self.judge_document(document)]

    def judge_document(self, document: Document) -> list[Grant]:
        """Return the grants of a document, which may replace the one with its address."""
        owner = f"trust {document.owner}" if document.kind == "trust policy" else document.owner
        all_grants = list(grants(document))
        for grant in all_grants:
            if grant.effect == "Deny":
                continue
            grant.missed_by = [decision for decision in self._allowed[owner] if self._needs(grant, decision)]
            grant.meanwhile = sorted(self._tests(grant))
            if not grant.meanwhile:
                grant.reason = excuse(self._reasons, "unproven", grant.document.block, grant.action, grant.sid)
            if grant.action and grant.missed_by:
                grant.wider_than = [narrower.what for narrower in self._sufficient(grant)]
        return all_grants

    def _needs(self, grant: Grant, decision: Decision) -> bool:
        if grant.action and not fnmatchcase(decision.action.lower(), grant.action.lower()):
            return False
        return not self._policies.decide(decision, {grant.document.address: grant.left})

    def _sufficient(self, grant: Grant) -> Iterator[Narrower]:
        """Yield the narrower statements that allow every recorded request that needs a grant."""
        for narrower in narrower_statements(grant.statement, grant.action, grant.resource, grant.missed_by):
            left = {**grant.left, "Statement": [*grant.left["Statement"], narrower.statement]}
            if all(self._policies.decide(decision, {grant.document.address: left}) for decision in grant.missed_by):
                yield narrower

    def _tests(self, grant: Grant) -> set[str]:
        running = {test for decision in grant.missed_by for test in decision.tests if self._is_about(test, grant)}
        actions, words = {decision.action for decision in grant.missed_by}, subjects(grant.document)

        def proves(action: str, functions: list[str] | None) -> bool:
            return action in actions and (functions is None or bool(words & set(functions)))

        declared = self._declared_proofs.items()
        proving = {test for test, proofs in declared if any(proves(*proof) for proof in proofs.items())}
        return running | proving

    def plain_http_faults(self, document: Document) -> list[str]:
        """Return the faults of a document that must deny all recorded requests without TLS."""
        return plain_http.faults(document, plain_http.requests_to(document, self._decisions))

    def _is_about(self, test: str, grant: Grant) -> bool:
        """Return whether a test's module mentions the subject of a grant.

        Other tests only ran at the time of a request, and would not fail without the grant.
        """
        if test.startswith("terraform apply"):
            return True
        words = self._words.get(test.partition("::")[0].rpartition("/")[2], set())
        return any(word in words for word in subjects(grant.document))


def subjects(document: Document) -> set[str]:
    """Return words for a document's subject: the function, or the last part of the owner's name.

    A test about the document mentions one of them.
    """
    parts = document.block.split(".")
    names = {parts[1]} if parts[0] == "module" else {parts[-1]}
    return names | {name.removesuffix("_queue") for name in names}


def _words(path: Path) -> set[str]:
    """Return the names in a test module, and the words of its strings and of its file name."""
    words = set(path.stem.removeprefix("test_").split("_")) | {path.stem.removeprefix("test_")}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words |= set(node.value.replace("-", "_").replace("/", " ").split())
            words |= set(node.value.replace("-", " ").replace("_", " ").split())
        elif isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
    return words
