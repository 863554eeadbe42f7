"""Provide the CloudFormation resources AWS::ApiGatewayV2::*. The entry points are in pyproject.toml.

Properties have the same names as boto3's parameters, so a table of the resource types is enough.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
"""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

import json
import re
from typing import Any

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
)

# The property that identifies a resource within its API. Updates must name it too.
_IDENTIFIERS = {
    "Api": "ApiId",
    "Authorizer": "AuthorizerId",
    "Deployment": "DeploymentId",
    "Integration": "IntegrationId",
    "Model": "ModelId",
    "Route": "RouteId",
    "Stage": "StageName",
}
_OF_DEFINITIONS = ("Body", "BodyS3Location", "BasePath", "FailOnWarnings")
_RESPONSES = ("ApiEndpoint",)


def _call(request: Any, operation: str, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Call an operation such as `create_route` with the properties that it accepts."""
    client = request.aws_client_factory.apigatewayv2
    members = client.meta.service_model.operation_model(f"{operation}{kind}").input_shape.members
    given = {name: value for name, value in properties.items() if name in members and value is not None}
    answer: dict[str, Any] = getattr(client, re.sub(r"(?<!^)([A-Z])", r"_\1", f"{operation}{kind}").lower())(**given)
    return answer


def _definition(request: Any, properties: dict[str, Any]) -> str:
    """Return the OpenAPI definition in an API's properties, or an empty string."""
    if body := properties.get("Body"):
        return body if isinstance(body, str) else json.dumps(body)
    if place := properties.get("BodyS3Location"):
        version = {"VersionId": place["Version"]} if place.get("Version") else {}
        answer = request.aws_client_factory.s3.get_object(Bucket=place["Bucket"], Key=place["Key"], **version)
        return bytes(answer["Body"].read()).decode()
    return ""


class Provider(ResourceProvider):
    """The provider of one resource type. SCHEMA tells LocalStack which property is the physical id."""

    def __init__(self, kind: str) -> None:
        self._kind, self._identifier = kind, _IDENTIFIERS[kind]
        self.SCHEMA = {"primaryIdentifier": [f"/properties/{self._identifier}"]}

    def create(self, request: Any) -> Any:
        """Create the resource of a template."""
        model = dict(request.desired_state or {})
        if self._kind == "Api" and (body := _definition(request, model)):
            answer = _call(request, "Import", "Api", {**model, "Body": body})
            model["ApiId"] = answer["ApiId"]
            self._change_definition(request, model)
        else:
            answer = _call(request, "Create", self._kind, model)
        return self._done(request, model, answer)

    def update(self, request: Any) -> Any:
        """Change the resource to the properties of a template."""
        before = dict(request.previous_state or {})
        model = {**dict(request.desired_state or {}), self._identifier: before[self._identifier]}
        if self._kind == "Api" and (body := _definition(request, model)):
            _call(request, "Reimport", "Api", {**model, "Body": body})
            answer = self._change_definition(request, model)
        else:
            if self._kind == "Api" and before.get("CorsConfiguration") and not model.get("CorsConfiguration"):
                request.aws_client_factory.apigatewayv2.delete_cors_configuration(ApiId=model["ApiId"])
            answer = _call(request, "Update", self._kind, model)
        return self._done(request, model, {**{name: before.get(name) for name in _RESPONSES}, **answer})

    def delete(self, request: Any) -> Any:
        """Delete the resource."""
        _call(request, "Delete", self._kind, dict(request.desired_state or {}))
        return self._done(request, {}, {})

    def _change_definition(self, request: Any, model: dict[str, Any]) -> dict[str, Any]:
        """Set the properties of an API that are not part of its OpenAPI definition."""
        own = {name: value for name, value in model.items() if name not in (*_OF_DEFINITIONS, "Tags", "Target")}
        answer = _call(request, "Update", "Api", own)
        if tags := model.get("Tags"):
            arn = f"arn:aws:apigateway:{request.region_name}::/apis/{model['ApiId']}"
            request.aws_client_factory.apigatewayv2.tag_resource(ResourceArn=arn, Tags=tags)
        return answer

    def _done(self, request: Any, model: dict[str, Any], answer: dict[str, Any]) -> Any:
        for name in (self._identifier, *_RESPONSES):
            if answer.get(name):
                model[name] = answer[name]
        return ProgressEvent(OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context)


class _Plugin(CloudFormationResourceProviderPlugin):
    """The plugin of one resource type. LocalStack calls its factory to create the provider."""

    kind = ""

    def load(self, *_args: Any, **_arguments: Any) -> None:
        """Set the factory."""
        self.factory = lambda: Provider(self.kind)


def _plugin(kind: str) -> type[_Plugin]:
    return type(f"{kind}Plugin", (_Plugin,), {"kind": kind, "name": f"AWS::ApiGatewayV2::{kind}"})


Api, Authorizer, Deployment, Integration, Model, Route, Stage = (_plugin(kind) for kind in sorted(_IDENTIFIERS))
