"""Implement the operations on stages, deployments and tags of HTTP APIs. moto has only some of them.

Each operation takes moto's backend and the parameters with their JSON names, and returns the JSON of the response.
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/
"""
# mypy: disable-error-code="import-not-found, import-untyped, misc, attr-defined"

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.models import Stage

from embedded_localstack.http_apis.checks import RefusedError
from embedded_localstack.http_apis.deployments import Deployment, deploy, deployments_of, stage_to_json
from embedded_localstack.http_apis.wire import snake

Params = Mapping[str, Any]
Json = dict[str, Any]


class NotFoundError(APIGatewayV2Error):
    """The error of AWS for a resource that does not exist."""

    code = 404

    def __init__(self, what: str, identifier: str) -> None:
        super().__init__("NotFoundException", f"Invalid {what} identifier specified {identifier}")


# -- Stages


def create_stage(backend: Any, params: Params) -> Json:
    """Create a stage."""
    api, name = backend.get_api(params["apiId"]), params["stageName"]
    if name in api.stages:
        raise RefusedError(f"Stage already exists: {name}", "ConflictException")
    _verify_deployment(api, params)
    _verify_route_settings(api, params)
    stage = Stage(api, {key: value for key, value in params.items() if value is not None})
    stage.deployment_id = params.get("deploymentId")
    stage.auto_deploy = bool(params.get("autoDeploy"))
    api.stages[name] = stage
    return stage_to_json(stage)


def update_stage(backend: Any, params: Params) -> Json:
    """Change the given settings of a stage."""
    api = backend.get_api(params["apiId"])
    stage = api.get_stage(params["stageName"])
    _verify_deployment(api, params)
    _verify_route_settings(api, params)
    names = ("accessLogSettings", "autoDeploy", "clientCertificateId", "defaultRouteSettings", "deploymentId")
    for name in (*names, "description", "routeSettings", "stageVariables"):
        if params.get(name) is not None:
            setattr(stage, snake(name), params[name])
    return stage_to_json(stage)


def _verify_deployment(api: Any, params: Params) -> None:
    identifier = params.get("deploymentId")
    if identifier and identifier not in deployments_of(api):
        raise RefusedError(f"Deployment id {identifier} does not exist")
    if identifier and params.get("autoDeploy"):
        raise RefusedError("A stage with automatic deployment takes no DeploymentId")


def _verify_route_settings(api: Any, params: Params) -> None:
    keys = {route.route_key for route in api.routes.values()}
    for key in params.get("routeSettings") or {}:
        if key not in keys:
            raise RefusedError(
                f"Unable to find Route by key {key} within the provided RouteSettings", "NotFoundException"
            )


def _stage(backend: Any, params: Params) -> Any:
    return backend.get_api(params["apiId"]).get_stage(params["stageName"])


def get_stage(backend: Any, params: Params) -> Json:
    """Describe a stage."""
    return stage_to_json(_stage(backend, params))


def get_stages(backend: Any, params: Params) -> Json:
    """List the stages of an API."""
    return {"items": [stage_to_json(stage) for stage in backend.get_api(params["apiId"]).stages.values()]}


def delete_stage(backend: Any, params: Params) -> Json:
    """Delete a stage."""
    _stage(backend, params)
    backend.get_api(params["apiId"]).delete_stage(params["stageName"])
    return {}


def delete_access_logs(backend: Any, params: Params) -> Json:
    """Turn off the access logs of a stage."""
    _stage(backend, params).access_log_settings = None
    return {}


def delete_route_settings(backend: Any, params: Params) -> Json:
    """Remove the settings of a route from a stage."""
    if _stage(backend, params).route_settings.pop(params["routeKey"], None) is None:
        raise NotFoundError("RouteSettings", params["routeKey"])
    return {}


def reset_cache(backend: Any, params: Params) -> Json:
    """Discard the cached authorizer answers of a stage. The cache number is part of the key of each answer."""
    stage = _stage(backend, params)
    stage.cache_number = vars(stage).get("cache_number", 0) + 1
    return {}


