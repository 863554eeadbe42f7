"""The roles that GitHub's workflows assume by OpenID Connect: one plans an environment, another one deploys it.

The trust names GitHub's environment, so that GitHub's reviewers are asked before a job gets the credentials. It also
names the workflow's file on the branch, so that a workflow of another branch cannot use that environment.
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
    """A repository on GitHub, as owner/name, with the ids that stay when either is renamed."""

    name: str
    owner_id: int
    repository_id: int

    def __post_init__(self) -> None:
        """Raise UserError if the name is not owner/name."""
        if not _REPOSITORY.fullmatch(self.name):
            raise UserError(f"'{self.name}' is not a repository; write it as OWNER/NAME")

    def subjects(self, environment: str) -> list[str]:
        """Return the subjects of the tokens of a job in a GitHub environment.

        Repositories that were created, renamed or moved after 2026-07-15 have a subject with ids, older ones have one
        without: https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
        """
        owner, name = self.name.split("/")
        return [
            f"repo:{owner}/{name}:environment:{environment}",
            f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}:environment:{environment}",
        ]


@dataclass(frozen=True)
class Role:
    """A role: its name, the GitHub environment whose jobs may assume it, its trust and its policies by name."""

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

    Their names do not begin like those of the environment, so that neither role can change itself.
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
    """Return who may assume a role: a job of that GitHub environment, in that workflow's file on that branch.

    AWS's claims: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
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
    """Create GitHub's provider. One that exists is shared with other projects, and only gets the audience."""
    known = [provider["Arn"] for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if arn not in known:
        # AWS checks GitHub's certificate by its own list of authorities, so no thumbprint is needed.
        iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE])
    elif AUDIENCE not in iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]:
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=AUDIENCE)


def _put_policy(iam: Any, arn: str, name: str, document: str) -> None:
    """Create a managed policy, or make the document its default version. IAM keeps at most five versions."""
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
    """Detach what the role no longer needs, so that an earlier, wider policy does not stay."""
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role.name):
        for attached in page["AttachedPolicies"]:
            if attached["PolicyName"] not in role.policies:
                iam.detach_role_policy(RoleName=role.name, PolicyArn=attached["PolicyArn"])
