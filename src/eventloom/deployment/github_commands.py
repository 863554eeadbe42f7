"""The command github-roles."""

import json

import click

from eventloom import arguments, terminal
from eventloom.clouds import client
from eventloom.deployment import environments, github_roles, state_bucket
from eventloom.deployment.github_rights import Scope
from eventloom.errors import UserError


@arguments.command("github-roles")
@arguments.environment_option
@click.option("--repository", required=True, metavar="OWNER/NAME", help="the repository whose workflow deploys")
@click.option("--owner-id", required=True, type=arguments.COUNT, metavar="ID", help="id of the repository's owner")
@click.option("--repository-id", required=True, type=arguments.COUNT, metavar="ID", help="id of the repository")
@click.option("--workflow", default="deploy.yml", show_default=True, help="the workflow's file in .github/workflows/")
@click.option("--branch", default="main", show_default=True, help="the only branch that may deploy")
@click.option("--create", is_flag=True, help="create or update the provider, the roles and their policies")
@arguments.json_option
def github_roles_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    environment: str,
    repository: str,
    owner_id: int,
    repository_id: int,
    workflow: str,
    branch: str,
    create: bool,
    as_json: bool,
) -> None:
    """Print the IAM roles with which GitHub's workflow plans and deploys an environment, or create them.

    One role plans: it reads the environment, and writes only its plan and the lock of the state. The other one applies
    that plan. What they may do follows the table of environments: its switches, role_path and permissions_boundary.
    GitHub's API knows both ids: gh api repos/OWNER/NAME --jq '.owner.id, .id'
    """
    identity = client("sts").get_caller_identity()
    environments.check(environment, identity["Account"])
    scope = Scope(
        environment,
        identity["Account"],
        client("s3").meta.region_name,
        identity["Arn"].split(":")[1],
        features(environment),
        environments.setting(environment, "permissions_boundary"),
        environments.setting(environment, "role_path"),
    )
    known = github_roles.Repository(repository, owner_id, repository_id)
    made = github_roles.roles(scope, known, workflow, branch)
    if create:
        if not state_bucket.exists(state_bucket.bucket_name()):
            raise UserError(
                "there is no bucket for the state, which neither role may create; "
                f"run ./eventloom state-bucket --env {environment} first"
            )
        github_roles.create(client("iam"), scope, made)
    provider = {"arn": github_roles.provider_arn(scope), "url": f"https://{github_roles.ISSUER}"}
    facts = {
        "provider": provider | {"audiences": [github_roles.AUDIENCE]},
        "roles": [role.facts() for role in made],
        "created": create,
    }
    arns = [
        f"{role.github_environment}: AWS_ROLE_ARN = arn:{scope.partition}:iam::{scope.account}:role/{role.name}"
        for role in made
    ]
    text = "\n".join(arns) if create else json.dumps(facts, indent=2)
    terminal.report(facts, as_json, text)


def features(environment: str) -> frozenset[str]:
    """Return the switches in github_switches.FEATURES that are on in an environment."""
    switches = ("alb", "athena", "backfill", "vpc")
    switched_on = {name for name in switches if environments.setting(environment, name)}
    users = {"cognito"} if environments.setting(environment, "api_auth") == "cognito" else set()
    return frozenset(switched_on | users)
