"""Deploys the real Terraform once a session, to the cloud that CLOUD names, and hands out what was deployed.

The embedded cloud gets a LocalStack of its own on another port, so that a running demo is not disturbed.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if os.environ.get("CLOUD", "embedded") == "embedded":
    os.environ.setdefault("EMBEDDED_PORT", "4599")

from eventloom import clouds
from eventloom.deployment import apply, build
from eventloom.deployment.outputs import current_outputs, save_outputs
from eventloom.deployment.terraform import root_module
from scripts import capabilities
from tests.embedded import launch
from tests.integration import evidence, results
from tests.integration.results import _module_needs, _needs  # noqa: F401 - pytest finds the fixtures here
from tests.integration.support import ENVIRONMENT, Deployment, apply_in_another_checkout, impatient, terraform


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep", action="store_true", help="leave the emulator and the deployment for the next run")
    parser.addoption("--deployed", action="store_true", help="test what an earlier run kept as it is now, and keep it")


def pytest_configure(config: pytest.Config) -> None:
    """Results are kept for docs/capabilities.md, and what the embedded LocalStack allowed and refused as evidence."""
    config.addinivalue_line("markers", "proves(*actions, of=None): fails if these had been refused, before too; of some functions alone")
    results.collect(config)
    evidence.collect(config, Path(__file__).parent, last=True)


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[clouds.Cloud]:
    """The cloud, reachable; the embedded one is started and stopped here."""
    cloud = clouds.chosen_cloud()
    embedded = cloud.name == "embedded"
    if embedded:
        launch("up", cloud.port, IAM_AUDIT="1")
    # A demo does without: AWS's provider takes a minute over a load balancer.
    if capabilities.has_load_balancers(cloud, {}):
        os.environ.setdefault("TF_VAR_alb", "true")
    if cloud.endpoint and capabilities.has_distributed_maps(cloud, {}):
        os.environ.setdefault("TF_VAR_backfill", "true")
    yield cloud
    if embedded and not (request.config.getoption("--keep") or request.config.getoption("--deployed")):
        launch("down", cloud.port, "--forget")


@pytest.fixture(scope="session")
def deployment(cloud: clouds.Cloud, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The environment, built and planned here, and applied by that saved plan in another checkout.

    Destroyed by test_zz_destroy.py.
    """
    if request.config.getoption("--deployed"):
        return Deployment(current_outputs(ENVIRONMENT))
    build.build_all(build.function_names(), cloud.architecture, clouds.BUILD)
    apply.prepare(ENVIRONMENT)
    plan = clouds.BUILD / f"{cloud.key}.tfplan"
    root_module()("plan", "-input=false", f"-out={plan}")
    apply_in_another_checkout(plan, tmp_path_factory.mktemp("checkout"))
    evidence.keep_state("root", terraform("show", "-json").stdout)
    return Deployment(save_outputs(ENVIRONMENT))


@pytest.fixture
def impatient_queue(deployment: Deployment) -> Iterator[None]:
    """Messages of the uploads queue come back after a second."""
    url = deployment["uploads_queue_url"]
    with impatient(url, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})):
        yield
        deployment.settled()