# -- Deployments


def create_deployment(backend: Any, params: Params) -> Json:
    """Create a deployment of the current API. If the request names a stage, the stage serves it."""
    api = backend.get_api(params["apiId"])
    stage = api.get_stage(params["stageName"]) if params.get("stageName") else None
    if stage and stage.auto_deploy:
        raise RefusedError(f"Stage {stage.name} has automatic deployment: API Gateway deploys to it by itself")
    try:
        deployment = deploy(api, description=params.get("description") or "")
    except ValueError as error:
        raise RefusedError(str(error)) from error
    if stage:
        stage.deployment_id = deployment.identifier
    return deployment.to_json()


def _deployment(backend: Any, params: Params) -> Deployment:
    deployment = deployments_of(backend.get_api(params["apiId"])).get(params["deploymentId"])
    if deployment is None:
        raise NotFoundError("Deployment", params["deploymentId"])
    return deployment


def get_deployment(backend: Any, params: Params) -> Json:
    """Describe a deployment."""
    return _deployment(backend, params).to_json()


def get_deployments(backend: Any, params: Params) -> Json:
    """List the deployments of an API."""
    return {"items": [one.to_json() for one in deployments_of(backend.get_api(params["apiId"])).values()]}


def update_deployment(backend: Any, params: Params) -> Json:
    """Change the description of a deployment."""
    deployment = _deployment(backend, params)
    deployment.description = params.get("description") or ""
    return deployment.to_json()


def delete_deployment(backend: Any, params: Params) -> Json:
    """Delete a deployment that no stage serves."""
    deployment, api = _deployment(backend, params), backend.get_api(params["apiId"])
    if any(vars(stage).get("deployment_id") == deployment.identifier for stage in api.stages.values()):
        raise RefusedError("Active stages pointing to this deployment must be moved or deleted")
    del deployments_of(api)[deployment.identifier]
    return {}


# -- Tags


def _tags(backend: Any, params: Params) -> tuple[Any, str]:
    """Return the stage of the request's ARN, or the API and its ARN, which moto's tags need."""
    arn = unquote(params["resource-arn"])
    _, _, path = arn.partition("::/apis/")
    api_id, _, rest = path.partition("/")
    api = backend.get_api(api_id)
    return (api.get_stage(rest.removeprefix("stages/")), "") if rest else (api, arn)


def get_tags(backend: Any, params: Params) -> Json:
    """Return the tags of an API or a stage."""
    holder, arn = _tags(backend, params)
    return {"tags": backend.get_tags(arn) if arn else holder.tags}


def tag_resource(backend: Any, params: Params) -> Json:
    """Add tags to an API or a stage."""
    holder, arn = _tags(backend, params)
    if arn:
        backend.tag_resource(arn, params.get("tags") or {})
    else:
        holder.tags = {**holder.tags, **(params.get("tags") or {})}
    return {}


def untag_resource(backend: Any, params: Params) -> Json:
    """Remove tags from an API or a stage."""
    holder, arn = _tags(backend, params)
    if arn:
        backend.untag_resource(arn, params["tagKeys"])
    else:
        holder.tags = {name: value for name, value in holder.tags.items() if name not in params["tagKeys"]}
    return {}


OPERATIONS = {
    "CreateDeployment": create_deployment,
    "CreateStage": create_stage,
    "DeleteAccessLogSettings": delete_access_logs,
    "DeleteDeployment": delete_deployment,
    "DeleteRouteSettings": delete_route_settings,
    "DeleteStage": delete_stage,
    "GetDeployment": get_deployment,
    "GetDeployments": get_deployments,
    "GetStage": get_stage,
    "GetStages": get_stages,
    "GetTags": get_tags,
    "ResetAuthorizersCache": reset_cache,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateDeployment": update_deployment,
    "UpdateStage": update_stage,
}
