"""What the emulator decided in a whole run, by the test that ran, and the same decisions made again with other policies."""

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
    """A request that was decided, however often. `tests` ran meanwhile; "" stands for the time between tests."""

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
        """The role's name of a session; "" of other principals."""
        return self.principal.split("/")[1] if ":assumed-role/" in self.principal else ""

    def question(self, *, tls: bool = True) -> Question:
        """The same question."""
        return Question(self.principal, self.action, self.resource, self.account, self.region, json.loads(self.keys), tls)


class Clock:
    """Which test ran when."""

    def __init__(self, spans: list[dict[str, str]]) -> None:
        # What lies within another counts first: Terraform's work within the test that needed it.
        self._spans = sorted(spans, key=lambda span: (not span["test"].startswith("terraform"), span["begin"]))

    def at(self, moment: str) -> str:
        """The test that ran then; its effects may come a little later, so that the one before counts between tests."""
        last = ""
        for span in self._spans:
            if span["begin"] <= moment <= span["end"]:
                return span["test"]
            if span["end"] < moment and not span["test"].startswith("terraform"):
                last = span["test"]
        return last


def recorded() -> list[Decision]:
    """All decisions of the run, equal ones once."""
    clock = Clock([json.loads(line) for line in (evidence.FOLDER / "tests.jsonl").read_text().splitlines()])
    found: dict[Decision, set[str]] = defaultdict(set)
    for line in (evidence.FOLDER / "audit.jsonl").read_text().splitlines():
        entry = json.loads(line)
        decision = Decision(
            entry["how"],
            "/".join(entry["principal"].split("/")[:2]) + "/session" if ":assumed-role/" in entry["principal"] else entry["principal"],
            entry["action"],
            entry["resource"],
            entry["account"],
            entry["region"],
            json.dumps(entry["keys"], sort_keys=True),
            entry["decision"] == "allow",
            entry["reason"],
        )
        found[decision].add(clock.at(entry["time"]))
    return [Decision(**{**vars(decision), "tests": frozenset(tests)}) for decision, tests in found.items()]


def owner_of(resource: str) -> str:
    """What a policy is attached to: a bucket for its objects."""
    return resource.partition("/")[0] if resource.startswith("arn:aws:s3:::") else resource


def target(decision: Decision) -> str:
    """Whose policy a service's request is decided by, as Document.owner names it."""
    if decision.action == "sts:AssumeRole":
        return f"trust {decision.resource.rpartition('/')[2]}"
    return owner_of(decision.resource)


def proving() -> dict[str, dict[str, list[str] | None]]:
    """Tests that say what they would miss although it was asked for before they began: by action, of which functions."""
    spans = [json.loads(line) for line in (evidence.FOLDER / "tests.jsonl").read_text().splitlines()]
    return {span["test"]: span["proves"] for span in spans if span["proves"]}


class Policies:
    """The documents of a state, to decide by."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_owner: dict[tuple[bool, str], list[Document]] = defaultdict(list)
        for document in documents:
            key = document.owner if document.kind != "trust policy" else f"trust {document.owner}"
            self._by_owner[document.of_role(), key].append(document)

    def knows(self, decision: Decision) -> bool:
        """Whether the policies that decide it are among these."""
        if decision.role:
            return bool(self._by_owner[True, decision.role] or self._by_owner[False, f"trust {decision.role}"])
        return bool(self._attached(decision))

    def decide(self, decision: Decision, changed: Mapping[str, dict[str, Any]] | None = None, *, tls: bool = True) -> bool:
        """Whether it is allowed, with documents of some addresses `changed`."""
        changed = changed or {}

        def text(document: Document) -> str:
            return json.dumps(changed[document.address]) if document.address in changed else document.text

        attached = self._attached(decision)
        statements = [statement for document in attached for statement in _statements(text(document))]
        resource = Policy("resource policy", json.dumps({"Version": "2012-10-17", "Statement": statements})) if statements else None
        question = decision.question(tls=tls)
        if decision.role:
            granted = tuple(Policy(document.address, text(document)) for document in self._by_owner[True, decision.role])
            arn = f"arn:aws:iam::{decision.account}:role/{decision.role}"
            required = decision.how == "role and resource"
            return bool(decide_role(question, RolePolicies(arn, granted), resource, required=required).allowed)
        return bool(decide_resource(question, resource, kind="resource policy", service=decision.how == "service").allowed)

    def _attached(self, decision: Decision) -> list[Document]:
        return self._by_owner[False, target(decision)]


def _statements(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)["Statement"]
    return list(found) if isinstance(found, list) else [found]
