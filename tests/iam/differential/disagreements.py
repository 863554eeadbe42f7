"""List the forms on which the emulator and the simulator disagree, and the reasons not to change the emulator.

Each row rewrites a case without the disputed form. A disagreement is explained only if both evaluators agree on the
rewritten case, so a row hides no other difference.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.iam.differential.cases import ACCOUNT, OTHER, ROOT, SESSION, Case

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


@dataclass(frozen=True)
class Disagreement:
    """A form on which the two evaluators disagree.

    `without` returns the case without the form, or the same case if it lacks the form.
    """

    name: str
    reason: str
    page: str
    without: Callable[[Case], Case]


def _session(case: Case) -> Case:
    statements = case.attached["Statement"] if case.attached else []
    direct = [entry for entry in statements if entry["Effect"] == "Allow" and _direct(entry.get("Principal"))]
    return replace(case, session=None) if direct else case


def _direct(principal: Any) -> bool:
    names = principal.get("AWS", []) if isinstance(principal, dict) else principal
    return bool({"*", SESSION} & set([names] if isinstance(names, str) else names or []))


def _arn_variable(case: Case) -> Case:
    account = ACCOUNT if case.caller == "role" else OTHER
    return _with_account(case, account, lambda operator: operator.startswith("Arn"))


def _variable_without_value(case: Case) -> Case:
    """Replace ${aws:PrincipalAccount} in a service's request, because services don't have this key."""
    if case.caller != "service":
        return case

    def statement(entry: dict[str, Any]) -> dict[str, Any]:
        spared = json.dumps(entry.get("NotResource"))
        changed = {"NotResource": json.loads(spared.replace("${aws:PrincipalAccount}", "no value"))}
        return {**entry, **changed} if "NotResource" in entry else entry

    return _with_account(_rewritten(case, statement), "no value", lambda operator: "Not" in operator)


def _with_account(case: Case, account: str, concerns: Callable[[str], bool]) -> Case:
    """Return the case with a text instead of ${aws:PrincipalAccount} in the operators that `concerns` selects."""

    def filled(operands: dict[str, Any]) -> dict[str, Any]:
        return dict(json.loads(json.dumps(operands).replace("${aws:PrincipalAccount}", account)))

    def statement(entry: dict[str, Any]) -> dict[str, Any]:
        conditions = entry.get("Condition", {})
        changed = {operator: filled(operands) for operator, operands in conditions.items() if concerns(operator)}
        return {**entry, "Condition": {**conditions, **changed}} if changed else entry

    return _rewritten(case, statement)


def _account_spared(case: Case) -> Case:
    def statement(entry: dict[str, Any]) -> dict[str, Any]:
        spared = entry.get("NotPrincipal")
        if spared in ({"AWS": ROOT}, {"AWS": ACCOUNT}):
            return {**entry, "NotPrincipal": {"AWS": f"arn:aws:iam::{OTHER}:role/other"}}
        return entry

    return _rewritten(case, statement)


def _rewritten(case: Case, statement: Callable[[dict[str, Any]], dict[str, Any]]) -> Case:
    def policy(document: dict[str, Any] | None) -> Any:
        return document and {**document, "Statement": [statement(entry) for entry in document["Statement"]]}

    return replace(
        case,
        granted=[policy(document) for document in case.granted],
        boundary=policy(case.boundary),
        session=policy(case.session),
        attached=policy(case.attached),
    )


DISAGREEMENTS = (
    Disagreement(
        "a session policy and a grant to the session or to everybody",
        "No implicit deny of a session policy limits such a grant. The simulator allows it.",
        f"{GUIDE}reference_policies_evaluation-logic_policy-eval-basics-single-account.html",
        _session,
    ),
    Disagreement(
        "a variable in the account of an ARN condition",
        "Variables count anywhere in a condition's value. The simulator splits the ARN at the colon in their names.",
        f"{GUIDE}reference_policies_variables.html",
        _arn_variable,
    ),
    Disagreement(
        "a negated operator or NotResource, and a variable without a value",
        "Nothing equals a variable without a value, so the negation applies. In the simulator it does not.",
        f"{GUIDE}reference_policies_variables.html#policy-vars-no-value",
        _variable_without_value,
    ),
    Disagreement(
        "NotPrincipal with only the account",
        "The page names the principal together with its account, and denies the others of that account. So the account "
        "alone spares nobody. The simulator spares the whole account.",
        f"{GUIDE}reference_policies_elements_notprincipal.html",
        _account_spared,
    ),
)
