"""Test who may call the routes of HTTP APIs, with signatures, tokens and Lambda authorizers."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from support import ACCOUNT, LOGS, REGION, Cloud, package

CONTEXT = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}
"""
# An authorizer that decides as the token says, and counts its invocations
JUDGE = """
count = 0
def handler(event, context):
    global count
    count += 1
    token = event["headers"].get("x-token", "allow")
    if token in ("nobody", "broken"):
        raise Exception("Unauthorized" if token == "nobody" else "broken")
    if event["version"] == "2.0":
        return {"isAuthorized": token == "allow", "context": {"count": count, "list": [1]}}
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    if token == "other":
        statement["Resource"] += "/other"
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": token, "policyDocument": document, "context": {"count": count}}
"""
FORBIDDEN = {"message": "Forbidden"}
KEY = generate_private_key(65537, 2048)


class Front:
    """An HTTP API whose function answers with the caller's data from its event."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.gateway = cloud, cloud.apigatewayv2
        self.id = str(self.gateway.create_api(Name="authorized", ProtocolType="HTTP")["ApiId"])
        self.arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}"
        role = cloud.role("http-authorized", *LOGS)
        codes = {"context": CONTEXT, "judge": JUDGE}
        self.functions = {
            name: cloud.function(f"http-{name}", role=role, Code={"ZipFile": package(code)})
            for name, code in codes.items()
        }
        self.target = f"integrations/{self._integration()}"
        self.gateway.create_stage(ApiId=self.id, StageName="$default", AutoDeploy=True)
        self.allow("context", f"{self.arn}/*")

    def _integration(self) -> str:
        settings = {"IntegrationUri": self.functions["context"], "PayloadFormatVersion": "2.0"}
        made = self.gateway.create_integration(ApiId=self.id, IntegrationType="AWS_PROXY", **settings)
        return str(made["IntegrationId"])

    def allow(self, function: str, source: str) -> None:
        permission = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": source}
        statement = source.rpartition("/")[2].replace("*", "any")
        self.cloud.lambda_.add_permission(FunctionName=self.functions[function], StatementId=statement, **permission)

    def authorizer(self, name: str, **settings: Any) -> str:
        return str(self.gateway.create_authorizer(ApiId=self.id, Name=name, **settings)["AuthorizerId"])

    def judge(self, name: str, version: str, **settings: Any) -> str:
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{self.functions['judge']}/invocations"
        return self.authorizer(
            name, AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerPayloadFormatVersion=version, **settings
        )

    def route(self, path: str, kind: str, **more: Any) -> None:
        self.gateway.create_route(
            ApiId=self.id, RouteKey=f"GET {path}", Target=self.target, AuthorizationType=kind, **more
        )

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.cloud.home.port}/_aws/execute-api/{self.id}{path}"

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        answer = requests.get(self.url(path), headers=headers, timeout=30)
        return answer.status_code, answer.json()

    def signed(self, path: str, keys: tuple[str, ...]) -> tuple[int, Any]:
        request = AWSRequest("GET", self.url(path))
        SigV4Auth(Credentials(*keys), "execute-api", REGION).add_auth(request)
        return self.get(path, **dict(request.prepare().headers))


@pytest.fixture(scope="module")
def front(cloud: Cloud) -> Iterator[Front]:
    front = Front(cloud)
    yield front
    cloud.apigatewayv2.delete_api(ApiId=front.id)


def test_an_iam_route_requires_the_signature_of_a_role_that_may_invoke_it(front: Front, name: str):
    front.route("/mine", "AWS_IAM")
    assert front.get("/mine") == (403, FORBIDDEN)
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{front.arn}/$default/GET/mine"}
    right = front.cloud.session(f"{name}-a", statement)
    wrong = front.cloud.session(f"{name}-b", {**statement, "Resource": f"{front.arn}/$default/GET/other"})
    status, caller = front.signed("/mine", right)
    assert status == 200
    assert caller["iam"]["userArn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}-a/caller"
    assert front.signed("/mine", wrong) == (403, FORBIDDEN)
    assert front.cloud.denied("execute-api:Invoke", f"{front.id}/$default/GET/mine", f"{name}-b")
    assert front.signed("/mine", (*right[:1], "wrong", *right[2:])) == (403, FORBIDDEN)
    assert front.signed("/mine", ("test", "test"))[0] == 200


# -- JWT


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(issuer: str, **claims: Any) -> str:
    head = encoded(json.dumps({"alg": "RS256", "kid": "k"}).encode())
    body = {"iss": issuer, "aud": "mine", "exp": time.time() + 60, "sub": "somebody", **claims}
    text = f"{head}.{encoded(json.dumps(body).encode())}"
    return f"{text}.{encoded(KEY.sign(text.encode(), PKCS1v15(), hashes.SHA256()))}"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Yield the URL of a token issuer on this machine."""
    numbers = KEY.public_key().public_numbers()
    key = {"kid": "k", "kty": "RSA", "n": encoded(numbers.n.to_bytes(256)), "e": encoded(numbers.e.to_bytes(3))}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = {"keys": [key]} if self.path == "/keys" else {"jwks_uri": f"{address}/keys"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *_: Any) -> None:
            del format

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


