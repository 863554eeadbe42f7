"""Create one resource of each of LocalStack's services, and record the server's connections."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any

from embedded_localstack import processes
from embedded_localstack.iam import peers
from embedded_localstack.state import Home
from support import ACCOUNT, REGION, Cloud

OWN = {"0.0.0.0", "::", "127.0.0.1", "::1", "::ffff:127.0.0.1"}
NAME = "each-service"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
_QUERY = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "a", "Values": ["b"]}]}

_CHANGING = {"RevisionId", "Status", "KeyUsages", "ExtendedKeyUsages"}

Call = tuple[str, dict[str, Any]]
_GROUP = {"ParameterGroupName": NAME, "ParameterGroupFamily": "redshift-1.0", "Description": "d"}
EVERY: dict[str, tuple[Call | None, Call, str]] = {
    "acm": (
        ("request_certificate", {"DomainName": "a.example.com"}),
        ("list_certificates", {}),
        "CertificateSummaryList",
    ),
    "apigateway": (("create_rest_api", {"name": NAME}), ("get_rest_apis", {}), "items"),
    "apigatewayv2": (("create_api", {"Name": NAME, "ProtocolType": "HTTP"}), ("get_apis", {}), "Items"),
    "cloudformation": (
        (
            "create_stack",
            {"StackName": NAME, "TemplateBody": json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})},
        ),
        ("describe_stacks", {}),
        "Stacks",
    ),
    "cloudwatch": (
        ("put_dashboard", {"DashboardName": NAME, "DashboardBody": '{"widgets": []}'}),
        ("get_dashboard", {"DashboardName": NAME}),
        "DashboardBody",
    ),
    "cognito-idp": (("create_user_pool", {"PoolName": NAME}), ("list_user_pools", {"MaxResults": 9}), "UserPools"),
    "config": (
        ("put_configuration_recorder", {"ConfigurationRecorder": {"name": "default", "roleARN": ROLE}}),
        ("describe_configuration_recorders", {}),
        "ConfigurationRecorders",
    ),
    "dynamodb": (None, ("list_tables", {}), "TableNames"),
    "dynamodbstreams": (None, ("list_streams", {}), "Streams"),
    "ec2": (
        ("create_security_group", {"GroupName": NAME, "Description": "d"}),
        ("describe_security_groups", {"GroupNames": [NAME]}),
        "SecurityGroups",
    ),
    "ecr": (
        ("create_repository", {"repositoryName": NAME}),
        ("describe_repositories", {"repositoryNames": [NAME]}),
        "repositories",
    ),
    "elbv2": (
        ("create_target_group", {"Name": NAME, "TargetType": "lambda"}),
        ("describe_target_groups", {"Names": [NAME]}),
        "TargetGroups",
    ),
    "es": (None, ("list_domain_names", {}), "DomainNames"),
    "events": (("create_event_bus", {"Name": NAME}), ("list_event_buses", {}), "EventBuses"),
    "firehose": (
        (
            "create_delivery_stream",
            {
                "DeliveryStreamName": NAME,
                "S3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{NAME}"},
            },
        ),
        ("list_delivery_streams", {}),
        "DeliveryStreamNames",
    ),
    "iam": (("create_user", {"UserName": NAME}), ("list_users", {}), "Users"),
    "kinesis": (None, ("list_streams", {}), "StreamNames"),
    "kms": (("create_key", {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}), ("list_keys", {}), "Keys"),
    "lambda": (None, ("list_functions", {}), "Functions"),
    "logs": (
        ("create_log_group", {"logGroupName": NAME}),
        ("describe_log_groups", {"logGroupNamePrefix": NAME}),
        "logGroups",
    ),
    "opensearch": (None, ("list_domain_names", {}), "DomainNames"),
    "organizations": (("create_organization", {}), ("describe_organization", {}), "Organization"),
    "redshift": (
        (
            "create_cluster_parameter_group",
            {"ParameterGroupName": NAME, "ParameterGroupFamily": "redshift-1.0", "Description": "d"},
        ),
        ("describe_cluster_parameter_groups", {}),
        "ParameterGroups",
    ),
    "resource-groups": (
        ("create_group", {"Name": NAME, "ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": json.dumps(_QUERY)}}),
        ("list_groups", {}),
        "GroupIdentifiers",
    ),
    "resourcegroupstaggingapi": (None, ("get_tag_keys", {}), "TagKeys"),
    "route53": (
        ("create_hosted_zone", {"Name": "a.example.com", "CallerReference": NAME}),
        ("list_hosted_zones", {}),
        "HostedZones",
    ),
    "route53resolver": (None, ("list_resolver_endpoints", {}), "ResolverEndpoints"),
    "s3": (("create_bucket", {"Bucket": NAME}), ("list_buckets", {}), "Buckets"),
    "s3control": (
        (
            "put_public_access_block",
            {"AccountId": ACCOUNT, "PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
        ),
        ("get_public_access_block", {"AccountId": ACCOUNT}),
        "PublicAccessBlockConfiguration",
    ),
    "scheduler": (
        (
            "create_schedule",
            {
                "Name": NAME,
                "ScheduleExpression": "rate(1 hour)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f", "RoleArn": ROLE},
            },
        ),
        ("list_schedules", {}),
        "Schedules",
    ),
    "secretsmanager": (("create_secret", {"Name": NAME, "SecretString": "x"}), ("list_secrets", {}), "SecretList"),
    "ses": (("verify_email_identity", {"EmailAddress": "a@example.com"}), ("list_identities", {}), "Identities"),
    "sesv2": (
        ("put_suppressed_destination", {"EmailAddress": "a@example.com", "Reason": "BOUNCE"}),
        ("list_suppressed_destinations", {}),
        "SuppressedDestinationSummaries",
    ),
    "sns": (("create_topic", {"Name": NAME}), ("list_topics", {}), "Topics"),
    "sqs": (("create_queue", {"QueueName": NAME}), ("list_queues", {"QueueNamePrefix": NAME}), "QueueUrls"),
    "ssm": (
        ("put_parameter", {"Name": f"/{NAME}", "Value": "1", "Type": "String"}),
        ("describe_parameters", {}),
        "Parameters",
    ),
    "stepfunctions": (
        (
            "create_activity",
            {"name": NAME},
        ),
        ("list_activities", {}),
        "activities",
    ),
    "sts": (None, ("get_caller_identity", {}), "Arn"),
    "support": (None, ("describe_trusted_advisor_checks", {"language": "en"}), "checks"),
    "swf": (
        ("register_domain", {"name": NAME, "workflowExecutionRetentionPeriodInDays": "1"}),
        ("list_domains", {"registrationStatus": "REGISTERED"}),
        "domainInfos",
    ),
    "transcribe": (None, ("list_transcription_jobs", {}), "TranscriptionJobSummaries"),
}
"""For each service the call that makes a resource, the call that shows it, and the member of its answer.

