"""Provide an HTTP API for the live tests, helpers that create its parts, and its function."""

from dataclasses import dataclass
from typing import Any

import requests

from support import ACCOUNT, REGION, Cloud

ECHO = """
import json, time

def handler(event, context):
    wanted = (event.get("queryStringParameters") or {}).get("answer")
    if wanted == "late":
        time.sleep(2)
    if wanted == "fail":
        raise ValueError("asked to fail")
    if wanted == "malformed":
        return {"statusCode": "none"}
    if wanted == "plain":
        return {"a": 1}
    if wanted == "cookies":
        return {"statusCode": 201, "cookies": ["a=1", "b=2"], "headers": {"X-Seen": "1"}, "body": "made"}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
"""


@dataclass
class Api:
    """An HTTP API with helpers that create its parts."""

    cloud: Cloud
    id: str

    def __call__(self, path: str = "/", method: str = "GET", *, host: str = "", **more: Any) -> requests.Response:
        headers = {"Host": host or f"{self.id}.execute-api.{REGION}.amazonaws.com", **more.pop("headers", {})}
        address = f"http://127.0.0.1:{self.cloud.home.port}{path}"
        return requests.request(method, address, headers=headers, timeout=30, allow_redirects=False, **more)

    def integration(self, function: str, version: str = "2.0", **more: Any) -> str:
        """Create an integration with a function, and return the target of its routes."""
        settings = {"IntegrationUri": function, "PayloadFormatVersion": version, **more}
        made = self.cloud.apigatewayv2.create_integration(ApiId=self.id, IntegrationType="AWS_PROXY", **settings)
        return f"integrations/{made['IntegrationId']}"

    def route(self, key: str, target: str, **more: Any) -> str:
        return str(self.cloud.apigatewayv2.create_route(ApiId=self.id, RouteKey=key, Target=target, **more)["RouteId"])

    def stage(self, name: str = "$default", **more: Any) -> None:
        self.cloud.apigatewayv2.create_stage(ApiId=self.id, StageName=name, **{"AutoDeploy": True, **more})

    def allow(self, function: str, place: str = "*") -> None:
        self.cloud.lambda_.add_permission(
            FunctionName=function,
            StatementId=f"api-{self.id}-{abs(hash(place))}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}/{place}",
        )
