"""REST APIs whose methods invoke functions, and the functions of their authorizers."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import ACCOUNT, REGION, Cloud

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"])}
"""
# An authorizer that decides as the token says, and returns the number of its invocations in its context
JUDGE = """
count = 0
def handler(event, context):
    global count
    count += 1
    token = event.get("authorizationToken") or event["headers"].get("X-Token")
    if token in ("nobody", "broken"):
        raise Exception("Unauthorized" if token == "nobody" else "broken")
    effect = "Deny" if token == "deny" else "Allow"
    resource = event["methodArn"] if token != "other" else event["methodArn"] + "/other"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {
        "principalId": token,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"count": count, "type": event["type"]},
    }
"""
HTTP = urllib3.PoolManager()


class Api:
    """A REST API whose methods invoke one function."""

    def __init__(self, cloud: Cloud, name: str, function: str, **settings: Any) -> None:
        self.cloud, self.gateway, self.name, self.function = cloud, cloud.apigateway, name, function
        self.id = self.gateway.create_rest_api(name=name, **settings)["id"]
        self.root = self.gateway.get_resources(restApiId=self.id)["items"][0]["id"]
        self.arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}"

    def method(
        self, path: str, authorization: str = "NONE", authorizer: dict[str, Any] | None = None, **extra: Any
    ) -> None:
        resource = self.gateway.create_resource(restApiId=self.id, parentId=self.root, pathPart=path)["id"]
        place = {"restApiId": self.id, "resourceId": resource, "httpMethod": "POST"}
        if authorizer:
            extra["authorizerId"] = self.gateway.create_authorizer(restApiId=self.id, name=path, **authorizer)["id"]
        self.gateway.put_method(**place, authorizationType=authorization, **extra)
        self.gateway.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri(self.function))

    def deploy(self) -> None:
        self.gateway.create_deployment(restApiId=self.id, stageName="p")

    def post(self, path: str, signer: tuple[str, str, str | None] | None = None, **headers: str) -> tuple[int, Any]:
        if signer:
            request = AWSRequest("POST", self.url(path), data=b"{}", headers=headers)
            SigV4Auth(Credentials(*signer), "execute-api", REGION).add_auth(request)
            headers = dict(request.prepare().headers)
        answer = self.send(path, headers)
        return answer.status, json.loads(answer.data)

    def send(self, path: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        return HTTP.request("POST", self.url(path), body=b"{}", headers=dict(headers))

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.cloud.home.port}/_aws/execute-api/{self.id}/p/{path}"


def uri(function: str) -> str:
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"


def permit(cloud: Cloud, function: str, source: str) -> None:
    cloud.lambda_.add_permission(
        FunctionName=function,
        StatementId=source[-24:].replace("/", "-").replace("*", "x").replace(":", "-"),
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=source,
    )
