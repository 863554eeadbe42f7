"""An environment never replaces the logging role of other APIs, and never removes a role that others may use."""

import os

import pytest

from eventloom.clouds import client
from eventloom.deployment import api_logs
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import FakeTerraform, typed

OWN = "eventloom-dev-api-gateway-logs"
FOREIGN = "somebody-elses-api-logs"


@pytest.fixture
def account(terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch) -> api_logs.Account:
    """Provide the account of dev on AWS. Its state holds nothing of API Gateway."""
    monkeypatch.setenv(api_logs.VARIABLE, "unset")
    return api_logs.account("dev")


def create_role(name: str) -> str:
    return str(client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"])


def hold_in_state(terraform: FakeTerraform) -> None:
    (terraform.folder / "state.txt").write_text("\n".join((api_logs.SETTING, *api_logs.ROLE)))


def forgotten(terraform: FakeTerraform) -> list[str]:
    """Return the addresses that were removed from the state."""
    return [call["arguments"][2] for call in terraform.calls() if call["arguments"][:2] == ["state", "rm"]]


def chosen(account: api_logs.Account) -> str:
    api_logs.choose(account)
    return os.environ[api_logs.VARIABLE]


def test_an_account_without_a_role_gets_the_environments(account: api_logs.Account, terraform: FakeTerraform) -> None:
    assert chosen(account) == "true"


def test_a_role_of_another_owner_stays(
    account: api_logs.Account, terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = create_role(FOREIGN)
    terraform.gateway.role = arn
    assert chosen(account) == "false"
    assert f"{arn}; it stays" in capsys.readouterr().err


def test_a_role_that_does_not_exist_is_replaced(
    account: api_logs.Account, terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    terraform.gateway.role = f"arn:aws:iam::123456789012:role/{FOREIGN}"
    assert chosen(account) == "true"
    assert "does not exist" in capsys.readouterr().err


def test_the_environments_own_role_is_managed_while_its_state_has_it(
    account: api_logs.Account, terraform: FakeTerraform
) -> None:
    terraform.gateway.role = create_role(OWN)
    assert chosen(account) == "false", "an earlier destroy left the role, and it keeps working"
    hold_in_state(terraform)
    assert chosen(account) == "true"


def test_a_setting_that_somebody_replaced_is_forgotten(account: api_logs.Account, terraform: FakeTerraform) -> None:
    """Otherwise Terraform would remove the other role from the account, together with the setting."""
    hold_in_state(terraform)
    terraform.gateway.role = create_role(FOREIGN)
    assert chosen(account) == "false"
    assert forgotten(terraform) == [api_logs.SETTING]


def test_an_environment_that_may_not_set_a_role_needs_one(
    account: api_logs.Account, terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_logs.environments, "setting", lambda *_: False)
    with pytest.raises(UserError, match=r"has no role for its logs.*owns_api_gateway_account"):
        api_logs.choose(account)
    terraform.gateway.role = create_role(FOREIGN)
    assert chosen(account) == "false"


@pytest.mark.parametrize(("action", "refused"), [("create", True), ("delete", True), ("no-op", False)])
def test_a_plan_from_before_somebody_set_a_role_is_refused(
    account: api_logs.Account, terraform: FakeTerraform, action: str, refused: bool
) -> None:
    plan = {"resource_changes": [{"address": api_logs.SETTING, "change": {"actions": [action]}}]}
    api_logs.refuse_outdated(account, plan)
    terraform.gateway.role = create_role(FOREIGN)
    if refused:
        with pytest.raises(UserError, match="since the plan was made; make another plan"):
            api_logs.refuse_outdated(account, plan)
    else:
        api_logs.refuse_outdated(account, plan)


def test_destroying_keeps_a_role_that_other_apis_may_use(
    account: api_logs.Account, terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    hold_in_state(terraform)
    terraform.gateway.role = create_role(OWN)
    terraform.gateway.apis.append("eventloom-dev-catalog")
    api_logs.release(account)
    assert forgotten(terraform) == [], "the environment's own API goes with it"
    terraform.gateway.apis.append("orders")
    api_logs.release(account)
    assert forgotten(terraform) == [api_logs.SETTING, *api_logs.ROLE]
    assert "other APIs (orders)" in capsys.readouterr().err


def test_destroying_forgets_the_setting_that_somebody_replaced(
    account: api_logs.Account, terraform: FakeTerraform
) -> None:
    hold_in_state(terraform)
    terraform.gateway.role = create_role(FOREIGN)
    api_logs.release(account)
    assert forgotten(terraform) == [api_logs.SETTING]
    api_logs.reset(account)
    assert terraform.gateway.role.endswith(FOREIGN)


def test_a_destroyed_role_is_removed_from_the_account(account: api_logs.Account, terraform: FakeTerraform) -> None:
    terraform.gateway.role = create_role(OWN)
    api_logs.reset(account)
    assert terraform.gateway.role.endswith(OWN), "the role exists"
    client("iam").delete_role(RoleName=OWN)
    api_logs.reset(account)
    assert terraform.gateway.role == ""


def test_destroy_leaves_a_role_of_somebody_else(account: api_logs.Account, terraform: FakeTerraform) -> None:
    arn = create_role(FOREIGN)
    terraform.gateway.role = arn
    result = typed("destroy", "--env", "dev", "--yes")
    assert result.exit_code == 0, result.output
    assert terraform.gateway.role == arn
    assert forgotten(terraform) == []
