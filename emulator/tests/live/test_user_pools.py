"""Test the user pools of Cognito, and the methods of REST APIs that require their tokens."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rest_apis import HTTP, Api, permit
from support import ACCOUNT, REGION, Cloud

PASSWORD = "Passw0rd!"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


def pool_of(cloud: Cloud, name: str) -> tuple[str, str, str]:
    """Return the ID and the ARN of a new user pool with a user, and the ID of its client."""
    pool = cloud.cognito_idp.create_user_pool(PoolName=name)["UserPool"]
    cloud.cognito_idp.admin_create_user(UserPoolId=pool["Id"], Username="ann")
    cloud.cognito_idp.admin_set_user_password(UserPoolId=pool["Id"], Username="ann", Password=PASSWORD, Permanent=True)
    cloud.cognito_idp.create_group(UserPoolId=pool["Id"], GroupName="editors")
    cloud.cognito_idp.admin_add_user_to_group(UserPoolId=pool["Id"], Username="ann", GroupName="editors")
    client = cloud.cognito_idp.create_user_pool_client(UserPoolId=pool["Id"], ClientName="web", ExplicitAuthFlows=FLOWS)
    return pool["Id"], pool["Arn"], client["UserPoolClient"]["ClientId"]


def tokens(cloud: Cloud, client: str) -> dict[str, Any]:
    """Return the tokens of a user after a login through a client. The SDK does not sign the request."""
    credentials = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    answer = cloud.cognito_idp.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=credentials)
    return dict(answer["AuthenticationResult"])


def wanting(api: Api, path: str, arn: str, scopes: list[str] | None = None, **authorizer: str) -> None:
    """Give an API a method that requires the token of a user pool."""
    source = {"identitySource": "method.request.header.Authorization"}
    settings = {"type": "COGNITO_USER_POOLS", "providerARNs": [arn], **source, **authorizer}
    api.method(path, "COGNITO_USER_POOLS", settings, authorizationScopes=scopes or [])


def test_a_method_requires_an_identity_token_of_its_user_pool(cloud: Cloud, name: str, api: Api):
    _, arn, client = pool_of(cloud, name)
    _, _, elsewhere = pool_of(cloud, f"{name}-2")
    wanting(api, "mine", arn)
    wanting(api, "others", arn, identityValidationExpression="another-client")
    api.deploy()
    unauthorized = (401, {"message": "Unauthorized"})
    assert api.post("mine") == unauthorized
    assert api.post("mine", Authorization="a.b.c") == unauthorized
    given = tokens(cloud, client)
    status, context = api.post("mine", Authorization=given["IdToken"])
    assert status == 200
    claims = context["authorizer"]["claims"]
    assert (claims["cognito:username"], claims["cognito:groups"], claims["aud"]) == ("ann", "editors", client)
    assert claims["exp"].endswith(f"UTC {claims['exp'][-4:]}")
    assert api.post("mine", Authorization=f"Bearer {given['IdToken']}")[0] == 200
    assert api.post("mine", Authorization=given["AccessToken"]) == unauthorized
    head, payload, signature = given["IdToken"].split(".")
    assert api.post("mine", Authorization=f"{head}.{payload[:-4]}AAAA.{signature}") == unauthorized
    assert api.post("mine", Authorization=tokens(cloud, elsewhere)["IdToken"]) == unauthorized
    assert api.post("others", Authorization=given["IdToken"]) == unauthorized


def test_a_method_with_scopes_requires_an_access_token_with_one_of_them(cloud: Cloud, name: str, api: Api):
    _, arn, client = pool_of(cloud, name)
    wanting(api, "mine", arn, ["photos/read", "aws.cognito.signin.user.admin"])
    wanting(api, "others", arn, ["photos/read"])
    api.deploy()
    given = tokens(cloud, client)
    assert api.post("mine", Authorization=given["AccessToken"])[0] == 200
    assert api.post("mine", Authorization=given["IdToken"])[0] == 401
    assert api.post("others", Authorization=given["AccessToken"])[0] == 401


def test_a_route_of_an_http_api_requires_a_token_of_its_user_pool(
    cloud: Cloud, name: str, functions: Mapping[str, str]
):
    pool, _, client = pool_of(cloud, name)
    gateway = cloud.apigatewayv2
    api = gateway.create_api(Name=name, ProtocolType="HTTP", Target=functions["echo"])["ApiId"]
    permit(cloud, functions["echo"], f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*")
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{pool}"
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="pool",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [client]},
    )
    (route,) = gateway.get_routes(ApiId=api)["Items"]
    wanted = {"AuthorizationType": "JWT", "AuthorizerId": authorizer["AuthorizerId"]}
    gateway.update_route(ApiId=api, RouteId=route["RouteId"], **wanted)

    def get(token: str) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{cloud.home.port}/_aws/execute-api/{api}/"
        answer = HTTP.request("GET", url, headers={"Authorization": token})
        return answer.status, json.loads(answer.data)

    token = tokens(cloud, client)["IdToken"]
    status, context = get(token)
    assert (status, context["authorizer"]["jwt"]["claims"]["cognito:username"]) == (200, "ann")
    assert get(f"{token[:-4]}AAAA")[0] == 401


def test_a_role_needs_permission_on_the_user_pool(cloud: Cloud, name: str):
    pool, arn, _ = pool_of(cloud, name)
    allowed = {"Effect": "Allow", "Action": "cognito-idp:AdminGetUser", "Resource": arn}
    client = cloud.as_role("cognito-idp", name, allowed)
    assert client.admin_get_user(UserPoolId=pool, Username="ann")["UserStatus"] == "CONFIRMED"
    with pytest.raises(ClientError, match="not authorized to perform: cognito-idp:AdminDeleteUser"):
        client.admin_delete_user(UserPoolId=pool, Username="ann")
    assert cloud.denied("cognito-idp:AdminDeleteUser", f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{pool}", name)
