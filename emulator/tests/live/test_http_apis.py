"""Test HTTP APIs: their routes, stages and deployments, and who may call them."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from http_api import ECHO, Api
from support import ACCOUNT, LOGS, REGION, Cloud, package


@pytest.fixture(scope="module")
def echo(cloud: Cloud) -> str:
    """Create a function that answers with its event, and return its ARN."""
    return cloud.function("http-echo", role=cloud.role("http-echo", *LOGS), Code={"ZipFile": package(ECHO)})


@pytest.fixture(scope="module")
def create_api(cloud: Cloud) -> Iterator[Callable[..., Api]]:
    made: list[str] = []

    def create(**settings: Any) -> Api:
        answer = cloud.apigatewayv2.create_api(**{"Name": "api", "ProtocolType": "HTTP", **settings})
        made.append(answer["ApiId"])
        return Api(cloud, answer["ApiId"])

    yield create
    for api_id in made:
        cloud.apigatewayv2.delete_api(ApiId=api_id)


@pytest.fixture(scope="module")
def api(create_api: Callable[..., Api], echo: str) -> Api:
    """Create an API with one route of each kind and the stages `$default` and `prod`."""
    api = create_api()
    target = api.integration(echo)
    for key in ("GET /pets/{id}", "ANY /files/{proxy+}", "$default"):
        api.route(key, target)
    api.route("POST /first", api.integration(echo, "1.0"))
    api.stage()
    api.stage("prod", StageVariables={"color": "red"}, Tags={"a": "b"})
    api.allow(echo)
    return api


def test_a_function_receives_the_event_of_format_2(api: Api):
    answer = api("/pets/a%20b?x=1&x=2", headers={"Cookie": "s=1; t=2", "X-Word": "w"})
    event = answer.json()
    assert (answer.status_code, event["version"], event["routeKey"]) == (200, "2.0", "GET /pets/{id}")
    assert (event["rawPath"], event["rawQueryString"]) == ("/pets/a b", "x=1&x=2")
    assert (event["pathParameters"], event["queryStringParameters"]) == ({"id": "a b"}, {"x": "1,2"})
    assert (event["cookies"], event["headers"]["x-word"], "cookie" in event["headers"]) == (["s=1", "t=2"], "w", False)
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["domainName"] == f"{api.id}.execute-api.{REGION}.amazonaws.com"
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-")
    assert "access-control-allow-origin" not in answer.headers


def test_a_function_receives_the_event_of_format_1(api: Api):
    event = api("/prod/first?x=1&x=2", "POST", json={"a": 1}).json()
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/first", "/prod/first")
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (json.loads(event["body"]), event["stageVariables"]) == ({"a": 1}, {"color": "red"})


def test_an_api_has_a_name_and_a_path_that_lead_to_it(api: Api, cloud: Cloud):
    described = cloud.apigatewayv2.get_api(ApiId=api.id)
    host = described["ApiEndpoint"].removeprefix("http://")
    assert host == f"{api.id}.execute-api.localhost.localstack.cloud:{cloud.home.port}"
    assert api("/pets/1", host=host).json()["rawPath"] == "/pets/1"
    local = f"127.0.0.1:{cloud.home.port}"
    for path, stage in (("/prod/pets/1", "prod"), ("/pets/1", "$default"), ("/$default/pets/1", "$default")):
        event = api(f"/_aws/execute-api/{api.id}{path}", host=local).json()
        assert (event["requestContext"]["stage"], event["pathParameters"]) == (stage, {"id": "1"})


def test_functions_shape_the_answer(api: Api):
    plain, cookies = api("/?answer=plain"), api("/?answer=cookies")
    assert (plain.status_code, plain.headers["Content-Type"], plain.text) == (200, "application/json", '{"a":1}')
    assert (cookies.status_code, cookies.text, cookies.headers["X-Seen"]) == (201, "made", "1")
    assert cookies.headers["Set-Cookie"] == "a=1, b=2"


@pytest.mark.parametrize("wanted", ["fail", "malformed"])
def test_an_error_or_a_malformed_answer_is_an_internal_server_error(api: Api, wanted: str):
    answer = api(f"/?answer={wanted}")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_needs_a_permission_for_the_route(create_api: Callable[..., Api], echo: str, cloud: Cloud):
    api = create_api()
    target = api.integration(echo)
    api.route("GET /mine", target)
    api.route("$default", target)
    api.stage()
    api.allow(echo, "*/GET/mine")
    assert api("/mine").status_code == 200
    refused = api("/other")
    assert (refused.status_code, refused.json()) == (500, {"message": "Internal Server Error"})
    who = f"apigateway.amazonaws.com for arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/$default/$default"
    assert cloud.denied("lambda:InvokeFunction", "http-echo", who=who)


def test_a_function_that_answers_late_is_unavailable(create_api: Callable[..., Api], echo: str):
    api = create_api()
    api.route("$default", api.integration(echo, TimeoutInMillis=500))
    api.stage()
    api.allow(echo)
    assert api("/").status_code == 200
    answer = api("/?answer=late")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_parts_that_are_made_at_the_same_time_are_all_served(create_api: Callable[..., Api], echo: str):
    api = create_api()
    target = api.integration(echo)
    api.stage()
    api.allow(echo)
    keys = [f"GET /{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: api.route(key, target), keys))
    assert [api(f"/{number}").status_code for number in range(8)] == [200] * 8


def test_a_stage_has_metrics_and_an_access_log(create_api: Callable[..., Api], echo: str, cloud: Cloud):
    api = create_api()
    api.route("GET /a", api.integration(echo))
    cloud.logs.create_log_group(logGroupName="/http-apis/access")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/http-apis/access"
    api.stage(AccessLogSettings={"DestinationArn": group, "Format": "$context.routeKey $context.status"})
    assert api("/a").status_code == 500, "it has no permission yet"
    api.allow(echo)
    assert [api("/a").status_code, api("/b").status_code] == [200, 404]
    events = cloud.logs.filter_log_events(logGroupName="/http-apis/access")["events"]
    assert [event["message"] for event in events] == ["GET /a 500", "GET /a 200", "- 404"]
    now, sums = datetime.now(UTC), {}
    for name in ("Count", "4xx", "5xx"):
        points = cloud.cloudwatch.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=name,
            Dimensions=[{"Name": "ApiId", "Value": api.id}, {"Name": "Stage", "Value": "$default"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        sums[name] = sum(point["Sum"] for point in points)
    assert sums == {"Count": 3, "4xx": 1, "5xx": 1}


def test_a_stage_serves_its_deployment(create_api: Callable[..., Api], echo: str, cloud: Cloud):
    api = create_api()
    api.stage("v1", AutoDeploy=False)
    assert api("/v1/a").json() == {"message": "Not Found"}
    with pytest.raises(ClientError, match="At least one route is required"):
        cloud.apigatewayv2.create_deployment(ApiId=api.id)
    api.route("GET /a", api.integration(echo))
    api.allow(echo)
    first = cloud.apigatewayv2.create_deployment(ApiId=api.id, StageName="v1")["DeploymentId"]
    api.route("GET /b", api.integration(echo))
    assert (api("/v1/a").status_code, api("/v1/b").status_code) == (200, 404)
    second = cloud.apigatewayv2.create_deployment(ApiId=api.id)["DeploymentId"]
    changed = cloud.apigatewayv2.update_stage(ApiId=api.id, StageName="v1", DeploymentId=second)
    assert (changed["DeploymentId"], api("/v1/b").status_code) == (second, 200)
    settings = {"GET /a": {"ThrottlingBurstLimit": 1}, "GET /z": {"ThrottlingBurstLimit": 1}}
    with pytest.raises(ClientError, match="Unable to find Route by key GET /z"):
        cloud.apigatewayv2.update_stage(ApiId=api.id, StageName="v1", RouteSettings=settings)
    with pytest.raises(ClientError, match="Active stages"):
        cloud.apigatewayv2.delete_deployment(ApiId=api.id, DeploymentId=second)
    cloud.apigatewayv2.delete_deployment(ApiId=api.id, DeploymentId=first)
    assert [one["DeploymentId"] for one in cloud.apigatewayv2.get_deployments(ApiId=api.id)["Items"]] == [second]


def test_what_cannot_be_served_is_refused_by_name(create_api: Callable[..., Api], cloud: Cloud):
    api = create_api()
    with pytest.raises(ClientError, match="no WebSocket APIs"):
        create_api(ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    with pytest.raises(ClientError, match="SQS-SendMessage"):
        cloud.apigatewayv2.create_integration(
            ApiId=api.id,
            IntegrationType="AWS_PROXY",
            IntegrationSubtype="SQS-SendMessage",
            PayloadFormatVersion="1.0",
            RequestParameters={"QueueUrl": "u", "MessageBody": "$request.body"},
        )
    with pytest.raises(ClientError, match="without CreateVpcLink"):
        cloud.apigatewayv2.create_vpc_link(Name="link", SubnetIds=["subnet-1"])


class Backend(BaseHTTPRequestHandler):
    """An HTTP server that answers with the request it received."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen = {"path": self.path, "headers": dict(self.headers), "body": body.decode()}
        self.send_response(418)
        self.send_header("X-Seen", "1")
        self.end_headers()
        self.wfile.write(json.dumps(seen).encode())

    def log_message(self, format: str, *_: Any) -> None:
        del format


