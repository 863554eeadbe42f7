"""For each thing that a policy grants: which tests would fail without it."""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_role
from tests.iam.decisions import Decision, Policies, target
from tests.iam.documents import Document, listed
from tests.iam.reasons import Reason, excuse

PLAIN_HTTP = "tests/iam/test_proof.py::test_plain_http_is_refused"
NEVER = {"ArnEquals": "arn:aws:none:::none", "ArnLike": "arn:aws:none:::none"}


@dataclass
class Grant:
    """One thing that can be taken away from a document, what is left then, and what would miss it."""

    document: Document
    sid: str
    effect: str
    what: str
    action: str
    resource: str
    left: dict[str, Any]
    missed_by: list[Decision] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    reason: Reason | None = None

    def __str__(self) -> str:
        return f"{self.document.address}, statement {self.sid}: {self.what}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is in the code, whatever the environment."""
        return self.document.block, self.sid, self.what.partition(" on ")[0]


def grants(document: Document) -> Iterator[Grant]:
    """Everything that a document grants: action by resource, principals and values of conditions; and what it denies."""
    statements = document.statements
    for index, statement in enumerate(statements):
        rest = [*statements[:index], *statements[index + 1 :]]

        def grant(
            what: str, kept: list[dict[str, Any]], action: str = "", resource: str = "", *, rest: Any = rest, of: Any = statement
        ) -> Grant:
            return Grant(document, of["Sid"], of["Effect"], what, action, resource, {"Version": "2012-10-17", "Statement": [*rest, *kept]})

        if statement["Effect"] == "Deny":
            yield grant(f"denies {statement['Action']} on {'plain HTTP' if 'Condition' in statement else 'anything'}", [])
            continue
        if document.kind == "managed policy":
            yield grant("is attached", [], action=statement["Sid"])
            continue
        yield from (grant(f"{action} on {resource or 'it'}", kept, action, resource) for action, resource, kept in _pairs(statement))
        for name, kept in [*_principals(statement), *_conditions(statement)]:
            yield grant(name, [kept])


def _pairs(statement: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Action and resource, and the statements that grant everything but the one on the other."""
    actions, resources = listed(statement["Action"]), listed(statement.get("Resource", []))
    for action in actions:
        others = [{**statement, "Action": [other for other in actions if other != action]}] if len(actions) > 1 else []
        for resource in resources:
            elsewhere = [other for other in resources if other != resource]
            yield action, resource, [*others, *([{**statement, "Action": action, "Resource": elsewhere}] if elsewhere else [])]
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
                yield f"if {key} is {value}", {**statement, "Condition": {**conditions, operator: {**operands, key: others}}}


class Judge:
    """Finds out what would miss each grant."""

    def __init__(
        self,
        documents: list[Document],
        decisions: list[Decision],
        proving: dict[str, dict[str, list[str] | None]],
        modules: list[Path],
        reasons: list[Reason],
    ) -> None:
        self._policies = Policies(documents)
        self._documents = documents
        self._decisions = [decision for decision in decisions if self._policies.knows(decision)]
        self._allowed: dict[str, list[Decision]] = defaultdict(list)
        for decision in self._decisions:
            if decision.allowed:
                for owner in {decision.role, target(decision)}:  # what a role may, its own policies grant, or the resource's
                    self._allowed[owner].append(decision)
        self._proving = proving
        self._words = {path.name: _words(path) for path in modules}
        self._reasons = reasons

    @property
    def divergent(self) -> list[Decision]:
        """Decisions that were allowed, and would not be by these documents: then nothing here would prove anything."""
        return [decision for decision in self._decisions if decision.allowed and not self._policies.decide(decision)]

    def judge(self) -> list[Grant]:
        """All grants, with the tests that would fail."""
        found = [grant for document in self._documents for grant in grants(document)]
        for grant in found:
            if grant.effect == "Deny":
                grant.tests = [PLAIN_HTTP] if self.refuses_plain_http(grant) else []
                continue
            owner = f"trust {grant.document.owner}" if grant.document.kind == "trust policy" else grant.document.owner
            grant.missed_by = [decision for decision in self._allowed[owner] if self._misses(grant, decision)]
            grant.tests = sorted(self._tests(grant))
            if not grant.tests:
                grant.reason = excuse(self._reasons, "unproven", grant.document.block, grant.action, grant.sid)
        return found

    def _misses(self, grant: Grant, decision: Decision) -> bool:
        if grant.action and not fnmatchcase(decision.action.lower(), grant.action.lower()):
            return False
        return not self._policies.decide(decision, {grant.document.address: grant.left})

    def _tests(self, grant: Grant) -> set[str]:
        running = {test for decision in grant.missed_by for test in decision.tests if self._is_about(test, grant)}
        actions, about = {decision.action for decision in grant.missed_by}, subjects(grant.document)

        def proves(action: str, functions: list[str] | None) -> bool:
            return action in actions and (functions is None or bool(about & set(functions)))

        return running | {test for test, proven in self._proving.items() if any(proves(*one) for one in proven.items())}

    @staticmethod
    def refuses_plain_http(grant: Grant) -> bool:
        """Whether an administrator is refused over plain HTTP because of it, and only there."""
        action = grant.document.statements[0]["Action"].replace(
            "*", "GetObject" if grant.document.kind == "bucket policy" else "SendMessage"
        )
        resource = listed(grant.document.statements[0]["Resource"])[-1].replace("/*", "/key")
        everything = Policy("everything", '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}')
        administrator = RolePolicies("arn:aws:iam::000000000000:role/admin", (everything,))

        def allowed(policy: dict[str, Any], *, tls: bool) -> bool:
            question = Question("arn:aws:sts::000000000000:assumed-role/admin/s", action, resource, "000000000000", "us-east-1", {}, tls)
            return bool(decide_role(question, administrator, Policy("resource policy", json.dumps(policy))).allowed)

        whole = grant.document.policy
        return allowed(whole, tls=True) and not allowed(whole, tls=False) and allowed(grant.left, tls=False)

    def _is_about(self, test: str, grant: Grant) -> bool:
        """A test that merely ran meanwhile is none that would fail: its module must speak of what the grant is about."""
        if test.startswith("terraform apply"):
            return True
        words = self._words.get(test.partition("::")[0].rpartition("/")[2], set())
        return any(word in words for word in subjects(grant.document))


def subjects(document: Document) -> set[str]:
    """Words of which one stands in a test that is about the document: the function, or the last part of the owner's name."""
    parts = document.block.split(".")
    names = {parts[1]} if parts[0] == "module" else {parts[-1]}
    return names | {name.removesuffix("_queue") for name in names}


def _words(path: Path) -> set[str]:
    """Names and words of the texts of a test module, and of its own name."""
    found = set(path.stem.removeprefix("test_").split("_")) | {path.stem.removeprefix("test_")}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(node.value.replace("-", "_").replace("/", " ").split()) | set(
                node.value.replace("-", " ").replace("_", " ").split()
            )
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found
