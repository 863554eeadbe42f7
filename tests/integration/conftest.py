"""Deploy the real Terraform once per session, to the cloud that CLOUD names.

The embedded cloud gets its own emulator on another port, so that a running demo is not disturbed.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

if os.environ.get("CLOUD", "embedded") == "embedded":
    os.environ.setdefault("EMBEDDED_PORT", "4599")

from eventloom import clouds
from eventloom.deployment import api_logs, apply, build
from eventloom.deployment.outputs import current_outputs, save_outputs
from eventloom.deployment.terraform import root_module
from scripts import capabilities
from tests import kept_deployments
from tests.embedded import launch
from tests.integration import evidence, results
from tests.integration.results import _module_needs, _needs  # noqa: F401 - pytest finds the fixtures here
from tests.integration.support import (
    ENVIRONMENT,
    Deployment,
    apply_in_another_checkout,
    few_receives,
    impatient,
    terraform,
)

BEGINNING = pytest.StashKey[kept_deployments.Beginning]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep", action="store_true", help="leave the emulator and the deployment for the next run")
    parser.addoption("--deployed", action="store_true", help="test what an earlier --keep run deployed, and keep it")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugins that write the results for docs/capabilities.md and the evidence of IAM decisions."""
    marker = "proves(*actions, of=None): the test fails if IAM refuses these actions; `of` limits it to some functions"
    config.addinivalue_line("markers", marker)
    results.collect(config)
    evidence.collect(config, Path(__file__).parent, "integration")


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[clouds.Cloud]:
    """Return the cloud once it is reachable. The embedded one is started here and stopped at the end."""
    cloud = clouds.chosen_cloud()
    embedded = cloud.name == "embedded"
    if embedded:
        deploys = any("deployment" in getattr(item, "fixturenames", ()) for item in request.session.items)
        collecting = evidence.is_collecting(request.config)
        if deploys and not request.config.getoption("--deployed"):
            build.build_all(build.function_names(), cloud.architecture, clouds.BUILD)
        may_restore = deploys and not (collecting or request.config.getoption("--deployed"))
        begun = kept_deployments.begin(cloud, may_restore=may_restore, IAM_AUDIT="1")
        request.config.stash[BEGINNING] = begun
    # A demo has no load balancer, because AWS's provider takes a minute to create one.
    if capabilities.has_load_balancers(cloud, {}):
        os.environ.setdefault("TF_VAR_alb", "true")
    if cloud.endpoint and capabilities.has_distributed_maps(cloud, {}):
        os.environ.setdefault("TF_VAR_backfill", "true")
    yield cloud
    if embedded and not (request.config.getoption("--keep") or request.config.getoption("--deployed")):
        launch("down", cloud.port, "--forget")


@pytest.fixture(scope="session")
def deployment(
    cloud: clouds.Cloud, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """Build and plan the environment here, and apply the saved plan in another checkout.

    test_zz_destroy.py destroys the deployment. A session that collects no evidence uses a copy of the last deployment
    if its inputs have not changed.
    """
    if request.config.getoption("--deployed"):
        api_logs.choose(api_logs.account(ENVIRONMENT))
        return Deployment(current_outputs(ENVIRONMENT))
    build.build_all(build.function_names(), cloud.architecture, clouds.BUILD)
    apply.prepare(ENVIRONMENT)
    beginning = request.config.stash.get(BEGINNING, None)
    if beginning and beginning.state == "restored":
        return Deployment(current_outputs(ENVIRONMENT))
    plan = clouds.BUILD / f"{cloud.key}.tfplan"
    root_module()("plan", "-input=false", f"-out={plan}")
    apply_in_another_checkout(plan, tmp_path_factory.mktemp("checkout"))
    evidence.keep_state("root", terraform("show", "-json").stdout)
    if beginning:
        beginning.keep(cloud, IAM_AUDIT="1")
    return Deployment(save_outputs(ENVIRONMENT))


@pytest.fixture
def impatient_queue(deployment: Deployment) -> Iterator[None]:
    """Make messages of the uploads queue visible again after a second, or move them after two receives.

    A policy denies the thumbnailer to change a message's visibility timeout, so the message uses up its receives within
    seconds. If the cloud does not enforce IAM, the thumbnailer can change it, so the queue allows fewer receives.
    """
    url = deployment["uploads_queue_url"]
    with ExitStack() as changes:
        changes.enter_context(impatient(url, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})))
        if clouds.chosen_cloud().name == "compose":
            changes.enter_context(few_receives(url))
        else:
            changes.enter_context(deployment.outage("thumbnailer", "sqs:ChangeMessageVisibility"))
        yield
        deployment.wait_until_settled()
