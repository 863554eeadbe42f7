"""Provide pytest fixtures for a cloud, and add IAM's refusals and functions' logs to test reports.

The plugin imports only pytest until a test uses one of its fixtures.
"""

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from embedded_localstack.testing import LocalStackProcess

FIXTURE = "embedded_localstack"
FAIL, ALLOW = "fail_on_iam_denial", "allow_iam_denial"
MOST_LINES = 200
"""The number of the last lines of functions' logs in a report."""

LOG_SECONDS = 2

_cloud = pytest.StashKey["LocalStackProcess"]()
_start = pytest.StashKey[tuple[float, int]]()
"""The time at which a test starts, in seconds, and the number of refused calls before it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the command-line options, and a setting for each option in pytest's configuration file."""
    options = parser.getgroup("embedded-localstack", "AWS on this machine, with IAM enforced")
    for name, about in {
        "port": "use the server that runs on this port, which the tests empty, and do not start another one",
        "home": "the folder of that server, if `embedded-localstack up` was called with --home",
        "region": "the region of the tests (default us-east-1)",
    }.items():
        options.addoption(f"--embedded-localstack-{name}", default=None, metavar=name.upper(), help=about)
        parser.addini(f"embedded_localstack_{name}", about, default="")
    about = "`fail`: each test in which IAM refuses a call fails, unless it is marked with allow_iam_denial"
    parser.addini("embedded_localstack_iam_denials", about, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line("markers", f"{FAIL}: the test fails if IAM refuses a call in it")
    config.addinivalue_line("markers", f"{ALLOW}: IAM may refuse calls in the test, whatever the setting says")


@pytest.fixture(scope="session", name=FIXTURE)
def embedded_localstack_fixture(request: pytest.FixtureRequest) -> "Iterator[LocalStackProcess]":
    """Yield the cloud of the session. The environment variables of the AWS SDKs point to it."""
    from embedded_localstack.testing import REGION, LocalStackProcess  # noqa: PLC0415 - not for other sessions

    config = request.config
    port, home, region = (_setting(config, name) for name in ("port", "home", "region"))
    cloud = LocalStackProcess(
        port=_number(port), home=config.rootpath / home if home else None, region_name=region or REGION
    )
    (cloud.attach if port or home else cloud.start)()
    config.stash[_cloud] = cloud
    try:
        with cloud.environment():
            yield cloud
    finally:
        del config.stash[_cloud]
        cloud.stop()


@pytest.fixture
def fresh_cloud(embedded_localstack: "LocalStackProcess") -> "LocalStackProcess":
    """Return the cloud of the session, with nothing deployed in it."""
    embedded_localstack.reset()
    return embedded_localstack


def _setting(config: pytest.Config, name: str) -> str:
    return str(config.getoption(f"--embedded-localstack-{name}") or config.getini(f"embedded_localstack_{name}"))


def _number(port: str) -> int | None:
    if port and not port.isdecimal():
        raise pytest.UsageError(f"embedded_localstack_port: {port} is not a port")
    return int(port) if port else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Store the start time of the test and the number of calls that IAM refused before it."""
    cloud = item.config.stash.get(_cloud, None)
    item.stash[_start] = (time.time(), cloud.denials_so_far() if cloud else 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add IAM's refusals and the logs of functions to the report of a failed test. A refusal itself may fail a test."""
    report = yield
    cloud = item.config.stash.get(_cloud, None)
    if not cloud or FIXTURE not in getattr(item, "fixturenames", ()) or call.when == "teardown":
        return report
    began, before = item.stash[_start]
    refused = _refusals(cloud, before)
    if report.passed and call.when == "call" and refused and _denials_fail(item):
        report.outcome = "failed"
        report.longrepr = f"IAM refused a call in this test:\n{refused}"
    elif report.failed and refused:
        report.sections.append(("calls that IAM refused", refused))
    if report.failed and (logs := _function_logs(cloud, began)):
        report.sections.append(("logs of Lambda functions", logs))
    return report


def _denials_fail(item: pytest.Item) -> bool:
    if item.get_closest_marker(ALLOW):
        return False
    return bool(item.get_closest_marker(FAIL)) or item.config.getini("embedded_localstack_iam_denials") == "fail"


def _refusals(cloud: "LocalStackProcess", since: int) -> str:
    return "\n".join(
        f"{denial.who}\n  may not {denial.action} on {denial.resource}\n  asked: {denial.policy}: {denial.reason}"
        for denial in cloud.denials(since)
    )


def _function_logs(cloud: "LocalStackProcess", since: float) -> str:
    """Return the log lines of functions since a time. As on AWS, lines that a role may not write are missing.

    The server writes logs after it answers an invocation, so this function waits until the logs are complete.
    """
    try:
        if not cloud.get_client("lambda").list_functions()["Functions"]:
            return ""
        lines, deadline = list[str](), time.monotonic() + LOG_SECONDS
        while True:
            before, lines = lines, _log_lines(cloud.get_client("logs"), int(since * 1000))
            if (lines and lines == before) or time.monotonic() > deadline:
                return "\n".join(lines[-MOST_LINES:])
            time.sleep(0.2)
    except Exception as error:  # a report without logs is better than none
        return f"(could not be read: {error})"


def _log_lines(logs: Any, since: int) -> list[str]:
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    events = [
        (event["timestamp"], f"{group['logGroupName'].removeprefix('/aws/lambda/')}: {event['message'].rstrip()}")
        for group in groups
        for event in logs.filter_log_events(logGroupName=group["logGroupName"], startTime=since)["events"]
    ]
    return [line for _, line in sorted(events, key=lambda event: event[0])]
