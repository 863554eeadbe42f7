"""Destroying the deployment leaves nothing behind. The module's name makes pytest run it last."""

import pytest

from eventloom import clouds
from eventloom.clouds import BUILD, ROOT, client
from eventloom.deployment.outputs import outputs_file
from scripts import capabilities
from tests.integration.checkouts import make
from tests.integration.support import ENVIRONMENT, Deployment, eventually


def list_resources(prefix: str) -> list[str]:
    """Return the names of all resources whose name starts with an environment's prefix."""
    lists = {
        "bucket": [entry["Name"] for entry in client("s3").list_buckets()["Buckets"]],
        "queue": [url.rsplit("/", 1)[1] for url in client("sqs").list_queues().get("QueueUrls", [])],
        "table": client("dynamodb").list_tables()["TableNames"],
        "function": [entry["FunctionName"] for entry in client("lambda").list_functions()["Functions"]],
        "mapping": [
            entry["FunctionArn"].split(":")[6]
            for entry in client("lambda").list_event_source_mappings()["EventSourceMappings"]
        ],
        "role": [entry["RoleName"] for entry in client("iam").list_roles()["Roles"]],
        "topic": [entry["TopicArn"].rsplit(":", 1)[1] for entry in client("sns").list_topics()["Topics"]],
        "rule": [entry["Name"] for entry in client("events").list_rules()["Rules"]],
        "alarm": [entry["AlarmName"] for entry in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "log group": [
            entry["logGroupName"].rsplit("/", 1)[1] for entry in client("logs").describe_log_groups()["logGroups"]
        ],
        "API": [entry["name"] for entry in client("apigateway").get_rest_apis()["items"]],
        "stream": client("kinesis").list_streams()["StreamNames"],
    }
    if capabilities.has_load_balancers(clouds.chosen_cloud(), {}):
        lists["load balancer"] = [
            entry["LoadBalancerName"] for entry in client("elbv2").describe_load_balancers()["LoadBalancers"]
        ]
    return [f"{kind} {name}" for kind, names in lists.items() for name in names if name.startswith(f"{prefix}-")]


@pytest.mark.needs("disposable")
def test_destroy_leaves_nothing(deployment: Deployment, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--keep") or request.config.getoption("--deployed"):
        pytest.skip("--keep keeps the deployment")
    assert list_resources(deployment["prefix"]), "the deployment exists before it is destroyed"
    (BUILD / "digest.zip").unlink()  # a fresh clone has no packages either
    make(ROOT, "destroy", f"ENV={ENVIRONMENT}")
    assert not outputs_file(ENVIRONMENT).exists()
    eventually(
        lambda: not list_resources(deployment["prefix"]),
        f"no resource is left of {list_resources(deployment['prefix'])}",
    )
