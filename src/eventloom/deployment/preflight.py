"""Check an account, before a plan, for problems that would make the deployment fail or its functions slow.

New accounts have lower limits than the documented quotas: a concurrency of 10 instead of 1,000, and 3,008 MB of memory
for a function.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from eventloom import terminal
from eventloom.clouds import client
from eventloom.deployment import environments
from eventloom.errors import UserError

# Concurrent executions that the API, the notifier and the recoverer need in addition to the thumbnailer's.
BESIDE = 3
USUAL_CONCURRENCY = 1000
NEW_ACCOUNT_MEMORY_MB = 3008
# About how many roles an environment creates: one for each function, and some for the backfill, the API's logs and a
# probe.
ROLES = 12
# The quota "VPCs per Region": https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
VPC_QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
# boto3's names of the services that every environment needs, and of those that a setting adds
SERVICES = ("apigateway", "dynamodb", "events", "kinesis", "lambda", "logs", "s3", "sns", "sqs")
OPTIONAL: dict[str, tuple[str, ...]] = {
    "alb": ("elbv2",),
    "athena": ("athena", "glue"),
    "backfill": ("stepfunctions",),
    "mail_from": ("ses",),
    "tracing": ("xray",),
}


@dataclass(frozen=True)
class Finding:
    """A problem and its solution in one sentence. An error would make the deployment fail; a warning would not."""

    level: Literal["error", "warning"]
    text: str


@dataclass(frozen=True)
class Target:
    """The environment to check: `setting` returns a setting by name, `client` the boto3 client of a service."""

    environment: str
    setting: Callable[[str], Any]
    client: Callable[[str], Any]
    region: str


def target(environment: str) -> Target:
    """Return the target for an environment in the chosen cloud."""
    return Target(
        environment,
        lambda name: environments.setting(environment, name),
        client,
        client("lambda").meta.region_name,
    )


def findings(about: Target) -> list[Finding]:
    """Return the problems of the account, errors first. A check that AWS refuses becomes a warning."""
    checks = (concurrency, memory, mail, linked_roles, regions, streams, roles, networks)
    results: list[Finding] = []
    for check in checks:
        try:
            results += check(about)
        except (ClientError, BotoCoreError) as error:
            name = check.__name__.replace("_", " ")
            results.append(Finding("warning", f"could not check {name}: {error}; see docs/how-to/deploy-from-zero.md"))
    return sorted(results, key=lambda finding: finding.level)


def concurrency(about: Target) -> Iterator[Finding]:
    """Compare the thumbnailer's limits with the account's concurrency, and the used code storage with its quota."""
    settings = about.client("lambda").get_account_settings()
    limit, usage = settings["AccountLimit"], settings["AccountUsage"]
    free = limit["UnreservedConcurrentExecutions"]
    maximum, ceiling = about.setting("thumbnailer_maximum_concurrency"), about.setting("thumbnailer_ceiling")
    advice = (
        f"lower it in terraform/{environments.TABLE}, or ask for a higher quota of concurrent executions (L-B99A9384) "
        f"in Service Quotas"
    )
    for name, value in (("thumbnailer_maximum_concurrency", maximum), ("thumbnailer_ceiling", ceiling)):
        if value > free:
            yield Finding(
                "error", f"{name} is {value}, and the functions of this account and region share {free}; {advice}"
            )
        elif value > free - BESIDE:
            yield Finding(
                "warning",
                f"{name} is {value} of the {free} executions that the functions of this account and region share, so "
                f"that a burst of uploads leaves too few for the API and the other functions; {advice}",
            )
    if usage["TotalCodeSize"] > 0.9 * limit["TotalCodeSize"]:
        yield Finding("warning", "over 90 % of Lambda's code storage is used; delete old versions of functions")


def memory(about: Target) -> Iterator[Finding]:
    """Warn if the thumbnailer needs more memory than a new account may allow.

    No API returns that limit. So an account with a low concurrency quota counts as new.
    """
    size = about.setting("thumbnailer_memory_mb")
    if size <= NEW_ACCOUNT_MEMORY_MB:
        return
    limit = about.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit < USUAL_CONCURRENCY:
        yield Finding(
            "warning",
            f"thumbnailer_memory_mb is {size}, and new accounts have functions of up to {NEW_ACCOUNT_MEMORY_MB} MB; "
            f"lower it, or ask AWS Support for more",
        )


def mail(about: Target) -> Iterator[Finding]:
    """Check that SES sends the environment's emails to its recipients."""
    if not about.setting("mail_from"):
        return
    ses = about.client("sesv2")
    account = ses.get_account()
    if not account.get("SendingEnabled", True):
        yield Finding("error", "SES has paused sending in this account and region; see its account dashboard")
    if account.get("ProductionAccessEnabled"):
        return
    if unverified := [address for address in about.setting("mail_to") if not _is_verified(ses, address)]:
        yield Finding(
            "warning",
            f"SES is in its sandbox and sends nothing to {', '.join(unverified)}; verify these addresses, or ask for "
            f"production access",
        )