A service without the first call keeps no state here, or another test makes a resource of it.
"""


@cache
def client_of(cloud: Cloud, service: str) -> Any:
    """Return the client of a service. For S3 Control, keep the SDK from putting the account in front of the host name.

    The client is made once per cloud, because botocore reads the service's whole model for it.
    """
    client = cloud.client(service)

    def stay_on_loopback(request: Any, **_: Any) -> None:
        request.url = request.url.replace(f"//{ACCOUNT}.", "//")

    client.meta.events.register("before-send.s3-control", stay_on_loopback)
    return client


def make(cloud: Cloud) -> None:
    """Create one resource of each service."""
    for service, (call, _, _) in EVERY.items():
        if call:
            operation, parameters = call
            getattr(client_of(cloud, service), operation)(**parameters)


def answer(cloud: Cloud, service: str) -> Any:
    """Return a service's description of its resources, without values that change by themselves.

    These are times, revisions, and the state of a certificate, which moto issues a minute after the request.
    """
    _, (operation, parameters), member = EVERY[service]
    shown = getattr(client_of(cloud, service), operation)(**parameters).get(member)
    return [_lasting(item) for item in shown] if isinstance(shown, list) else shown


def _lasting(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in item.items() if name not in _CHANGING and not isinstance(value, datetime)}


def _remote() -> list[tuple[str, str]]:
    """Return the inode and the remote address of each socket that is connected to another machine."""
    connected = []
    for version in (AF_INET, AF_INET6):
        for name in ("tcp", "udp"):
            rows = Path(f"/proc/net/{name}{'6' if version == AF_INET6 else ''}").read_text().splitlines()[1:]
            fields = [row.split() for row in rows]
            connected += [(row[9], _address(row[2], version)) for row in fields]
    return [(inode, address) for inode, address in connected if address not in OWN]


def _address(end: str, version: int) -> str:
    """Return the address of one end of a connection. The kernel writes addresses as 32-bit numbers."""
    words = bytes.fromhex(end.partition(":")[0])
    return inet_ntop(version, b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4)))


@contextmanager
def connections(home: Home) -> Iterator[set[str]]:
    """Watch the server and its functions, and collect the addresses of other machines that they connect to."""
    run, over, addresses = home.load(), threading.Event(), set[str]()
    assert run

    def watch() -> None:
        while not over.wait(0.1):
            if remote := _remote():
                family = [run.pid, *processes.descendants(run.pid)]
                owned = set[str]().union(*map(peers.descriptors, family))
                addresses.update(address for inode, address in remote if f"socket:[{inode}]" in owned)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield addresses
    finally:
        over.set()
        thread.join()
