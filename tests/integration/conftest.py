"""Deploys the real Terraform once a session, to the lane that LANE names, and hands out what was deployed.

The embedded lane gets a LocalStack of its own on another port, so that a running demo is not disturbed.
"""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

if os.environ.get("LANE", "embedded") == "embedded":
    os.environ.setdefault("EMBEDDED_PORT", "4599")

from support import ENVIRONMENT, Deployment, apply_in_another_checkout, impatient

import build
import clouds
import deploy

LAUNCHER = [str(clouds.BUILD / "venv/localstack/bin/python"), "-m", "embedded_localstack"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep", action="store_true", help="leave the emulator and the deployment for the next run")


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[clouds.Lane]:
    """The lane, reachable; the embedded one is started and stopped here."""
    lane = clouds.lane()
    embedded = lane.name == "embedded"
    if embedded:
        subprocess.run([*LAUNCHER, "up", "--port", str(lane.port)], check=True)
    yield lane
    if embedded and not request.config.getoption("--keep"):
        subprocess.run([*LAUNCHER, "down", "--port", str(lane.port)], check=True)


@pytest.fixture(scope="session")
def deployment(cloud: clouds.Lane, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The environment, built and planned here, and applied by that saved plan in another checkout.

    Destroyed by test_zz_destroy.py.
    """
    build.build_all(build.function_names(), cloud.architecture, clouds.BUILD)
    deploy.prepare(ENVIRONMENT)
    plan = clouds.BUILD / f"{cloud.key}.tfplan"
    deploy.terraform("plan", "-input=false", f"-out={plan}", capture=True)
    apply_in_another_checkout(plan, tmp_path_factory.mktemp("checkout"))
    return Deployment(deploy.save_outputs())


@pytest.fixture
def impatient_queue(deployment: Deployment) -> Iterator[None]:
    """Messages of the uploads queue come back after a second."""
    url = deployment["uploads_queue_url"]
    with impatient(url, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})):
        yield
        deployment.settled()