def test_a_token_route_requires_a_token_of_the_issuer_for_the_audience(front: Front, issuer: str):
    config = {"Issuer": issuer, "Audience": ["mine"]}
    authorizer = front.authorizer(
        "jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"], JwtConfiguration=config
    )
    front.route("/token", "JWT", AuthorizerId=authorizer, AuthorizationScopes=["read", "write"])
    bearer = token(issuer, scope="read", groups=["a", "b"])
    status, caller = front.get("/token", Authorization=f"Bearer {bearer}")
    assert (status, caller["jwt"]["scopes"]) == (200, ["read"])
    assert (caller["jwt"]["claims"]["sub"], caller["jwt"]["claims"]["groups"]) == ("somebody", "[a b]")
    refused = requests.get(front.url("/token"), timeout=30)
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    for wrong in (token(issuer, aud="other"), token(issuer, exp=1), bearer[:-4] + "AAAA", "nonsense"):
        assert front.get("/token", Authorization=f"Bearer {wrong}")[0] == 401
    assert front.get("/token", Authorization=token(issuer, scope="admin")) == (403, FORBIDDEN)


def test_an_issuer_that_does_not_answer_is_named(front: Front):
    config = {"Issuer": "http://127.0.0.1:9", "Audience": ["mine"]}
    authorizer = front.authorizer(
        "gone", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"], JwtConfiguration=config
    )
    front.route("/gone", "JWT", AuthorizerId=authorizer)
    refused = requests.get(front.url("/gone"), headers={"Authorization": token("http://127.0.0.1:9")}, timeout=30)
    assert (refused.status_code, "discovery" in refused.headers["WWW-Authenticate"]) == (401, True)
    assert front.cloud.denied("execute-api:Invoke", f"{front.id}/$default/GET/gone")
    denials = [json.loads(line) for line in front.cloud.home.denials.read_text().splitlines()]
    assert any("127.0.0.1:9" in json.dumps(denial) and "can't be fetched" in json.dumps(denial) for denial in denials)


# -- Lambda authorizers


def test_an_authorizer_answers_with_a_verdict(front: Front):
    header = ["$request.header.X-Token"]
    authorizer = front.judge("simple", "2.0", EnableSimpleResponses=True, IdentitySource=header)
    front.route("/simple", "CUSTOM", AuthorizerId=authorizer)
    assert front.get("/simple", **{"X-Token": "allow"}) == (500, {"message": "Internal Server Error"})
    front.allow("judge", f"{front.arn}/authorizers/{authorizer}")
    assert front.get("/simple") == (401, {"message": "Unauthorized"})
    status, caller = front.get("/simple", **{"X-Token": "allow"})
    assert (status, caller["lambda"]["list"]) == (200, [1])
    assert front.get("/simple", **{"X-Token": "allow"})[1] == caller, "the answer is kept for 300 s"
    front.gateway.reset_authorizers_cache(ApiId=front.id, StageName="$default")
    assert front.get("/simple", **{"X-Token": "allow"})[1] != caller
    assert front.get("/simple", **{"X-Token": "deny"}) == (403, FORBIDDEN)
    assert front.get("/simple", **{"X-Token": "broken"}) == (500, {"message": "Internal Server Error"})


def test_an_authorizer_answers_with_a_policy(front: Front):
    authorizer = front.judge("policy", "1.0", AuthorizerResultTtlInSeconds=0, IdentitySource=[])
    front.allow("judge", f"{front.arn}/authorizers/{authorizer}")
    front.route("/policy", "CUSTOM", AuthorizerId=authorizer)
    first, second = front.get("/policy"), front.get("/policy")
    assert (first[0], first[1].keys()) == (200, {"lambda"})
    assert second[1]["lambda"]["count"] == first[1]["lambda"]["count"] + 1
    assert front.get("/policy", **{"X-Token": "other"}) == (403, FORBIDDEN)
    assert front.get("/policy", **{"X-Token": "nobody"}) == (401, {"message": "Unauthorized"})
