"""Test HTTP APIs that CloudFormation and SAM create."""

import json
from typing import Any

import pytest

from http_api import ECHO, Api
from support import LOGS, SOON, Cloud, package

TEMPLATE = {
    "Resources": {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": "stack", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"]}},
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Ref": "Function"},
                "PayloadFormatVersion": "2.0",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": {"Fn::Sub": "GET /${Path}"},
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True},
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Function"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"},
            },
        },
    },
    "Parameters": {"Function": {"Type": "String"}, "Path": {"Type": "String"}},
    "Outputs": {"Id": {"Value": {"Ref": "Api"}}, "Endpoint": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}},
}


@pytest.fixture(scope="module")
def echo(cloud: Cloud) -> str:
    """Create a function that answers with its event, and return its ARN."""
    return cloud.function("http-template", role=cloud.role("http-template", *LOGS), Code={"ZipFile": package(ECHO)})


def outputs_of(cloud: Cloud, stack: str) -> dict[str, str]:
    (described,) = cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def test_cloudformation_makes_changes_and_deletes_an_api(cloud: Cloud, echo: str):
    def given(path: str) -> dict[str, Any]:
        values = {"Function": echo, "Path": path}
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
        return {"StackName": "http-api", "TemplateBody": json.dumps(TEMPLATE), "Parameters": parameters}

    cloud.cloudformation.create_stack(**given("a"))
    cloud.cloudformation.get_waiter("stack_create_complete").wait(StackName="http-api", WaiterConfig=SOON)
    outputs = outputs_of(cloud, "http-api")
    api = Api(cloud, outputs["Id"])
    assert outputs["Endpoint"].startswith(f"http://{api.id}.execute-api.")
    assert api("/a").json()["routeKey"] == "GET /a"
    cloud.cloudformation.update_stack(**given("b"))
    cloud.cloudformation.get_waiter("stack_update_complete").wait(StackName="http-api", WaiterConfig=SOON)
    assert (api("/a").status_code, api("/b").status_code) == (404, 200)
    cloud.cloudformation.delete_stack(StackName="http-api")
    cloud.cloudformation.get_waiter("stack_delete_complete").wait(StackName="http-api", WaiterConfig=SOON)
    assert api.id not in {item["ApiId"] for item in cloud.apigatewayv2.get_apis()["Items"]}


SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Front:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ["https://a.example.com"]}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {"id": event["pathParameters"]["id"]}
      Events:
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Front, Path: "/items/{id}", Method: get}}
Outputs:
  Id: {Value: !Ref Front}
"""


def test_an_http_api_of_sam_answers(cloud: Cloud):
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloud.cloudformation.create_stack(StackName="http-sam", TemplateBody=SAM, Capabilities=capabilities)
    cloud.cloudformation.get_waiter("stack_create_complete").wait(StackName="http-sam", WaiterConfig=SOON)
    api = Api(cloud, outputs_of(cloud, "http-sam")["Id"])
    answer = api("/items/7", headers={"Origin": "https://a.example.com"})
    assert (answer.status_code, answer.json()) == (200, {"id": "7"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example.com"
    asked = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "GET"}
    assert api("/items/7", "OPTIONS", headers=asked).status_code == 204
    cloud.cloudformation.delete_stack(StackName="http-sam")
    cloud.cloudformation.get_waiter("stack_delete_complete").wait(StackName="http-sam", WaiterConfig=SOON)
