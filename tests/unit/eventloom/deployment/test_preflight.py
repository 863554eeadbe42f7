"""Missing prerequisites of a new account are reported before the plan."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eventloom.deployment import environments, preflight
from eventloom.deployment.preflight import Target, findings
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import FakeTerraform, typed


class NotFoundError(Exception):
    """Raised by a stubbed client for a resource that does not exist."""


def raising(error: Exception) -> Any:
    def call(**_: Any) -> Any:
        raise error

    return call


def answering(**answers: Any) -> SimpleNamespace:
    """Return a client whose operations give these answers. An exception is raised instead."""
    operations = {
        name: raising(answer) if isinstance(answer, Exception) else (lambda answer=answer, **_: answer)
        for name, answer in answers.items()
    }
    names = ("NotFoundException", "NoSuchEntityException", "ResourceNotFoundException")
    return SimpleNamespace(**operations, exceptions=SimpleNamespace(**dict.fromkeys(names, NotFoundError)))


def lambda_client(concurrency: int, code_used: int = 0) -> SimpleNamespace:
    limit = {"ConcurrentExecutions": concurrency, "UnreservedConcurrentExecutions": concurrency, "TotalCodeSize": 100}
    return answering(get_account_settings={"AccountLimit": limit, "AccountUsage": {"TotalCodeSize": code_used}})


def vpcs(*tags: dict[str, str]) -> SimpleNamespace:
    page = {"Vpcs": [{"Tags": [tag]} for tag in tags]}
    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda: [page]))


LIMITS = {"OpenShardCount": 3, "ShardLimit": 500, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50}


def check(environment: str = "dev", region: str = "eu-central-1", **overrides: Any) -> list[tuple[str, str]]:
    """Return the levels and texts for an account with room for everything, apart from what is overridden.

    Names with capital letters are settings, the others are clients.
    """
    clients = {
        "lambda": lambda_client(1000),
        "iam": answering(get_role={}, get_account_summary={"SummaryMap": {"Roles": 10, "RolesQuota": 1000}}),
        "kinesis": answering(describe_stream_summary=NotFoundError(), describe_limits=LIMITS),
    } | {name.removesuffix("_").replace("_", "-"): value for name, value in overrides.items() if name.islower()}
    settings = {name.lower(): value for name, value in overrides.items() if name.isupper()}

    def setting(name: str) -> Any:
        return settings[name] if name in settings else environments.setting(environment, name)

    return [
        (finding.level, finding.text) for finding in findings(Target(environment, setting, clients.__getitem__, region))
    ]


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_an_account_with_room_is_fine(environment: str) -> None:
    assert check(environment) == []


def test_dev_works_in_a_new_account() -> None:
    assert check("dev", lambda_=lambda_client(10)) == []


def test_a_thumbnailer_that_starves_the_other_functions_is_a_warning() -> None:
    ((level, text),) = check(lambda_=lambda_client(10), THUMBNAILER_MAXIMUM_CONCURRENCY=5, THUMBNAILER_CEILING=9)
    assert level == "warning"
    assert text.startswith("thumbnailer_ceiling is 9 of the 10 executions")


def test_a_thumbnailer_above_the_accounts_concurrency_is_an_error() -> None:
    results = check("prod", lambda_=lambda_client(10))
    assert [(level, text.split()[0]) for level, text in results] == [
        ("error", "thumbnailer_maximum_concurrency"),
        ("error", "thumbnailer_ceiling"),
    ]
    assert "Service Quotas" in results[0][1]


def test_code_storage_that_is_nearly_full_is_a_warning() -> None:
    assert "code storage" in check(lambda_=lambda_client(1000, code_used=95))[0][1]


@pytest.mark.parametrize(("concurrency", "expected"), [(10, ["warning"]), (1000, [])])
def test_memory_that_new_accounts_do_not_have_is_a_warning(concurrency: int, expected: list[str]) -> None:
    results = check(lambda_=lambda_client(concurrency), THUMBNAILER_MEMORY_MB=4096)
    assert [level for level, text in results if "memory" in text] == expected


def ses(production: bool, identity: Any, sending: bool = True) -> SimpleNamespace:
    account = {"ProductionAccessEnabled": production, "SendingEnabled": sending}
    return answering(get_account=account, get_email_identity=identity)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (ses(True, NotFoundError()), []),
        (ses(False, {"VerifiedForSendingStatus": True}), []),
        (ses(False, {"VerifiedForSendingStatus": False}), ["warning"]),
        (ses(False, NotFoundError()), ["warning"]),
        (ses(True, NotFoundError(), sending=False), ["error"]),
    ],
)
def test_the_sandbox_of_ses_is_a_warning_for_recipients_that_are_not_verified(
    client: SimpleNamespace, expected: list[str]
) -> None:
    results = check(sesv2=client, MAIL_FROM="a@example.com", MAIL_TO=["b@example.com"])
    assert [level for level, _ in results] == expected


def test_missing_service_linked_roles_are_warnings_with_the_command_that_creates_them() -> None:
    iam = answering(get_role=NotFoundError(), get_account_summary={"SummaryMap": {"Roles": 10, "RolesQuota": 1000}})
    results = check(iam=iam, vpc_=None, ALB=True, ec2=vpcs({"Key": "Environment", "Value": "dev"}))
    assert [level for level, _ in results] == ["warning", "warning"]
    assert "--aws-service-name elasticloadbalancing.amazonaws.com" in results[1][1]


def test_a_region_without_a_service_that_is_switched_on_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def available(_self: Any, service: str, _partition: str) -> list[str]:
        return [] if service == "athena" else ["eu-central-1"]

    monkeypatch.setattr(preflight.boto3.Session, "get_available_regions", available)
    ((level, text),) = check()
    assert level == "error"
    assert text.startswith("eu-central-1 has no athena;")
    assert check(ATHENA=False) == []


@pytest.mark.parametrize(
    ("limits", "shards", "expected"),
    [
        ({"OpenShardCount": 500}, 1, ["error"]),
        ({"OpenShardCount": 499}, 1, []),
        ({"OnDemandStreamCount": 50}, 0, ["error"]),
        ({"OnDemandStreamCount": 49}, 0, []),
    ],
)
def test_kinesis_without_room_is_an_error(limits: dict[str, int], shards: int, expected: list[str]) -> None:
    kinesis = answering(describe_stream_summary=NotFoundError(), describe_limits=LIMITS | limits)
    assert [level for level, _ in check(kinesis=kinesis, ACTIVITY_SHARDS=shards)] == expected


def test_an_environment_that_exists_needs_no_more_room() -> None:
    kinesis = answering(describe_stream_summary={}, describe_limits=LIMITS | {"OpenShardCount": 500})
    assert check(kinesis=kinesis, VPC=True, ec2=vpcs({"Key": "Environment", "Value": "dev"})) == []


def test_an_account_without_room_for_roles_is_an_error() -> None:
    iam = answering(get_role=NotFoundError(), get_account_summary={"SummaryMap": {"Roles": 995, "RolesQuota": 1000}})
    assert check(iam=iam)[0] == (
        "error",
        "the account has 995 of 1000 roles, and the environment adds about 12; delete some, or ask for more in Service "
        "Quotas",
    )


@pytest.mark.parametrize(("quota", "expected"), [(1.0, ["error"]), (5.0, [])])
def test_a_region_without_room_for_a_network_is_an_error(quota: float, expected: list[str]) -> None:
    quotas = answering(get_service_quota={"Quota": {"Value": quota}})
    results = check(VPC=True, ec2=vpcs({"Key": "Environment", "Value": "other"}), service_quotas=quotas)
    assert [level for level, _ in results] == expected


def test_a_check_that_aws_refuses_is_a_warning_and_the_others_continue() -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetAccountSettings")
    results = check(lambda_=answering(get_account_settings=denied), ACTIVITY_SHARDS=1000)
    assert [(level, text.split(";")[0].split(":")[0]) for level, text in results] == [
        ("error", "Kinesis has 3 of 500 shards, and activity_shards adds 1000"),
        ("warning", "could not check concurrency"),
    ]


def target(**settings: Any) -> Target:
    """Return an environment in a new account, with these settings."""
    clients = {"lambda": lambda_client(10), "iam": answering(get_role={})}
    clients["kinesis"] = answering(describe_stream_summary={})
    return Target(
        "dev",
        lambda name: settings.get(name, environments.setting("dev", name)),
        clients.__getitem__,
        "eu-central-1",
    )


def test_a_warning_does_not_stop_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    preflight.require(target(thumbnailer_ceiling=9))
    assert capsys.readouterr().err.startswith("warning: thumbnailer_ceiling is 9")


def test_an_error_stops_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"lacks what 'dev' needs \(1 error above\); ./eventloom preflight --env dev"):
        preflight.require(target(thumbnailer_ceiling=20))
    assert "error: thumbnailer_ceiling is 20" in capsys.readouterr().err


def test_the_command_reports_what_it_cannot_check(terraform: FakeTerraform) -> None:
    """Moto lacks some operations, as a role with too few permissions does."""
    result = typed("preflight", "--env", "dev", "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert facts["environment"] == "dev"
    assert "could not check concurrency" in str(facts["findings"])
    assert terraform.calls() == []
