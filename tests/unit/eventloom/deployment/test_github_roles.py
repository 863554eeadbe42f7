"""The roles of GitHub's workflow: who may assume them, what they may do, and how they are created and updated."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from eventloom.clouds import ROOT, client
from eventloom.deployment import github_commands, github_roles
from eventloom.deployment.github_policies import MAX_POLICY_CHARACTERS, deploy_statements, documents, plan_statements
from eventloom.deployment.github_rights import Scope, Statement
from eventloom.deployment.github_switches import FEATURES
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import FakeTerraform, typed

SCOPE = Scope("prod", "123456789012", "eu-central-1")
ALL_ON = Scope("prod", "123456789012", "eu-central-1", features=frozenset(FEATURES), boundary="arn:aws:iam::1:policy/b")
REPOSITORY = github_roles.Repository("octo-org/octo-repo", 1234, 5678)
TOKEN = {
    "aud": "sts.amazonaws.com",
    "sub": "repo:octo-org/octo-repo:environment:prod-plan",
    "repository_id": "5678",
    "job_workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
}
OPTIONS = ["--repository", "octo-org/octo-repo", "--owner-id", "1234", "--repository-id", "5678"]
PAGE = (ROOT / "docs/how-to/deploy-from-github.md").read_text(encoding="utf-8")
PLAN, DEPLOY = github_roles.roles(SCOPE, REPOSITORY, "deploy.yml", "main")


def trusts(role: github_roles.Role, token: dict[str, str]) -> bool:
    """Return whether a role's trust accepts a token: StringEquals takes any value of a list, and all of the claims."""
    (statement,) = role.trust["Statement"]
    conditions = statement["Condition"]["StringEquals"]
    assert list(statement["Condition"]) == ["StringEquals"]
    return all(
        token.get(key.removeprefix(f"{github_roles.ISSUER}:")) in ([values] if isinstance(values, str) else values)
        for key, values in conditions.items()
    )


def allows(statements: list[Statement], action: str, resource: str) -> bool:
    """Return whether statements allow an action on a resource, whatever their conditions."""
    return any(
        action in statement["Action"] and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in statements
    )


# -- trust


@pytest.mark.parametrize(
    "subject",
    [
        "repo:octo-org/octo-repo:environment:prod-plan",
        "repo:octo-org@1234/octo-repo@5678:environment:prod-plan",
    ],
)
def test_both_forms_of_a_subject_are_trusted(subject: str) -> None:
    assert trusts(PLAN, TOKEN | {"sub": subject})
    assert trusts(DEPLOY, TOKEN | {"sub": subject.removesuffix("-plan")})


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "https://github.com/octo-org"),
        ("sub", "repo:octo-org/octo-repo:environment:prod"),
        ("sub", "repo:octo-org/octo-repo:ref:refs/heads/main"),
        ("sub", "repo:octo-org@1234/octo-repo@9:environment:prod-plan"),
        ("sub", "repo:octo-org@1234/octo-repo@5678:environment:dev-plan"),
        ("repository_id", "9"),
        ("job_workflow_ref", "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/a-branch"),
        ("job_workflow_ref", "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main"),
    ],
)
def test_a_token_that_differs_in_one_claim_is_refused(claim: str, value: str) -> None:
    assert trusts(PLAN, TOKEN)
    assert not trusts(PLAN, TOKEN | {claim: value})
    assert not trusts(PLAN, {name: other for name, other in TOKEN.items() if name != claim})


def test_the_two_roles_trust_different_environments_and_only_by_web_identity() -> None:
    assert [PLAN.github_environment, DEPLOY.github_environment] == ["prod-plan", "prod"]
    assert not trusts(DEPLOY, TOKEN)
    for role in (PLAN, DEPLOY):
        (statement,) = role.trust["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Principal"] == {"Federated": github_roles.provider_arn(SCOPE)}


def test_a_repository_is_written_as_owner_and_name() -> None:
    with pytest.raises(UserError, match=r"'octo-org' is not a repository; write it as OWNER/NAME"):
        github_roles.Repository("octo-org", 1, 2)
    with pytest.raises(UserError, match="is not a repository"):
        github_roles.Repository("octo-org/*", 1, 2)


# -- the page


def test_the_page_says_first_what_keeps_the_approval_from_being_bypassed() -> None:
    first = PAGE[: PAGE.index("\n1. ")]
    assert "Use two roles, never one" in first
    assert "the only deployment branch is `main`" in " ".join(first.split())
    rows = re.findall(r"^\| `(prod\S*)` \| .* \| `main` \| `(\S+)` \|$", first, re.MULTILINE)
    assert rows == [(role.github_environment, role.name) for role in (PLAN, DEPLOY)]


