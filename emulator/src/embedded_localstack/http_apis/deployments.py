"""Manage the deployments of an HTTP API. Each one is a copy of its routes, integrations and authorizers.

moto has no deployments. So this module stores them as attributes of moto's Api and Stage, and they are saved with these
objects.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

import copy
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NOTHING_TO_DEPLOY = "At least one route is required before deploying the API."


@dataclass
class Deployment:
    """A deployment. `content` has the routes as a list, integrations and authorizers by identifier, and CORS."""

    content: Mapping[str, Any]
    automatic: bool = False
    description: str = ""
    identifier: str = field(default_factory=lambda: new_identifier(6))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_json(self) -> dict[str, Any]:
        """Return the deployment as GetDeployment describes it."""
        return {
            "deploymentId": self.identifier,
            "deploymentStatus": "DEPLOYED",
            "autoDeployed": self.automatic,
            "createdDate": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": self.description or None,
        }


def new_identifier(length: int) -> str:
    """Return a random identifier of letters and digits that begins with a letter."""
    rest = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length - 1))
    return secrets.choice(string.ascii_lowercase) + rest


def deployments_of(api: Any) -> dict[str, Deployment]:
    """Return the deployments of an API by their identifiers."""
    deployments: dict[str, Deployment] = vars(api).setdefault("deployments", {})
    return deployments


def content_of(api: Any) -> dict[str, Any]:
    """Return the content of a new deployment of the API, as a copy."""
    return copy.deepcopy(
        {
            "routes": [route.to_json() for route in api.routes.values()],
            "integrations": {name: integration.to_json() for name, integration in api.integrations.items()},
            "authorizers": {name: authorizer.to_json() for name, authorizer in api.authorizers.items()},
            "cors": api.cors_configuration,
        }
    )


def deploy(api: Any, *, automatic: bool = False, description: str = "") -> Deployment:
    """Add a deployment of the current API.

    Raises:
        ValueError: the API has no routes.
    """
    if not api.routes:
        raise ValueError(NOTHING_TO_DEPLOY)
    deployment = Deployment(content_of(api), automatic, description)
    deployments_of(api)[deployment.identifier] = deployment
    return deployment


def redeploy(api: Any) -> None:
    """Deploy the API to its stages with AutoDeploy, and remove automatic deployments that no stage uses.

    If the API has no routes, a stage keeps its deployment, as on AWS. Its last status message then reports the failure.
    """
    stages = [stage for stage in api.stages.values() if stage.auto_deploy]
    if not stages:
        return
    try:
        deployment = deploy(api, automatic=True)
    except ValueError as error:
        for stage in stages:
            stage.last_status = f"Deployment attempt failed: {error}"
        return
    for stage in stages:
        stage.deployment_id = deployment.identifier
        stage.last_status = f"Successfully deployed stage with deployment ID '{deployment.identifier}'"
    used = {vars(stage).get("deployment_id") for stage in api.stages.values()}
    for name, old in list(deployments_of(api).items()):
        if old.automatic and name not in used:
            del deployments_of(api)[name]


def content_of_stage(api: Any, stage: Any) -> Mapping[str, Any] | None:
    """Return the content of the deployment that a stage serves, or None if it has none."""
    deployment = deployments_of(api).get(vars(stage).get("deployment_id") or "")
    return deployment.content if deployment else None


def stage_to_json(stage: Any) -> dict[str, Any]:
    """Return a stage as GetStage describes it."""
    more = vars(stage)
    return {
        **stage.to_json(),
        "deploymentId": more.get("deployment_id"),
        "lastDeploymentStatusMessage": more.get("last_status"),
        "apiGatewayManaged": more.get("managed"),
    }
