"""Decide a case with the emulator's evaluator, and convert a case into the simulator's input."""

from typing import Any

from embedded_localstack.iam.conditions import request_keys
from embedded_localstack.iam.decide import Policy, Question, RolePolicies, decide_resource, decide_role
from tests.iam.differential.cases import ACCOUNT, ROLE, Case, text

REGION = "us-east-1"


def decide(case: Case) -> bool:
    """Return whether the emulator allows the request."""
    keys = {name.lower(): value for name, value in case.keys.items()}
    question = Question(case.principal, case.action, case.resource, ACCOUNT, REGION, keys, owner=case.owner)
    attached = Policy("resource policy", text(case.attached)) if case.attached else None
    if case.caller != "role":
        service = case.caller == "service"
        return decide_resource(question, attached, kind="resource policy", service=service).allowed
    policies = RolePolicies(
        ROLE,
        tuple(Policy(f"role policy {index}", text(policy)) for index, policy in enumerate(case.granted)),
        Policy("boundary", text(case.boundary)) if case.boundary else None,
        (Policy("session policy", text(case.session)),) if case.session else (),
    )
    return decide_role(question, policies, attached, required=case.action.startswith("kms:")).allowed


def simulation(case: Case) -> dict[str, Any]:
    """Return the case in the form of @cloud-copilot/iam-simulate."""
    keys = request_keys(
        {name.lower(): value for name, value in case.keys.items()},
        role_arn=ROLE if case.caller == "role" else None,
        service=case.principal if case.caller == "service" else None,
        account=ACCOUNT,
        owner=case.owner,
        action=case.action,
        region=REGION,
        tls=True,
    )
    return {
        "request": {
            "principal": {"type": "Anonymous"} if case.caller == "anonymous" else case.principal,
            "action": case.action,
            "resource": {"resource": case.resource, "accountId": case.owner},
            "contextVariables": keys,
        },
        "identityPolicies": [{"name": f"p{index}", "policy": policy} for index, policy in enumerate(case.granted)],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        **({"sessionPolicy": case.session} if case.session else {}),
        **({"resourcePolicy": case.attached} if case.attached else {}),
        **({"permissionBoundaryPolicies": [{"name": "b", "policy": case.boundary}]} if case.boundary else {}),
    }