def test_requests_are_sent_on_to_an_http_address(create_api: Callable[..., Api], cloud: Cloud):
    api = create_api()
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}/base/{{proxy}}"
        made = cloud.apigatewayv2.create_integration(
            ApiId=api.id, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=uri
        )
        api.route("PUT /in/{proxy+}", f"integrations/{made['IntegrationId']}")
        api.stage()
        answer = api("/in/a/b?x=1", "PUT", data="text", headers={"X-Word": "w"})
        server.shutdown()
    assert (answer.status_code, answer.headers["X-Seen"]) == (418, "1")
    seen = answer.json()
    assert (seen["path"], seen["body"], seen["headers"]["x-word"]) == ("/base/a/b?x=1", "text", "w")
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"
    gone = api("/in/a", "PUT", data="text")
    assert (gone.status_code, gone.json()) == (503, {"message": "Service Unavailable"})


def test_a_role_may_change_what_its_policy_names(create_api: Callable[..., Api], cloud: Cloud, name: str):
    api = create_api()
    path = f"arn:aws:apigateway:{REGION}::/apis"
    routes = {"Effect": "Allow", "Action": ["apigateway:GET", "apigateway:POST"], "Resource": f"{path}/{api.id}/routes"}
    gateway = cloud.as_role("apigatewayv2", name, routes)
    gateway.create_route(ApiId=api.id, RouteKey="GET /a")
    assert len(gateway.get_routes(ApiId=api.id)["Items"]) == 1
    with pytest.raises(ClientError, match=r"apigateway:POST on resource: .*/apis "):
        gateway.create_api(Name="b", ProtocolType="HTTP")
    with pytest.raises(ClientError, match="apigateway:GET"):
        gateway.get_stages(ApiId=api.id)