def test_the_page_shows_the_trust_that_the_command_makes() -> None:
    repository = github_roles.Repository("OWNER/NAME", 1234, 5678)
    role, _ = github_roles.roles(SCOPE, repository, "deploy.yml", "main")
    rows = dict(re.findall(r"^\| `(aud|sub|repository_id|job_workflow_ref)` \| (.+) \|$", PAGE, re.MULTILINE))
    shown = {claim: re.findall(r"`(.+?)`", text) for claim, text in rows.items()}
    conditions = role.trust["Statement"][0]["Condition"]["StringEquals"]
    made = {key.split(":")[1]: [values] if isinstance(values, str) else values for key, values in conditions.items()}
    assert shown == made


# -- policies

STATE = "arn:aws:s3:::eventloom-state-123456789012-eu-central-1"


def test_the_role_that_plans_writes_only_its_plan_and_the_lock() -> None:
    statements = plan_statements(ALL_ON)
    reads = re.compile(r"\w[\w-]*:(Get|List|Describe|Validate)\w*|apigateway:GET")
    writes = {
        (action, resource)
        for statement in statements
        for action in statement["Action"]
        for resource in statement["Resource"]
        if not reads.fullmatch(action)
    }
    assert writes == {
        ("s3:PutObject", f"{STATE}/plans/*/prod.tfplan"),
        ("s3:PutObject", f"{STATE}/env:/prod/eventloom.tfstate.tflock"),
        ("s3:DeleteObject", f"{STATE}/env:/prod/eventloom.tfstate.tflock"),
    }


def test_neither_role_reads_what_people_upload_nor_items_nor_messages() -> None:
    for statements in (plan_statements(ALL_ON), deploy_statements(ALL_ON)):
        assert not allows(statements, "s3:GetObject", "arn:aws:s3:::eventloom-prod-uploads-1/photo.jpg")
        actions = {action for statement in statements for action in statement["Action"]}
        assert not actions & {"dynamodb:GetItem", "dynamodb:Scan", "sqs:ReceiveMessage", "kinesis:GetRecords"}


def test_neither_role_reaches_another_environment_nor_the_roles_of_the_pipeline() -> None:
    statements = deploy_statements(ALL_ON)
    role = "arn:aws:iam::123456789012:role"
    assert allows(statements, "iam:PutRolePolicy", f"{role}/eventloom-prod-digest")
    for name in ("eventloom-dev-digest", DEPLOY.name, PLAN.name, "administrator"):
        assert not allows(statements, "iam:PutRolePolicy", f"{role}/{name}")
        assert not allows(statements, "iam:PassRole", f"{role}/{name}")
    assert allows(statements, "s3:PutObject", f"{STATE}/env:/prod/eventloom.tfstate")
    assert not allows(statements, "s3:PutObject", f"{STATE}/env:/dev/eventloom.tfstate")
    assert not allows(statements, "s3:PutObject", f"{STATE}/plans/1/prod.tfplan"), "it applies what others planned"
    assert not allows(statements, "s3:GetObject", f"{STATE}/plans/1/prod.tfplan"), "it fetches one version only"


def test_only_the_policy_for_access_logs_is_attached_and_new_roles_have_the_boundary() -> None:
    by_sid = {statement["Sid"]: statement for statement in deploy_statements(ALL_ON)}
    assert by_sid["AttachLogsPolicy"]["Condition"] == {
        "ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"}
    }
    assert by_sid["NewRoles"]["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": ALL_ON.boundary}}
    assert "Condition" not in {statement["Sid"]: statement for statement in deploy_statements(SCOPE)}["NewRoles"]


def test_roles_are_limited_to_the_path_of_the_environment() -> None:
    statements = deploy_statements(replace(SCOPE, role_path="/team/"))
    assert allows(statements, "iam:PutRolePolicy", "arn:aws:iam::123456789012:role/team/eventloom-prod-digest")
    assert not allows(statements, "iam:PutRolePolicy", "arn:aws:iam::123456789012:role/eventloom-prod-digest")


def test_rights_for_a_switch_are_left_out_while_it_is_off() -> None:
    services = {action.split(":")[0] for statement in deploy_statements(SCOPE) for action in statement["Action"]}
    assert not services & {"athena", "cognito-idp", "ec2", "elasticloadbalancing", "glue"}
    switched = {action.split(":")[0] for statement in deploy_statements(ALL_ON) for action in statement["Action"]}
    assert {"athena", "cognito-idp", "ec2", "elasticloadbalancing", "glue"} <= switched


@pytest.mark.parametrize("statements", [plan_statements(ALL_ON), deploy_statements(ALL_ON)], ids=["plan", "deploy"])
def test_no_policy_is_longer_than_iam_accepts(statements: list[Statement]) -> None:
    made = documents(statements)
    assert [statement for document in made for statement in document["Statement"]] == statements
    for document in made:
        assert len("".join(json.dumps(document).split())) <= MAX_POLICY_CHARACTERS
    assert len({statement["Sid"] for statement in statements}) == len(statements)
    assert "{" not in json.dumps([[statement["Resource"], statement["Action"]] for statement in statements])


# -- the command


