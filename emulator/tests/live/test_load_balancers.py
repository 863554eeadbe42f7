"""Test requests through a load balancer to a function, with missing, wrong and right permissions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from support import ACCOUNT, LOGS, Cloud, package

ECHO = """
import json

def handler(event, context):
    wanted = event.get("queryStringParameters", {}).get("answer")
    if wanted == "fail":
        raise ValueError("asked to fail")
    if wanted == "malformed":
        return {"status": 200}
    many = "multiValueHeaders" in event
    headers = {"multiValueHeaders": {"X-Seen": ["1", "2"]}} if many else {"headers": {"X-Seen": "1"}}
    return {"statusCode": 201, "body": json.dumps(event), "isBase64Encoded": False, **headers}
"""


@dataclass
class Front:
    """A load balancer with one listener on port 80, whose default action answers 404."""

    cloud: Cloud
    name: str
    dns_name: str
    listener: str

    def __call__(self, path: str = "/", method: str = "GET", host: str = "", **more: Any) -> requests.Response:
        headers = {"Host": host or self.dns_name, **more.pop("headers", {})}
        address = f"http://127.0.0.1:{self.cloud.home.port}{path}"
        return requests.request(method, address, headers=headers, timeout=30, allow_redirects=False, **more)

    def group(self, function: str, name: str, *, multi_value: bool = False, source: str | None = None) -> str:
        """Create a target group with a function that the group may invoke, and return its ARN."""
        group = str(
            self.cloud.elbv2.create_target_group(Name=name, TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
        )
        attributes = [{"Key": "lambda.multi_value_headers.enabled", "Value": str(multi_value).lower()}]
        self.cloud.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
        self.allow(function, name, source or group)
        self.cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": function}])
        return group

    def allow(self, function: str, statement: str, source: str) -> None:
        permission = {
            "Action": "lambda:InvokeFunction",
            "Principal": "elasticloadbalancing.amazonaws.com",
            "StatementId": statement,
        }
        self.cloud.lambda_.add_permission(FunctionName=function, SourceArn=source, SourceAccount=ACCOUNT, **permission)

    def rule(self, priority: int, action: dict[str, Any], **condition: Any) -> None:
        self.cloud.elbv2.create_rule(
            ListenerArn=self.listener, Priority=priority, Conditions=[condition], Actions=[action]
        )


@pytest.fixture(scope="module")
def front(cloud: Cloud) -> Iterator[Front]:
    vpc = cloud.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = cloud.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    balancer = cloud.elbv2.create_load_balancer(Name="front", Subnets=[subnet], Scheme="internal")["LoadBalancers"][0]
    arn, nothing = (
        balancer["LoadBalancerArn"],
        {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nothing here"},
    )
    default = [{"Type": "fixed-response", "FixedResponseConfig": nothing}]
    listener = cloud.elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=default)[
        "Listeners"
    ][0]
    yield Front(cloud, "front", balancer["DNSName"], listener["ListenerArn"])
    cloud.elbv2.delete_load_balancer(LoadBalancerArn=arn)


@pytest.fixture(scope="module")
def echo(cloud: Cloud) -> str:
    """Create a function that answers with its event, and return its ARN."""
    return cloud.function("alb-echo", role=cloud.role("alb-echo", *LOGS), Code={"ZipFile": package(ECHO)})


@pytest.fixture(scope="module")
def single(front: Front, echo: str) -> str:
    """Create a target group without multi-value headers, with a rule for /single, and return its ARN."""
    group = front.group(echo, "single")
    front.rule(10, {"Type": "forward", "TargetGroupArn": group}, Field="path-pattern", Values=["/single*"])
    return group


def test_a_request_that_matches_no_rule_gets_the_default_action(front: Front):
    answer = front("/nowhere", headers={"Origin": "https://example.com"})
    assert (answer.status_code, answer.text) == (404, "nothing here")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_target_group_sends_single_values(front: Front, single: str):
    answer = front("/single/a%2Fb?x=1&x=2%203", headers={"Accept": "text/plain", "X-Forwarded-For": "1.2.3.4"})
    seen = answer.json()
    assert (answer.status_code, answer.headers["X-Seen"]) == (201, "1")
    assert seen["requestContext"] == {"elb": {"targetGroupArn": single}}
    assert (seen["path"], seen["queryStringParameters"]) == ("/single/a%2Fb", {"x": "2%203"})
    assert seen["headers"]["accept"] == "text/plain"
    assert seen["headers"]["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert (seen["headers"]["x-forwarded-proto"], seen["headers"]["x-forwarded-port"]) == ("http", "80")


def test_a_target_group_sends_multiple_values(front: Front, echo: str):
    group = front.group(echo, "multiple", multi_value=True)
    front.rule(20, {"Type": "forward", "TargetGroupArn": group}, Field="path-pattern", Values=["/multiple"])
    answer = front(
        "/multiple?x=1&x=2", "POST", data=b"\x00\x01", headers={"Content-Type": "image/png", "Content-Encoding": "gzip"}
    )
    seen = answer.json()
    assert answer.headers["X-Seen"] == "1, 2"
    assert seen["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert seen["multiValueHeaders"]["content-type"] == ["image/png"]
    assert (seen["body"], seen["isBase64Encoded"]) == ("AAE=", True)


@pytest.mark.parametrize("wanted", ["fail", "malformed"])
def test_an_error_or_a_malformed_response_is_a_bad_gateway(front: Front, single: str, wanted: str):
    answer = front(f"/single?answer={wanted}")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html"
    assert "ValueError" not in answer.text


def test_large_bodies_and_upgrades_are_refused(front: Front, single: str):
    assert front("/single", "POST", data=b"x" * (1024 * 1024 + 1)).status_code == 413
    assert front("/single", headers={"Upgrade": "h2c"}).status_code == 400


def test_a_response_to_head_has_no_body(front: Front, single: str):
    answer = front("/single", "HEAD")
    assert (answer.status_code, answer.content) == (201, b"")


def test_rules_match_hosts_and_redirect(front: Front):
    shop = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "the shop"}
    front.rule(
        30, {"Type": "fixed-response", "FixedResponseConfig": shop}, Field="host-header", Values=["shop.example.com"]
    )
    away = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}
    front.rule(40, {"Type": "redirect", "RedirectConfig": away}, Field="path-pattern", Values=["/secure/*"])
    assert front("/", host="shop.example.com").text == "the shop"
    moved = front("/secure/a?b=c")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"https://{front.dns_name}:443/secure/a?b=c")


def test_a_group_without_a_target_is_unavailable(front: Front):
    group = front.cloud.elbv2.create_target_group(Name="empty", TargetType="lambda")["TargetGroups"][0][
        "TargetGroupArn"
    ]
    front.rule(50, {"Type": "forward", "TargetGroupArn": group}, Field="path-pattern", Values=["/empty"])
    assert front("/empty").status_code == 503


@pytest.mark.parametrize("permission", ["missing", "wrong"])
def test_a_target_that_may_not_be_invoked_is_refused(front: Front, permission: str):
    name = f"alb-{permission}"
    function = front.cloud.function(name, role=front.cloud.role(name, *LOGS), Code={"ZipFile": package(ECHO)})
    group = front.cloud.elbv2.create_target_group(Name=name, TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
    if permission == "wrong":
        front.allow(function, "another", group.replace(name, "another"))
    with pytest.raises(ClientError, match=r"AccessDenied.*principal does not have permission to invoke"):
        front.cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": function}])


def test_a_removed_permission_is_a_bad_gateway(front: Front, echo: str):
    group = front.group(echo, "taken")
    front.rule(60, {"Type": "forward", "TargetGroupArn": group}, Field="path-pattern", Values=["/taken"])
    assert front("/taken").status_code == 201
    front.cloud.lambda_.remove_permission(FunctionName=echo, StatementId="taken")
    assert front("/taken").status_code == 502
    assert front.cloud.denied(
        "lambda:InvokeFunction", "alb-echo", who=f"elasticloadbalancing.amazonaws.com for {group}"
    )


def test_the_audit_names_the_permission(front: Front, single: str):
    assert front("/single").status_code == 201
    decisions = [json.loads(line) for line in (front.cloud.home.path / "audit.jsonl").read_text().splitlines()]
    (statement,) = {
        tuple(entry["matched"]) for entry in decisions if single in entry["who"] and entry["decision"] == "allow"
    }
    assert statement == ("permissions (aws_lambda_permission) of alb-echo#single",)
