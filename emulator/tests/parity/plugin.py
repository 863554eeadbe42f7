"""A pytest plugin that lets LocalStack's tests run against a server that they did not start.

`-p` loads the plugin before LocalStack's own plugins. It changes only what must differ here:

- functions of any Python version run on python3.13, and the recorded answers are changed to it;
- names below localhost.localstack.cloud resolve to 127.0.0.1 without DNS;
- port 4566 becomes the server's port, also in the recorded answers.

PARITY_PORT is the server's port. PARITY_OUTCOMES names the file for the outcomes, as JSON by test.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from localstack import constants
from localstack_snapshot.snapshots.prototype import SnapshotSession

from parity.recordings import RUNTIME, adapted

PORT = int(os.environ["PARITY_PORT"])
OUTCOMES = Path(os.environ["PARITY_OUTCOMES"])
DOMAIN = "localhost.localstack.cloud"

outcomes: dict[str, dict[str, str]] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Patch the modules that LocalStack's tests import, before LocalStack's conftest reads the port."""
    constants.DEFAULT_PORT_EDGE = PORT
    load, call, resolve = SnapshotSession._load_state, BaseClient._make_api_call, socket.getaddrinfo

    def load_state(session: SnapshotSession) -> dict[str, Any] | None:
        state = load(session)
        return adapted(state, PORT) if state else state

    def call_with_runtime(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if str(parameters.get("Runtime")).startswith("python3."):
            parameters = parameters | {"Runtime": RUNTIME}
        return call(client, operation, parameters)

    def resolve_locally(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        return resolve("127.0.0.1" if name.endswith(DOMAIN) else host, *arguments, **options)

    SnapshotSession._load_state = load_state
    BaseClient._make_api_call = call_with_runtime
    socket.getaddrinfo = resolve_locally


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the outcome of a test: that of its first phase that did not pass, or else that of its call."""
    before = outcomes.get(report.nodeid)
    if report.outcome == "rerun" or (before and before["outcome"] != "passed"):
        return
    message = ""
    if report.skipped:
        message = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", ""))
    elif report.failed:
        message = (report.longreprtext.strip().splitlines() or [""])[-1]
    outcomes[report.nodeid] = {"outcome": report.outcome, "message": message[:300]}


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Record a file that can't be imported as a failed test."""
    if report.failed:
        outcomes[report.nodeid] = {"outcome": "failed", "message": report.longreprtext.strip().splitlines()[-1][:300]}


def pytest_runtest_logfinish() -> None:
    """Write the outcomes after each test, so that an interrupted run keeps the outcomes of its finished tests."""
    OUTCOMES.write_text(json.dumps(outcomes, indent=1) + "\n")