def policies(role: str) -> dict[str, Any]:
    """Return the policies that are attached to a role, as documents by name."""
    iam = client("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    versions = {
        entry["PolicyName"]: (entry["PolicyArn"], iam.get_policy(PolicyArn=entry["PolicyArn"])["Policy"])
        for entry in attached
    }
    return {
        name: iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
        for name, (arn, policy) in versions.items()
    }


@pytest.fixture
def account(terraform: FakeTerraform) -> Iterator[FakeTerraform]:
    """Provide the account with its state bucket. Nothing of Terraform runs."""
    yield terraform
    assert terraform.calls() == []


@pytest.mark.usefixtures("account")
def test_the_roles_are_printed_and_nothing_is_created() -> None:
    result = typed("github-roles", "--env", "prod", *OPTIONS, "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert [role["role"] for role in facts["roles"]] == [PLAN.name, DEPLOY.name]
    assert facts["roles"][0]["trust"] == PLAN.trust
    assert facts["provider"]["audiences"] == ["sts.amazonaws.com"]
    assert client("iam").list_roles()["Roles"] == []
    assert client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert json.loads(typed("github-roles", "--env", "prod", *OPTIONS).stdout) == facts


@pytest.mark.usefixtures("account")
def test_the_roles_are_created_and_updated() -> None:
    iam = client("iam")
    first = typed("github-roles", "--env", "prod", *OPTIONS, "--create")
    assert first.exit_code == 0, first.output
    assert f"prod-plan: AWS_ROLE_ARN = arn:aws:iam::123456789012:role/{PLAN.name}" in first.stdout
    scope = replace(SCOPE, features=github_commands.features("prod"))
    for role in github_roles.roles(scope, REPOSITORY, "deploy.yml", "main"):
        assert iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"] == role.trust
        assert policies(role.name) == role.policies
    wide = iam.create_policy(PolicyName="wide", PolicyDocument=json.dumps(PLAN.policies[f"{PLAN.name}-1"]))["Policy"]
    iam.attach_role_policy(RoleName=PLAN.name, PolicyArn=wide["Arn"])
    again = typed("github-roles", "--env", "prod", *OPTIONS, "--branch", "release", "--create")
    assert again.exit_code == 0, again.output
    trust = iam.get_role(RoleName=DEPLOY.name)["Role"]["AssumeRolePolicyDocument"]
    assert "deploy.yml@refs/heads/release" in json.dumps(trust)
    assert "wide" not in policies(PLAN.name)
    (provider,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    described = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
    assert described["ClientIDList"] == ["sts.amazonaws.com"]


@pytest.mark.usefixtures("account")
def test_a_policy_that_changes_often_keeps_its_newest_versions() -> None:
    for number in range(7):  # IAM keeps five versions of a policy.
        scope = replace(SCOPE, boundary=f"arn:aws:iam::123456789012:policy/boundary-{number}")
        github_roles.create(client("iam"), scope, github_roles.roles(scope, REPOSITORY, "deploy.yml", "main"))
    assert "policy/boundary-6" in json.dumps(policies(DEPLOY.name))
    arn = f"arn:aws:iam::123456789012:policy/{PLAN.name}-1"
    assert len(client("iam").list_policy_versions(PolicyArn=arn)["Versions"]) == 1, "it did not change"


class SharedProvider:
    """IAM in an account where other projects use GitHub's provider. moto cannot add an audience."""

    def __init__(self, audiences: list[str]) -> None:
        self.audiences = audiences

    def list_open_id_connect_providers(self) -> dict[str, Any]:
        return {"OpenIDConnectProviderList": [{"Arn": github_roles.provider_arn(SCOPE)}]}

    def get_open_id_connect_provider(self, OpenIDConnectProviderArn: str) -> dict[str, Any]:
        assert OpenIDConnectProviderArn == github_roles.provider_arn(SCOPE)
        return {"ClientIDList": [*self.audiences]}

    def add_client_id_to_open_id_connect_provider(self, OpenIDConnectProviderArn: str, ClientID: str) -> None:
        assert OpenIDConnectProviderArn == github_roles.provider_arn(SCOPE)
        self.audiences.append(ClientID)


@pytest.mark.parametrize("audiences", [["theirs"], ["theirs", "sts.amazonaws.com"]])
def test_a_provider_of_other_projects_keeps_their_audience(audiences: list[str]) -> None:
    iam = SharedProvider(audiences)
    github_roles.create(iam, SCOPE, [])
    assert iam.audiences == ["theirs", "sts.amazonaws.com"]


@pytest.mark.usefixtures("account")
def test_the_roles_need_a_state_bucket_which_they_may_not_create(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_commands.state_bucket, "exists", lambda _: False)
    result = typed("github-roles", "--env", "prod", *OPTIONS, "--create")
    assert result.exit_code == 1
    assert "run ./eventloom state-bucket --env prod first" in result.stderr
    assert client("iam").list_roles()["Roles"] == []
