"""The deployed API follows its own OpenAPI document. schemathesis sends valid and invalid requests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.support import Deployment
from tests.integration.test_catalog_api import Api, api  # noqa: F401 - the fixture

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.needs("gateway_responses")
def test_every_operation_follows_the_openapi_document(api: Api, deployment: Deployment, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    answer = api("GET", "/openapi.json")
    assert answer.status_code == 200
    document = tmp_path / "openapi.json"
    document.write_bytes(answer.content)
    operations = sum(len(methods) for methods in answer.json()["paths"].values())
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(CONFIG),
        "--no-color",
        "run",
        str(document),
    ]
    arguments = ["--url", api.url, "--header", f"X-Api-Key: {api.key}", "--header", "Accept-Encoding: identity"]
    process = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    tested = re.search(r"Tested: (\d+)", process.stdout)
    assert tested, process.stdout
    assert int(tested[1]) == operations, process.stdout