def _is_verified(ses: Any, address: str) -> bool:
    for identity in (address, address.partition("@")[2]):
        try:
            if ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"):
                return True
        except ses.exceptions.NotFoundException:
            continue
    return False


def linked_roles(about: Target) -> Iterator[Finding]:
    """Warn about missing service-linked roles. AWS creates them during the deployment if the credentials allow it."""
    needed = {"ops.apigateway.amazonaws.com": "AWSServiceRoleForAPIGateway"}
    if about.setting("alb"):
        needed["elasticloadbalancing.amazonaws.com"] = "AWSServiceRoleForElasticLoadBalancing"
    iam = about.client("iam")
    for service, role in needed.items():
        try:
            iam.get_role(RoleName=role)
        except iam.exceptions.NoSuchEntityException:
            yield Finding(
                "warning",
                f"the account has no {role} yet; AWS creates it if these credentials may, otherwise run aws iam "
                f"create-service-linked-role --aws-service-name {service}",
            )


def regions(about: Target) -> Iterator[Finding]:
    """Check that boto3's list of regions has this region for every service that the environment uses."""
    session = boto3.Session()
    partition = session.get_partition_for_region(about.region)
    services = [*SERVICES, *(name for setting, names in OPTIONAL.items() if about.setting(setting) for name in names)]
    if about.setting("api_auth") == "cognito":
        services.append("cognito-idp")
    missing = [name for name in services if about.region not in session.get_available_regions(name, partition)]
    if missing:
        yield Finding(
            "error",
            f"{about.region} has no {', '.join(missing)}; choose another region with AWS_REGION, or switch off what "
            f"needs it in terraform/{environments.TABLE}",
        )


def streams(about: Target) -> Iterator[Finding]:
    """Check that the Kinesis quotas allow the stream of views, unless the stream exists."""
    kinesis = about.client("kinesis")
    try:
        kinesis.describe_stream_summary(StreamName=f"eventloom-{about.environment}-activity")
    except kinesis.exceptions.ResourceNotFoundException:
        limits = kinesis.describe_limits()
    else:
        return
    shards = about.setting("activity_shards")
    if shards and limits["OpenShardCount"] + shards > limits["ShardLimit"]:
        yield Finding(
            "error",
            f"Kinesis has {limits['OpenShardCount']} of {limits['ShardLimit']} shards, and activity_shards adds "
            f"{shards}; ask for more shards in Service Quotas",
        )
    elif not shards and limits.get("OnDemandStreamCount", 0) >= limits.get("OnDemandStreamCountLimit", 1):
        yield Finding("error", "Kinesis has no on-demand stream left; ask for more in Service Quotas")


def roles(about: Target) -> Iterator[Finding]:
    """Check that the IAM quota allows the functions' roles, unless the roles exist."""
    iam = about.client("iam")
    try:
        iam.get_role(RoleName=f"eventloom-{about.environment}-thumbnailer")
    except iam.exceptions.NoSuchEntityException:
        summary = iam.get_account_summary()["SummaryMap"]
        if summary["Roles"] + ROLES > summary["RolesQuota"]:
            yield Finding(
                "error",
                f"the account has {summary['Roles']} of {summary['RolesQuota']} roles, and the environment adds about "
                f"{ROLES}; delete some, or ask for more in Service Quotas",
            )


def networks(about: Target) -> Iterator[Finding]:
    """Check that the VPC quota allows another VPC, if the environment needs one and has none yet."""
    if not (about.setting("vpc") or about.setting("alb")):
        return
    vpcs = [vpc for page in about.client("ec2").get_paginator("describe_vpcs").paginate() for vpc in page["Vpcs"]]
    if any({"Key": "Environment", "Value": about.environment} in vpc.get("Tags", []) for vpc in vpcs):
        return
    quota = about.client("service-quotas").get_service_quota(**VPC_QUOTA)["Quota"]["Value"]
    if len(vpcs) >= quota:
        yield Finding(
            "error",
            f"{about.region} has {len(vpcs)} of {quota:.0f} VPCs, and the environment needs one; delete one, or ask "
            f"for more (L-F678F1CE) in Service Quotas",
        )


def require(about: Target) -> None:
    """Print all findings. Raises UserError if one of them is an error. Creates nothing."""
    results = findings(about)
    for finding in results:
        terminal.note(f"{finding.level}: {finding.text}")
    if errors := sum(finding.level == "error" for finding in results):
        count = f"{errors} {'errors' if errors > 1 else 'error'}"
        raise UserError(
            f"the account lacks what '{about.environment}' needs ({count} above); "
            f"./eventloom preflight --env {about.environment} checks it again"
        )
