"""The commands that README and docs tell users to type, typed: `make ...` against what is deployed."""

from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from tests.integration.checkouts import environment, make, run
from tests.integration.photos import photo
from tests.integration.support import Deployment

# Each is typed as it stands; the first word is what the documentation's table of commands refers to.
COMMANDS = {
    "help": ("", "Start here"),
    "build": ("NAMES=digest", "digest: unchanged"),
    "status": ("", "runs on"),
    "thumbnail": ("FILE={photo}", '"READY"'),
    "upload": ("FILE={photo}", "READY"),
    "invoke": ("FN=digest EVENT=manual", ""),
    "logs": ("FN=thumbnailer", "done"),
    "watch": ("ONCE=1", "uploads-dlq"),
    "report": ("MINUTES=10", "report.html"),
}
NEEDS = {"status": pytest.mark.needs("launcher")}


@pytest.mark.parametrize("target", [pytest.param(name, marks=NEEDS.get(name, [])) for name in COMMANDS])
def test_make(target: str, deployment: Deployment, tmp_path: Path) -> None:
    options, expected = COMMANDS[target]
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo())
    assert expected in make(ROOT, target, *options.format(photo=file).split(), variables=environment() | {"NO_COLOR": "1"})


def test_without_an_engine_the_compose_lane_says_what_to_do(tmp_path: Path) -> None:
    """No engine is reached; and one that is reached all the same finds no Docker Compose, so that no cloud runs within this one."""
    variables = environment() | {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock", "COMPOSE": "none"}
    variables.pop("DOCKER_CONTEXT", None)
    refused = run(ROOT, "test-compose", variables=variables)
    assert "or use the embedded LocalStack: make test" in refused.stderr
    assert "test-compose] Error 1" in refused.stderr
    assert refused.returncode == 2
