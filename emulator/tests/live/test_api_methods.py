"""Test who may invoke the methods of REST APIs."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from rest_apis import HTTP, Api, permit, uri
from support import ACCOUNT, REGION, Cloud, eventually, policy


def invoke(resource: str, effect: str = "Allow", **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource, **rest}


def test_an_iam_method_requires_the_signature_of_a_role_that_may_invoke_it(cloud: Cloud, name: str, api: Api):
    api.method("mine", "AWS_IAM")
    api.deploy()
    assert api.post("mine") == (403, {"message": "Missing Authentication Token"})
    right = cloud.session(f"{name}-a", invoke(f"{api.arn}/p/POST/mine"))
    wrong = cloud.session(f"{name}-b", invoke(f"{api.arn}/p/GET/mine"))
    status, context = api.post("mine", right)
    assert status == 200
    assert context["identity"]["userArn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}-a/caller"
    status, refusal = api.post("mine", wrong)
    assert status == 403
    assert "not authorized to perform: execute-api:Invoke" in refusal["Message"]
    assert cloud.denied("execute-api:Invoke", f"{api.id}/p/POST/mine", f"{name}-b")
    assert api.post("mine", ("test", "test", None))[0] == 200, "the deployer may do everything"


def test_a_wrong_signature_is_refused(cloud: Cloud, name: str, api: Api):
    api.method("mine", "AWS_IAM")
    api.deploy()
    key, _, token = cloud.session(name, invoke("*"))
    assert "does not match" in api.post("mine", (key, "other", token))[1]["message"]
    for signer in (
        ("test", "other", None),
        (key, "x", "other"),
        ("LSIAQAAAAAAAFORGED01", "x", "y"),
        ("AKIA1", "x", None),
    ):
        assert api.post("mine", signer)[0] == 403


def test_the_resource_policy_of_an_api_is_enforced(cloud: Cloud, name: str, api: Api, functions: Mapping[str, str]):
    statements = [
        invoke("execute-api:/p/POST/open", Principal="*"),
        invoke("execute-api:/p/POST/*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"}),
        invoke("execute-api:/p/POST/never", "Deny", Principal="*"),
    ]
    restricted = Api(cloud, f"{name}-2", functions["echo"], policy=policy(*statements))
    permit(cloud, functions["echo"], f"{restricted.arn}/*/POST/*")
    for path in ("open", "closed"):
        restricted.method(path)
    for path in ("signed", "never"):
        restricted.method(path, "AWS_IAM")
    restricted.deploy()
    assert restricted.post("open")[0] == 200
    assert restricted.post("closed")[0] == 403
    caller = cloud.session(name, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    assert restricted.post("signed", caller)[0] == 200, "the API's policy allows the role"
    cloud.grant(name, "execute-api:Invoke")
    status, refusal = restricted.post("never", caller)
    assert (status, "with an explicit deny" in refusal["Message"]) == (403, True)
    api.method("open")
    api.deploy()
    assert api.post("open")[0] == 200, "without a policy everybody may invoke an open method"


def test_a_token_authorizer_decides(cloud: Cloud, api: Api, functions: Mapping[str, str]):
    api.method("mine", "CUSTOM", {"type": "TOKEN", "authorizerUri": uri(functions["judge"])})
    api.deploy()
    assert api.post("mine") == (401, {"message": "Unauthorized"})
    assert api.post("mine", Authorization="allow") == (500, {"message": None}), (
        "API Gateway may not invoke the function"
    )
    permit(cloud, functions["judge"], f"{api.arn}/authorizers/*")
    assert eventually(lambda: api.post("mine", Authorization="allow")[0] == 200)
    _, first = api.post("mine", Authorization="allow")
    assert first["authorizer"]["principalId"] == "allow"
    assert first["authorizer"]["type"] == "TOKEN"
    assert api.post("mine", Authorization="allow")[1]["authorizer"]["count"] == first["authorizer"]["count"]
    assert api.post("mine", Authorization="nobody")[0] == 401
    assert api.post("mine", Authorization="broken")[0] == 500
    denied = "User is not authorized to access this resource with an explicit deny"
    assert api.post("mine", Authorization="deny") == (403, {"Message": denied})
    assert api.post("mine", Authorization="other") == (
        403,
        {"Message": "User is not authorized to access this resource"},
    )


def test_a_request_authorizer_without_cache_uses_its_credentials(
    cloud: Cloud, name: str, api: Api, functions: Mapping[str, str]
):
    role = cloud.role(name, "lambda:InvokeFunction", principal="apigateway.amazonaws.com")
    authorizer = {
        "type": "REQUEST",
        "authorizerUri": uri(functions["judge"]),
        "identitySource": "method.request.header.X-Token",
        "authorizerResultTtlInSeconds": 0,
        "authorizerCredentials": role,
    }
    api.method("mine", "CUSTOM", authorizer)
    api.deploy()
    assert api.post("mine")[0] == 401
    counts = [int(api.post("mine", **{"X-Token": "allow"})[1]["authorizer"]["count"]) for _ in range(2)]
    assert counts[1] == counts[0] + 1
    cloud.iam.delete_role_policy(RoleName=name, PolicyName="p")
    assert api.post("mine", **{"X-Token": "allow"})[0] == 500


def test_an_integration_with_a_queue_has_the_permissions_of_its_role(cloud: Cloud, name: str, api: Api):
    url, queue = cloud.queue(name)
    role = cloud.role(name, "sqs:SendMessage", resource=queue, principal="apigateway.amazonaws.com")
    place = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "POST"}
    form = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
    integration = {
        **place,
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/{name}",
        "requestParameters": form,
        "requestTemplates": {"application/json": "Action=SendMessage&MessageBody={}"},
    }
    api.gateway.put_method(**place, authorizationType="NONE")
    with pytest.raises(ClientError, match="Role ARN must be specified for AWS integrations"):
        api.gateway.put_integration(**integration)
    api.gateway.put_integration(**integration, credentials=role)
    api.gateway.put_method_response(**place, statusCode="200")
    api.gateway.put_integration_response(**place, statusCode="200")
    api.deploy()
    headers = {"Content-Type": "application/json"}
    api.send("", headers)
    assert cloud.received(url) == [{}]
    cloud.iam.delete_role_policy(RoleName=name, PolicyName="p")
    api.send("", headers)
    assert cloud.denied("sqs:SendMessage", queue, name)
    assert cloud.received(url, 0) == []


def test_a_function_url_refuses_keys_that_nobody_has(cloud: Cloud, functions: Mapping[str, str]):
    url = cloud.lambda_.create_function_url_config(FunctionName=functions["echo"], AuthType="AWS_IAM")["FunctionUrl"]

    def post(*signer: str | None) -> int:
        request = AWSRequest("POST", url, data=b"{}")
        SigV4Auth(Credentials(*signer), "lambda", REGION).add_auth(request)
        headers = {**request.prepare().headers, "Host": url.split("/")[2]}
        return HTTP.request("POST", f"http://127.0.0.1:{cloud.home.port}/", body=b"{}", headers=headers).status

    assert post("test", "test") == 200
    assert post("LSIAQAAAAAAAFORGED01", "x", "y") == 403
    assert post("test", "other") == 403