def test_a_quick_create_makes_a_whole_api(create_api: Callable[..., Api], echo: str, cloud: Cloud):
    api = create_api(Target=echo, RouteKey="GET /quick")
    api.allow(echo)
    assert api("/quick").json()["routeKey"] == "GET /quick"
    assert cloud.apigatewayv2.get_stage(ApiId=api.id, StageName="$default")["ApiGatewayManaged"]


def test_tags_and_cors_can_be_changed_and_removed(create_api: Callable[..., Api], cloud: Cloud):
    api = create_api(Tags={"a": "1"}, CorsConfiguration={"AllowOrigins": ["*"]})
    api.stage("s", Tags={"b": "2"})
    arn = f"arn:aws:apigateway:{REGION}::/apis/{api.id}"
    cloud.apigatewayv2.tag_resource(ResourceArn=f"{arn}/stages/s", Tags={"c": "3"})
    cloud.apigatewayv2.untag_resource(ResourceArn=f"{arn}/stages/s", TagKeys=["b"])
    assert cloud.apigatewayv2.get_tags(ResourceArn=f"{arn}/stages/s")["Tags"] == {"c": "3"}
    assert cloud.apigatewayv2.get_api(ApiId=api.id)["Tags"] == {"a": "1"}
    cloud.apigatewayv2.delete_cors_configuration(ApiId=api.id)
    assert "CorsConfiguration" not in cloud.apigatewayv2.get_api(ApiId=api.id)
