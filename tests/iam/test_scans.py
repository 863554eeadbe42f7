"""checkov finds nothing in the plan of any environment, except findings with a reason in the code.

`make checkov` scans the code.
"""

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from eventloom import clouds
from tests.iam.environments import FOLDER

pytestmark = pytest.mark.timeout(1800)

CHECKOV = clouds.BUILD / "venv/checkov/bin/checkov"
BLOCK = re.compile(r'^(?:resource|data) "(\w+)" "(\w+)" \{$')
SKIP = re.compile(r"^\s*#checkov:skip=(\w+):(\S.+)$")

# The rules that checkov must apply, by service. These rules are left out. checkov reads the documents of queues
# (CKV_AWS_72, 168, 387) and of roles (107 to 111, 356) only in separate resources and data sources, which this project
# does not use; test_static.py checks these documents. The project has no access lists (379) and HTTP APIs (309).
# Function URLs (258) are off in every environment, so `make checkov` checks the module.
RULES = {
    "Lambda": "45 50 115 116 117 173 272 301 363 364",
    "SQS": "27",
    "SNS": "26 169 385",
    "S3": "18 21 53 54 55 56 144 145 300",
    "DynamoDB": "28 119",
    "CloudWatch Logs": "66 158 338",
    "API Gateway": "59 73 76",
    "Kinesis": "43 185",
    "IAM": "288 289 290 355",
}


@pytest.fixture(scope="module")
def results(plans: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return checkov's results."""
    files = [str(FOLDER / f"{name}.json") for name in plans]
    command = [
        str(CHECKOV),
        "-f",
        *files,
        "--framework",
        "terraform_plan",
        "--compact",
        "--skip-download",
        "-o",
        "json",
    ]
    environment = clouds.tool_environment()
    process = subprocess.run(command, cwd=FOLDER, env=environment, check=False, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(process.stdout)
    assert report["summary"]["parsing_errors"] == 0
    return dict(report["results"])


def excuses() -> dict[str, dict[str, str]]:
    """Return the reasons in the code by block (`type.name`) and rule."""
    reasons: dict[str, dict[str, str]] = defaultdict(dict)
    for path in (clouds.ROOT / "terraform").rglob("*.tf"):
        block = ""
        for line in path.read_text().splitlines():
            if header := BLOCK.match(line):
                block = f"{header[1]}.{header[2]}"
            elif comment := SKIP.match(line):
                reasons[block][comment[1]] = comment[2]
    return reasons


def test_every_finding_has_a_reason_in_the_block_of_its_resource(results: dict[str, list[dict[str, Any]]]) -> None:
    reasons = excuses()
    unexplained = set()
    for finding in results["failed_checks"]:
        block = ".".join(re.sub(r"\[[^]]*\]", "", finding["resource"]).split(".")[-2:])
        if finding["check_id"] not in reasons[block] and not _is_about_path(finding):
            plan = Path(finding["file_path"]).stem
            unexplained.add(f"{plan}: {finding['resource']}: {finding['check_id']} {finding['check_name']}")
    assert sorted(unexplained) == []


def _is_about_path(finding: dict[str, Any]) -> bool:
    """Return whether a finding is about the plan's path.

    checkov adds the path to the variables, and mistakes a path of 40 characters for a secret key.
    """
    keys = finding["check_result"].get("evaluated_keys") or []
    return bool(keys) and all(key.endswith("/__file__") for key in keys)


@pytest.mark.parametrize("service", RULES)
def test_checkov_applies_every_required_rule(results: dict[str, list[dict[str, Any]]], service: str) -> None:
    applied = {result["check_id"] for kind in ("passed_checks", "failed_checks") for result in results[kind]}
    assert [rule for rule in RULES[service].split() if f"CKV_AWS_{rule}" not in applied] == []
