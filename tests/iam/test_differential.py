"""The emulator's evaluator agrees with @cloud-copilot/iam-simulate, except for the forms that the table explains.

The short form compares with recorded decisions; `make test-iam-differential` runs the simulator.
"""

import json
from dataclasses import replace

import pytest

from tests.iam.differential import compare
from tests.iam.differential.cases import ACCOUNT, ROOT, SESSION, Case, generate
from tests.iam.differential.disagreements import DISAGREEMENTS
from tests.iam.differential.ours import decide

RECORDED = json.loads(compare.RECORD.read_text(encoding="utf-8"))


def test_the_recorded_cases_are_of_every_kind() -> None:
    cases = list(generate(RECORDED["seed"], RECORDED["cases"]))
    assert {case.caller for case in cases} == {"role", "service", "anonymous"}
    for part in ("boundary", "session", "attached"):
        assert sum(bool(getattr(case, part)) for case in cases) > 50, part
    assert 100 < RECORDED["decisions"].count("1") < 300
    assert len(RECORDED["decisions"]) == len(cases)


def test_the_recorded_decisions_are_ours() -> None:
    """The decisions differ from the simulator's only in cases with a form of the table."""
    cases = list(generate(RECORDED["seed"], RECORDED["cases"]))
    disputed = [
        case
        for case, simulated in zip(cases, RECORDED["decisions"], strict=True)
        if decide(case) is not (simulated == "1")
    ]
    assert [case.name for case in disputed if compare.without_disputed_forms(case) == (case, [])] == []
    assert len(disputed) < 10


STATEMENT = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}


def case(**changes: object) -> Case:
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
    plain = Case("one", "role", SESSION, "sqs:SendMessage", arn, ACCOUNT, {}, [{"Statement": [STATEMENT]}])
    return replace(plain, **changes)  # type: ignore[arg-type]


FORMS = {
    "a session policy and a grant to the session or to everybody": case(
        session={"Statement": [STATEMENT]}, attached={"Statement": [{**STATEMENT, "Principal": "*"}]}
    ),
    "a variable in the account of an ARN condition": case(
        granted=[
            {
                "Statement": [
                    {
                        **STATEMENT,
                        "Condition": {
                            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/worker"}
                        },
                    }
                ]
            }
        ]
    ),
    "a negated operator or NotResource, and a variable without a value": case(
        caller="service",
        attached={
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "*",
                    "NotResource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:${{aws:PrincipalAccount}}",
                }
            ]
        },
    ),
    "NotPrincipal with only the account": case(
        attached={"Statement": [{"Effect": "Deny", "NotPrincipal": {"AWS": ROOT}, "Action": "*", "Resource": "*"}]}
    ),
}


@pytest.mark.parametrize("row", DISAGREEMENTS, ids=lambda row: row.name)
def test_a_row_of_the_table_concerns_its_form_only(row: object) -> None:
    assert isinstance(row, type(DISAGREEMENTS[0]))
    assert row.without(FORMS[row.name]) != FORMS[row.name]
    assert row.without(case()) == case()
    assert row.page.startswith("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_")


def test_a_seed_and_a_number_name_a_case() -> None:
    assert list(generate(7, 5)) == list(generate(7, 9))[:5]
    assert list(generate(7, 5)) != list(generate(8, 5))
