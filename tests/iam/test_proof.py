"""Nothing is missing, nothing is superfluous: every decision of a whole run, made again with each grant taken away.

The run is the last whole one of the integration tests, from an empty emulator, if nothing changed since (that of `make test` is one,
with the browser's tests before it); otherwise it takes place now.
"""

import json
import os
import subprocess
from typing import Any

import pytest

from eventloom import clouds
from tests.iam import decisions, documents, matrix, static
from tests.iam.proof import Grant, Judge, grants
from tests.iam.reasons import Reason, excuse, reasons
from tests.integration import evidence

pytestmark = pytest.mark.timeout(3600)

PYTHON = str(clouds.BUILD / "venv/dev/bin/python")
# Refusals that tests provoke; others mean that something lacks a permission. Explicit denies are outages made by tests.
PROVOKED = {
    ("s3:PutObject", "eventloom-local-catalog-api"): "test_s3_refuses_a_key_that_was_not_signed",
    ("s3:PutObjectAcl", "eventloom-local-catalog-api"): "test_a_changed_form_is_refused",
    ("s3:GetObject", "*"): "test_a_link_is_valid_only_as_it_was_signed",
    ("s3:GetObjectVersion", "eventloom-local-thumbnailer"): "test_a_message_that_keeps_failing_ends_in_the_dead_letter_queue",
    ("lambda:InvokeFunctionUrl", "*"): "test_the_function_url_refuses_unsigned_requests",
    ("lambda:InvokeFunction", "*"): "test_the_function_url_refuses_unsigned_requests",
    ("lambda:InvokeFunction", "sns.amazonaws.com"): "test_an_sns_message_that_cannot_be_delivered_reaches_the_failures_queue",
    ("lambda:InvokeFunction", "elasticloadbalancing.amazonaws.com"): "test_the_load_balancer_answers_502_without_the_permission_to_invoke",
    ("sqs:SendMessage", "s3.amazonaws.com"): "test_no_other_bucket_may_send_to_the_uploads_queue",
    ("dynamodb:ListTables", "probe"): "test_the_cloud_has_the_capabilities_that_the_table_lists",
    ("logs:CreateLogStream", "probe"): "test_the_cloud_has_the_capabilities_that_the_table_lists",
}


@pytest.fixture(scope="session")
def gathered() -> None:
    """A whole run's evidence. Its emulator and deployment stay for the tests that mutate it."""
    if evidence.is_current():
        return
    log = clouds.BUILD / "iam" / "integration.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        command = [PYTHON, "-m", "pytest", "-q", "tests/integration", "--keep"]
        done = subprocess.run(command, cwd=clouds.ROOT, env=os.environ, check=False, stdout=file, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"the integration tests failed: {log}\n{log.read_text()[-2000:]}"
    assert evidence.is_current()


@pytest.fixture(scope="session")
def judge(gathered: None) -> Judge:
    """With everything that was deployed and decided."""
    roots = [state(name) for name in ("root", "probe")]
    found = [document for root in roots for document in documents.policies(root)]
    modules = [path for folder in ("browser", "integration") for path in sorted((clouds.ROOT / "tests" / folder).glob("test_*.py"))]
    return Judge(found, decisions.recorded(), decisions.proving(), modules, reasons())


@pytest.fixture(scope="session")
def judged(judge: Judge) -> list[Grant]:
    """Every grant, with what proves it; the report is written from it."""
    found = judge.judge()
    counts = matrix.write(found)
    print(f"\n{counts}: build/iam/report.html")
    return found


def state(name: str) -> dict[str, Any]:
    """The root module of what was deployed."""
    found: dict[str, Any] = json.loads((evidence.FOLDER / f"state.{name}.json").read_text())["values"]["root_module"]
    return found


def test_the_documents_decide_as_the_emulator_did(judge: Judge) -> None:
    assert judge.divergent == []


def test_every_role_and_service_can_do_its_whole_job(gathered: None) -> None:
    lacking = []
    for decision in decisions.recorded():
        who = "probe" if decision.role.startswith("probe-") else decision.role or decision.principal
        if not decision.allowed and (decision.action, who) not in PROVOKED and not decision.reason.startswith("explicitly denied"):
            lacking.append(f"{decision.principal} may not {decision.action} on {decision.resource}: {decision.reason}")
    assert lacking == []


def test_nothing_is_superfluous(judged: list[Grant]) -> None:
    found = [str(grant) for grant in judged if not grant.tests and not grant.reason]
    assert not found, "no test needs these; take them away, test them, or give a reason (tests/iam/reasons.py):\n" + "\n".join(found)


def test_plain_http_is_refused(judge: Judge, judged: list[Grant]) -> None:
    denying = [grant for grant in judged if grant.effect == "Deny"]
    assert denying
    assert [str(grant) for grant in denying if not judge.refuses_plain_http(grant)] == []


def test_a_reason_is_for_what_is_not_proven(judged: list[Grant], plans: dict[str, Any]) -> None:
    used = {grant.reason.where for grant in judged if grant.reason} | {
        found.where for found in switched_on(plans, judged).values() if found
    }
    stale = [f"{reason.where}: {reason.pattern}" for reason in reasons() if reason.about == "unproven" and reason.where not in used]
    assert not stale, "every grant that these excuse is proven by now; take the comments away:\n" + "\n".join(stale)


def test_what_other_environments_grant_beyond_has_a_reason(judged: list[Grant], plans: dict[str, Any]) -> None:
    found = [where for where, reason in switched_on(plans, judged).items() if not reason]
    assert not found, "granted where tests do not deploy, and without a reason:\n" + "\n".join(found)


def switched_on(plans: dict[str, Any], judged: list[Grant]) -> dict[str, Reason | None]:
    """What switches grant that are off where tests deploy, and its reason."""
    deployed = {code_of(grant) for grant in judged}
    known = reasons()
    found: dict[str, Reason | None] = {}
    for plan in plans.values():
        for document in documents.policies(plan["planned_values"]["root_module"]):
            for grant in grants(document):
                if code_of(grant) not in deployed and grant.action:
                    where = f"{grant.document.block}, statement {grant.sid}: {grant.action}"
                    found[where] = excuse(known, "unproven", grant.document.block, grant.action, grant.sid)
    return found


def code_of(grant: Grant) -> tuple[str, str, str]:
    """Where it is written: a function's own permissions in its module block, the rest once in a module."""
    block = grant.document.block
    written = block if block.endswith("aws_iam_role_policy.permissions") else ".".join(block.split(".")[-2:])
    return written, grant.sid.rstrip("0123456789"), grant.action


def test_the_deployed_policies_keep_the_rules(gathered: None) -> None:
    assert static.problems(state("root"), reasons()) == []
