"""Test that request bodies reach functions and services once and unchanged, with any Host header."""

import base64
import gzip
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from support import REGION, Cloud, package

ECHO = """
def handler(event, context):
    import json
    return {"statusCode": 200, "body": json.dumps([event["isBase64Encoded"], event.get("body")])}
"""
FORM = b"b=2&a=1&&x=%20+y&empty=&e=%C3%A4"
MULTIPART = b'--sep\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--sep--\r\n'
BODIES = [
    ("application/x-www-form-urlencoded", FORM, {}),
    ("multipart/form-data; boundary=sep", MULTIPART, {}),
    ("application/json", gzip.compress(b'{"a": 1}'), {"Content-Encoding": "gzip"}),
]


def post(url: str, body: bytes, **headers: str) -> bytes:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST")) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode(errors='replace')}".encode()


@pytest.fixture(scope="module")
def places(cloud: Cloud) -> dict[str, tuple[str, str]]:
    """Return the URL and the Host header of a function URL and of a REST API for the same function."""
    arn = cloud.function("bodies", Code={"ZipFile": package(ECHO)})
    url = cloud.lambda_.create_function_url_config(FunctionName="bodies", AuthType="NONE")["FunctionUrl"]
    for statement, facts in {
        "url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE", "Principal": "*"},
        "invoke": {"Action": "lambda:InvokeFunction", "Principal": "*"},
    }.items():
        cloud.lambda_.add_permission(FunctionName="bodies", StatementId=statement, **facts)
    api = cloud.apigateway.create_rest_api(name="bodies", binaryMediaTypes=["application/json"])["id"]
    root = cloud.apigateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    cloud.apigateway.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    cloud.apigateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    cloud.apigateway.create_deployment(restApiId=api, stageName="s")
    here = f"http://127.0.0.1:{cloud.home.port}"
    return {
        "function URL": (f"{here}/", url.split("/")[2]),
        "REST API by path": (f"{here}/_aws/execute-api/{api}/s/", f"127.0.0.1:{cloud.home.port}"),
        "REST API by host": (f"{here}/s/", f"{api}.execute-api.{REGION}.amazonaws.com"),
    }


@pytest.mark.parametrize("place", ["function URL", "REST API by path", "REST API by host"])
@pytest.mark.parametrize(("kind", "body", "more"), BODIES, ids=["form", "multipart", "gzip"])
def test_a_body_reaches_a_function_once_and_unchanged(
    places: dict[str, tuple[str, str]], place: str, kind: str, body: bytes, more: dict[str, str]
):
    url, host = places[place]
    answer = post(url, body, **{"Host": host, "Content-Type": kind, **more})
    is_encoded, text = json.loads(answer)
    assert (base64.b64decode(text) if is_encoded else text.encode()) == body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", f"monitoring.{REGION}.amazonaws.com"])
def test_a_compressed_query_is_understood(cloud: Cloud, host: str):
    data = b"MetricData.member.1.MetricName=m&MetricData.member.1.Value=1"
    query = b"Action=PutMetricData&Namespace=gzip&Version=2010-08-01&" + data
    scope = f"Credential=test/20260101/{REGION}/monitoring/aws4_request"
    headers: dict[str, Any] = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Encoding": "gzip",
        "Host": host,
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x",
    }
    answer = post(f"http://127.0.0.1:{cloud.home.port}/", gzip.compress(query), **headers)
    assert b"<PutMetricDataResponse" in answer
