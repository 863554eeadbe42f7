"""Every action in the delivery pipeline's policies exists in AWS, and its resources and conditions fit it.

The formats come from policy_sentry, which contains AWS's Service Authorization Reference and comes with checkov.
"""

import json
import subprocess
from typing import Any

import pytest

from eventloom import clouds
from eventloom.deployment.github_policies import deploy_statements, plan_statements
from eventloom.deployment.github_rights import Scope
from eventloom.deployment.github_switches import FEATURES

PYTHON = str(clouds.BUILD / "venv/checkov/bin/python")
# Prints, for each action on stdin, the formats of its resources, or null for an action that AWS does not have.
LOOK_UP = """
import json, sys
from policy_sentry.querying.actions import get_action_data
known = {}
for action in json.load(sys.stdin):
    rows = get_action_data(*action.split(":"))
    known[action] = [row["resource_arn_format"] for rows in rows.values() for row in rows] if rows else None
print(json.dumps(known))
"""
SCOPE = Scope("prod", "123456789012", "eu-central-1", features=frozenset(FEATURES), boundary="arn:aws:iam::1:policy/b")
STATEMENTS = {"plan": plan_statements(SCOPE), "deploy": deploy_statements(SCOPE)}
# Statements whose actions have no resource that a name could limit, or a resource with an id that AWS assigns
WITHOUT_NAMES = {"WithoutNames", "BucketNames", "Mappings", "Network", "LoadBalancer", "Users"}


@pytest.fixture(scope="module")
def known() -> dict[str, list[str] | None]:
    """Return the formats of the resources of every action in the policies."""
    actions = sorted({action for made in STATEMENTS.values() for entry in made for action in entry["Action"]})
    process = subprocess.run(
        [PYTHON, "-c", LOOK_UP], input=json.dumps(actions), check=True, text=True, capture_output=True
    )
    formats: dict[str, list[str] | None] = json.loads(process.stdout)
    return formats


def test_aws_has_every_action(known: dict[str, Any]) -> None:
    assert len(known) > 150
    assert [action for action, formats in known.items() if formats is None] == []


@pytest.mark.parametrize("role", STATEMENTS)
def test_a_named_resource_is_one_that_its_action_takes(known: dict[str, Any], role: str) -> None:
    without = [
        f"{statement['Sid']}: {action}"
        for statement in STATEMENTS[role]
        if statement["Resource"] != ["*"]
        for action in statement["Action"]
        if set(known[action]) <= {"*"}
    ]
    assert without == [], "AWS ignores these statements: the actions take no resource but *"


@pytest.mark.parametrize("role", STATEMENTS)
def test_every_resource_is_limited_where_aws_has_names(role: str) -> None:
    wide = [statement["Sid"] for statement in STATEMENTS[role] if statement["Resource"] == ["*"]]
    assert set(wide) <= WITHOUT_NAMES
    for statement in STATEMENTS[role]:
        if statement["Resource"] == ["*"] and not statement["Sid"].endswith("Names"):
            assert statement["Condition"], statement["Sid"]
