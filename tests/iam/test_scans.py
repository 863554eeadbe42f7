"""checkov over the plan of every environment (`make checkov` scans the code): a finding is mended, or excused beside its resource."""

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

# What must have been looked at, by service. checkov reads the documents of queues (CKV_AWS_72, 168, 387) and of roles (107 to 111, 356)
# only in resources and data sources of their own, which ours are not; test_static.py judges them all. 379 and 309 are about
# access lists and HTTP APIs, which there are none of; function URLs (258) are off in every environment, `make checkov` sees the module's.
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
    """checkov's results."""
    files = [str(FOLDER / f"{name}.json") for name in plans]
    command = [str(CHECKOV), "-f", *files, "--framework", "terraform_plan", "--compact", "--skip-download", "-o", "json"]
    done = subprocess.run(command, cwd=FOLDER, env=clouds.tool_environment(), check=False, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["summary"]["parsing_errors"] == 0
    return dict(found["results"])


def excuses() -> dict[str, dict[str, str]]:
    """The reasons in the code, by type.name of the block and by rule."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in (clouds.ROOT / "terraform").rglob("*.tf"):
        block = ""
        for line in path.read_text().splitlines():
            if started := BLOCK.match(line):
                block = f"{started[1]}.{started[2]}"
            elif comment := SKIP.match(line):
                found[block][comment[1]] = comment[2]
    return found


def test_every_finding_has_its_reason_beside_the_resource(results: dict[str, list[dict[str, Any]]]) -> None:
    reasons = excuses()
    found = set()
    for finding in results["failed_checks"]:
        block = ".".join(re.sub(r"\[[^]]*\]", "", finding["resource"]).split(".")[-2:])
        if finding["check_id"] not in reasons[block] and not _is_path(finding):
            found.add(f"{Path(finding['file_path']).stem}: {finding['resource']}: {finding['check_id']} {finding['check_name']}")
    assert sorted(found) == []


def _is_path(finding: dict[str, Any]) -> bool:
    """Whether it is about the plan's path, which checkov puts among the variables: one of 40 letters looks like a secret key to it."""
    keys = finding["check_result"].get("evaluated_keys") or []
    return bool(keys) and all(key.endswith("/__file__") for key in keys)


@pytest.mark.parametrize("service", RULES)
def test_the_rules_that_matter_were_asked(results: dict[str, list[dict[str, Any]]], service: str) -> None:
    asked = {result["check_id"] for kind in ("passed_checks", "failed_checks") for result in results[kind]}
    assert [rule for rule in RULES[service].split() if f"CKV_AWS_{rule}" not in asked] == []
