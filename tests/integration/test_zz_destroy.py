"""Last by its name: what was deployed goes away without a trace."""

import pytest

from eventloom import clouds
from eventloom.clouds import BUILD, ROOT, client
from eventloom.deployment.outputs import outputs_file
from scripts import capabilities
from tests.integration.checkouts import make
from tests.integration.support import ENVIRONMENT, Deployment, eventually


def left(prefix: str) -> list[str]:
    """Names of everything whose name starts with an environment's prefix."""
    lists = {
        "bucket": [found["Name"] for found in client("s3").list_buckets()["Buckets"]],
        "queue": [url.rsplit("/", 1)[1] for url in client("sqs").list_queues().get("QueueUrls", [])],
        "table": client("dynamodb").list_tables()["TableNames"],
        "function": [found["FunctionName"] for found in client("lambda").list_functions()["Functions"]],
        "mapping": [found["FunctionArn"].split(":")[6] for found in client("lambda").list_event_source_mappings()["EventSourceMappings"]],
        "role": [found["RoleName"] for found in client("iam").list_roles()["Roles"]],
        "topic": [found["TopicArn"].rsplit(":", 1)[1] for found in client("sns").list_topics()["Topics"]],
        "rule": [found["Name"] for found in client("events").list_rules()["Rules"]],
        "alarm": [found["AlarmName"] for found in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "log group": [found["logGroupName"].rsplit("/", 1)[1] for found in client("logs").describe_log_groups()["logGroups"]],
        "API": [found["name"] for found in client("apigateway").get_rest_apis()["items"]],
        "stream": client("kinesis").list_streams()["StreamNames"],
    }
    if capabilities.has_load_balancers(clouds.chosen_cloud(), {}):
        lists["load balancer"] = [found["LoadBalancerName"] for found in client("elbv2").describe_load_balancers()["LoadBalancers"]]
    return [f"{kind} {name}" for kind, names in lists.items() for name in names if name.startswith(f"{prefix}-")]


@pytest.mark.needs("disposable")
def test_destroy_leaves_nothing(deployment: Deployment, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--keep") or request.config.getoption("--deployed"):
        pytest.skip("--keep leaves the deployment")
    assert left(deployment["prefix"]), "what is destroyed was there"
    (BUILD / "digest.zip").unlink()  # as in a fresh clone, which has packaged nothing
    make(ROOT, "destroy", f"ENV={ENVIRONMENT}")
    assert not outputs_file(ENVIRONMENT).exists()
    eventually(lambda: not left(deployment["prefix"]), f"nothing left; there is {left(deployment['prefix'])}")
