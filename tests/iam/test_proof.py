"""No permission is missing and none is superfluous: each decision of a whole run is repeated without each grant.

The evidence comes from the last complete runs of tests/integration and tests/modules on empty emulators, such as those
of `make test`. If sources have changed since, these tests run first.
"""

import re
from typing import Any

import pytest

from tests.iam import decisions, documents, static
from tests.iam.proof import Grant, Judge, grants
from tests.iam.reasons import Reason, excuse, reasons
from tests.iam.wide_grants import WIDE_GRANTS, WideGrant, reason_for
from tests.integration import evidence

pytestmark = pytest.mark.timeout(3600)

# Denials that tests provoke. Any other denial means that a permission is missing, except explicit denies, which are
# simulated outages.
PROVOKED = {
    ("s3:PutObject", "eventloom-local-catalog-api"): "test_s3_refuses_a_key_that_was_not_signed",
    ("s3:PutObjectAcl", "eventloom-local-catalog-api"): "test_a_changed_form_is_refused",
    ("s3:GetObject", "*"): "test_a_changed_link_is_refused",
    (
        "s3:GetObjectVersion",
        "eventloom-local-thumbnailer",
    ): "test_a_message_that_keeps_failing_ends_in_the_dead_letter_queue",
    ("lambda:InvokeFunctionUrl", "*"): "test_the_function_url_refuses_unsigned_requests",
    ("lambda:InvokeFunction", "*"): "test_the_function_url_refuses_unsigned_requests",
    (
        "lambda:InvokeFunction",
        "sns.amazonaws.com",
    ): "test_an_sns_message_that_cannot_be_delivered_reaches_the_failures_queue",
    (
        "lambda:InvokeFunction",
        "elasticloadbalancing.amazonaws.com",
    ): "test_the_load_balancer_answers_502_without_the_permission_to_invoke",
    ("sqs:SendMessage", "s3.amazonaws.com"): "test_no_other_bucket_may_send_to_the_uploads_queue",
    # The trigger is removed while the poller reads.
    (
        "kinesis:GetRecords",
        "eventloom-changes-report",
    ): "test_renamed_and_removed_triggers_lose_nothing_and_leave_nothing",
    (
        "execute-api:Invoke",
        "eventloom-probe-visitor",
    ): "test_the_api_refuses_unsigned_requests_and_roles_without_permission",
    (
        "execute-api:Invoke",
        "eventloom-probe-guest",
    ): "test_the_api_refuses_unsigned_requests_and_roles_without_permission",
    ("dynamodb:ListTables", "probe"): "test_the_cloud_has_the_capabilities_that_the_table_lists",
    ("logs:CreateLogStream", "probe"): "test_the_cloud_has_the_capabilities_that_the_table_lists",
}


def test_the_documents_decide_as_the_emulator_did(judge: Judge) -> None:
    assert judge.divergent == []


def test_no_role_or_service_lacks_a_permission(gathered: None) -> None:
    lacking = []
    for decision in decisions.recorded():
        who = "probe" if decision.role.startswith("probe-") else decision.role or decision.principal
        if decision.allowed or decision.reason.startswith("explicitly denied"):
            continue
        if (decision.action, who) not in PROVOKED:
            lacking.append(f"{decision.principal} may not {decision.action} on {decision.resource}: {decision.reason}")
    assert lacking == []


def test_a_test_or_a_reason_justifies_every_grant(judged: list[Grant]) -> None:
    superfluous = [
        str(grant) for grant in judged if not grant.meanwhile and not grant.reason and grant.effect == "Allow"
    ]
    advice = "no test needs these grants; remove them, test them, or give a reason (tests/iam/reasons.py)"
    assert not superfluous, f"{advice}:\n" + "\n".join(superfluous)


def test_no_grant_is_wider_than_the_recorded_requests(judged: list[Grant]) -> None:
    too_wide = [
        f"{grant}: every recorded request would pass {narrower}"
        for grant in judged
        for narrower in grant.wider_than
        if not reason_for(grant, narrower)
    ]
    advice = "narrow these grants, test what they are for, or give a reason in tests/iam/wide_grants.py"
    assert not too_wide, f"{advice}:\n" + "\n".join(too_wide)


def test_every_reason_for_a_wide_grant_is_about_a_deployed_grant(judged: list[Grant]) -> None:
    def is_about(reason: WideGrant) -> bool:
        return any(reason.is_about(grant) for grant in judged if grant.missed_by)

    assert [reason for reason in WIDE_GRANTS if not is_about(reason)] == []


def test_plain_http_is_refused(judge: Judge, judged: list[Grant]) -> None:
    denying = {grant.document.address: grant.document for grant in judged if grant.effect == "Deny"}
    assert denying
    faults = {address: judge.plain_http_faults(document) for address, document in denying.items()}
    assert {address: faults for address, faults in faults.items() if faults} == {}


def test_every_reason_is_about_a_grant_that_no_test_proves(judged: list[Grant], plans: dict[str, Any]) -> None:
    used = {grant.reason.where for grant in judged if grant.reason}
    used |= {reason.where for reason in undeployed_grants(plans, judged).values() if reason}
    unproven = [reason for reason in reasons() if reason.about == "unproven"]
    stale = [f"{reason.where}: {reason.pattern}" for reason in unproven if reason.where not in used]
    assert not stale, "tests prove every grant that these comments excuse; remove the comments:\n" + "\n".join(stale)


def test_every_grant_that_is_not_deployed_by_tests_has_a_reason(judged: list[Grant], plans: dict[str, Any]) -> None:
    unexplained = [where for where, reason in undeployed_grants(plans, judged).items() if not reason]
    assert not unexplained, "add a reason to these grants, which tests do not deploy:\n" + "\n".join(unexplained)


def undeployed_grants(plans: dict[str, Any], judged: list[Grant]) -> dict[str, Reason | None]:
    """Return the grants that the tests' deployment lacks because a switch is off, with their reasons."""
    deployed = {code_of(grant) for grant in judged}
    known = reasons()
    reason_by_grant: dict[str, Reason | None] = {}
    for plan in plans.values():
        for document in documents.policies(plan["planned_values"]["root_module"]):
            for grant in grants(document):
                if code_of(grant) not in deployed and grant.action:
                    where = f"{grant.document.block}, statement {grant.sid}: {grant.action}"
                    reason = excuse(known, "unproven", grant.document.block, grant.action, grant.sid)
                    reason_by_grant[where] = reason
    return reason_by_grant


def code_of(grant: Grant) -> tuple[str, str, str]:
    """Return where the code defines a grant.

    A function's permissions are in its module block, others in the module itself. The key has no number or hash at the
    end of statement ids, because these depend on the environment.
    """
    block = grant.document.block
    written = block if block.endswith("aws_iam_role_policy.permissions") else ".".join(block.split(".")[-2:])
    return written, re.sub(r"(-[0-9a-f]{8}|[0-9]+)$", "", grant.sid), grant.action


def test_the_deployed_policies_follow_the_static_rules(gathered: None) -> None:
    assert static.problems(evidence.state("root"), reasons()) == []
