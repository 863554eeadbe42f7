"""Create the IAM roles that GitHub's workflows assume by OpenID Connect.

One role plans an environment, and another one deploys it. The trust policy of a role names a GitHub environment, so
that GitHub's reviewers must approve a job before it gets the credentials. The trust policy also names the workflow's
file and branch, so that a workflow on another branch cannot assume the role.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from eventloom.deployment.github_policies import deploy_statements, documents, plan_statements
from eventloom.deployment.github_rights import Scope
from eventloom.errors import UserError

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# "IAM > quotas": https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_POLICY_VERSIONS = 5
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub: its name as owner/name, and the ids that stay the same when either part is renamed."""

    name: str
    owner_id: int
    repository_id: int

    def __post_init__(self) -> None:
        """Raise UserError if the name is not owner/name."""
        if not _REPOSITORY.fullmatch(self.name):
            raise UserError(f"'{self.name}' is not a repository; write it as OWNER/NAME")

    def subjects(self, environment: str) -> list[str]:
        """Return the subjects of the tokens of a job in a GitHub environment.

        The subject contains ids if the repository was created, renamed or moved after 2026-07-15. Subjects of older
        repositories contain no ids:
        https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
        """
        owner, name = self.name.split("/")
        return [
            f"repo:{owner}/{name}:environment:{environment}",
            f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}:environment:{environment}",
        ]


@dataclass(frozen=True)
class Role:
    """An IAM role for one GitHub environment, with its trust policy and its permissions policies by name."""

    name: str
    github_environment: str
    trust: dict[str, Any]
    policies: dict[str, dict[str, Any]]

    def facts(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "role": self.name,
            "github_environment": self.github_environment,
            "trust": self.trust,
            "policies": self.policies,
        }


def provider_arn(scope: Scope) -> str:
    """Return the ARN of GitHub's OpenID Connect provider in the account."""
    return f"arn:{scope.partition}:iam::{scope.account}:oidc-provider/{ISSUER}"


def roles(scope: Scope, repository: Repository, workflow: str, branch: str) -> list[Role]:
    """Return the role that plans an environment and the role that deploys it.

    Their names lack the prefix eventloom-ENVIRONMENT, to which their rights are limited. So neither role can change
    itself.
    """
    kinds = {"plan": (f"{scope.environment}-plan", plan_statements), "deploy": (scope.environment, deploy_statements)}
    made = []
    for kind, (github_environment, statements) in kinds.items():
        name = f"github-eventloom-{scope.environment}-{kind}"
        policies = {f"{name}-{number}": text for number, text in enumerate(documents(statements(scope)), 1)}
        made.append(
            Role(name, github_environment, trust(scope, repository, github_environment, workflow, branch), policies)
        )
    return made


def trust(scope: Scope, repository: Repository, environment: str, workflow: str, branch: str) -> dict[str, Any]:
    """Return a role's trust policy. It allows jobs of one GitHub environment, in one workflow file on one branch.

    Claims that AWS can check: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    claims = {
        "aud": AUDIENCE,
        "sub": repository.subjects(environment),
        "repository_id": str(repository.repository_id),
        "job_workflow_ref": f"{repository.name}/.github/workflows/{workflow}@refs/heads/{branch}",
    }
    statement = {
        "Sid": "GitHub",
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn(scope)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:{claim}": value for claim, value in claims.items()}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def create(iam: Any, scope: Scope, made: list[Role]) -> None:
    """Create the provider and the roles, or bring existing ones up to date. `iam` is a boto3 client."""
    _create_provider(iam, provider_arn(scope))
    for role in made:
        document = json.dumps(role.trust)
        try:
            iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=document, MaxSessionDuration=3600)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=document)
        for name, policy in role.policies.items():
            arn = f"arn:{scope.partition}:iam::{scope.account}:policy/{name}"
            _put_policy(iam, arn, name, json.dumps(policy, separators=(",", ":")))
            iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
        _detach_others(iam, role)


def _create_provider(iam: Any, arn: str) -> None:
    """Create GitHub's provider, or add the audience to an existing one, which other projects may use as well."""
    known = [provider["Arn"] for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if arn not in known:
        # No thumbprint is needed, because AWS checks GitHub's certificate against its list of root authorities.
        iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE])
    elif AUDIENCE not in iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]:
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=AUDIENCE)


def _put_policy(iam: Any, arn: str, name: str, document: str) -> None:
    """Create a managed policy, or make the document the default version of an existing one.

    IAM keeps at most five versions, so the oldest one is deleted if necessary.
    """
    try:
        current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    except iam.exceptions.NoSuchEntityException:
        iam.create_policy(PolicyName=name, PolicyDocument=document)
        return
    if iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"] == json.loads(document):
        return
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(versions) >= _POLICY_VERSIONS:
        oldest = min(
            (entry for entry in versions if not entry["IsDefaultVersion"]), key=lambda entry: entry["CreateDate"]
        )
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)


def _detach_others(iam: Any, role: Role) -> None:
    """Detach every policy that the role no longer has, because an earlier policy may allow more."""
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role.name):
        for attached in page["AttachedPolicies"]:
            if attached["PolicyName"] not in role.policies:
                iam.detach_role_policy(RoleName=role.name, PolicyArn=attached["PolicyArn"])
