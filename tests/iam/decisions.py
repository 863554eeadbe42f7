"""Read the emulator's IAM decisions of the whole test runs, and repeat them with other policies."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_resource, decide_role
from tests.iam.documents import Document
from tests.integration import evidence


@dataclass(frozen=True)
class Decision:
    """An IAM decision, which may have occurred several times. `tests` ran at these times; "" stands for no test."""

    how: str
    principal: str
    action: str
    resource: str
    account: str
    region: str
    keys: str
    allowed: bool
    reason: str
    tests: frozenset[str] = field(compare=False, default=frozenset())

    @property
    def role(self) -> str:
        """Return the name of the role if the principal is a role session, or else an empty string."""
        return self.principal.split("/")[1] if ":assumed-role/" in self.principal else ""

    def question(self, *, tls: bool = True) -> Question:
        """Return the question that the emulator decided."""
        return Question(
            self.principal, self.action, self.resource, self.account, self.region, json.loads(self.keys), tls
        )


class Clock:
    """The times of all tests in a run."""

    def __init__(self, spans: list[dict[str, Any]]) -> None:
        # Inner spans come first, because Terraform runs within the test that needs the deployment.
        self._spans = sorted(spans, key=lambda span: (not span["test"].startswith("terraform"), span["begin"]))

    def at(self, moment: str) -> str:
        """Return the test that ran at a moment.

        Between two tests, return the earlier one, because its effects may come a little later.
        """
        last = ""
        for span in self._spans:
            if span["begin"] <= moment <= span["end"]:
                return span["test"]
            if span["end"] < moment and not span["test"].startswith("terraform"):
                last = span["test"]
        return last


def recorded() -> list[Decision]:
    """Return all distinct decisions of the runs."""
    tests_of: dict[Decision, set[str]] = defaultdict(set)
    for session in evidence.SESSIONS:
        clock = Clock(evidence.lines(session, "tests.jsonl"))
        for entry in evidence.lines(session, "audit.jsonl"):
            tests_of[_decision(entry)].add(clock.at(entry["time"]))
    return [Decision(**{**vars(decision), "tests": frozenset(tests)}) for decision, tests in tests_of.items()]


def _decision(entry: dict[str, Any]) -> Decision:
    """Return the decision of a line of an audit."""
    return Decision(
        entry["how"],
        without_session_name(entry["principal"]),
        entry["action"],
        entry["resource"],
        entry["account"],
        entry["region"],
        json.dumps(entry["keys"], sort_keys=True),
        entry["decision"] == "allow",
        entry["reason"],
    )


def without_session_name(principal: str) -> str:
    """Return a principal with a fixed session name, so that all sessions of a role are equal."""
    return "/".join(principal.split("/")[:2]) + "/session" if ":assumed-role/" in principal else principal


def owner_of(resource: str) -> str:
    """Return the ARN of the resource that has the policy for `resource`: for an object, its bucket."""
    return resource.partition("/")[0] if resource.startswith("arn:aws:s3:::") else resource


def target(decision: Decision) -> str:
    """Return the owner (see Document.owner) of the resource or trust policy that applies to a decision."""
    if decision.action == "sts:AssumeRole":
        return f"trust {decision.resource.rpartition('/')[2]}"
    return owner_of(decision.resource)


def declared_proofs() -> dict[str, dict[str, list[str] | None]]:
    """Return the actions that tests declare to prove, although the requests came before the test began.

    Each test has a dict from an action to the names of functions, or to None for all functions.
    """
    spans = [span for session in evidence.SESSIONS for span in evidence.lines(session, "tests.jsonl")]
    return {span["test"]: span["proves"] for span in spans if span["proves"]}


class Policies:
    """The policy documents of a state, with the decisions that they make on requests."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_owner: dict[tuple[bool, str], list[Document]] = defaultdict(list)
        for document in documents:
            key = document.owner if document.kind != "trust policy" else f"trust {document.owner}"
            self._by_owner[document.of_role(), key].append(document)

    def knows(self, decision: Decision) -> bool:
        """Return whether the policies that apply to a decision are among these documents."""
        if decision.role:
            return bool(self._by_owner[True, decision.role] or self._by_owner[False, f"trust {decision.role}"])
        return bool(self._attached(decision))

    def decide(
        self, decision: Decision, changed: Mapping[str, dict[str, Any]] | None = None, *, tls: bool = True
    ) -> bool:
        """Return whether the request is allowed. `changed` replaces the documents of some addresses."""
        changed = changed or {}

        def text(document: Document) -> str:
            return json.dumps(changed[document.address]) if document.address in changed else document.text

        attached = self._attached(decision)
        statements = [statement for document in attached for statement in _statements(text(document))]
        resource = (
            Policy("resource policy", json.dumps({"Version": "2012-10-17", "Statement": statements}))
            if statements
            else None
        )
        question = decision.question(tls=tls)
        if decision.role:
            granted = tuple(
                Policy(document.address, text(document)) for document in self._by_owner[True, decision.role]
            )
            arn = f"arn:aws:iam::{decision.account}:role/{decision.role}"
            required = decision.how == "role and resource"
            return bool(decide_role(question, RolePolicies(arn, granted), resource, required=required).allowed)
        return bool(
            decide_resource(question, resource, kind="resource policy", service=decision.how == "service").allowed
        )

    def _attached(self, decision: Decision) -> list[Document]:
        return self._by_owner[False, target(decision)]


def _statements(text: str) -> list[dict[str, Any]]:
    statements = json.loads(text)["Statement"]
    return list(statements) if isinstance(statements, list) else [statements]
