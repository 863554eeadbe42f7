"""A pytest plugin that skips tests if their cloud lacks a capability, and saves complete runs for capabilities.md."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eventloom import clouds
from scripts import capabilities, capabilities_page

JUDGE = pytest.StashKey[capabilities.Judge]()


def needs(item: pytest.Item | pytest.Module) -> list[str]:
    """Return the capabilities that a test needs."""
    return [str(name) for marker in item.iter_markers("needs") for name in marker.args]


class Results:
    """Collects the outcome of each test."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.deselected = 0
        self.outcomes: dict[str, dict[str, Any]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if unknown := set(needs(item)) - set(capabilities.TABLE):
                raise pytest.UsageError(
                    f"{item.nodeid} needs {', '.join(sorted(unknown))}, which is not in scripts/capabilities.py"
                )
            self.outcomes[item.nodeid] = {"file": Path(item.path).name, "needs": needs(item), "outcome": ""}

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected += len(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.outcomes[report.nodeid]
        if report.failed:
            test["outcome"] = "failed"
        elif report.skipped and isinstance(report.longrepr, tuple):
            test |= {"outcome": "skipped", "reason": report.longrepr[2].removeprefix("Skipped: ")}
        elif report.when == "call":
            test["outcome"] = "passed"

    def pytest_sessionfinish(self) -> None:
        """Save the results if the run is complete, because a partial run does not show what a cloud can do."""
        folders = {Path(argument).name for argument in self.config.args}
        session = folders.pop() if len(folders) == 1 else ""
        whole = session in capabilities_page.SESSIONS and not self.deselected and not self.config.option.ignore
        if whole and self.outcomes and all(test["outcome"] for test in self.outcomes.values()):
            cloud = clouds.chosen_cloud()
            run = {
                "when": datetime.now(UTC).date().isoformat(),
                "made_of": os.environ.get("TESTED_CLOUD", cloud.about),
                "tests": list(self.outcomes.values()),
            }
            capabilities_page.keep(cloud.name, session, run)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        judge = self.config.stash.get(JUDGE, None)
        for name in sorted(name for name, works in judge.works_now.items() if works) if judge else []:
            terminalreporter.write_line(
                f"{judge.cloud.name} now has {name}: its tests ran; take it from `lacking` in scripts/capabilities.py"
            )


def collect(config: pytest.Config) -> None:
    """Register the plugin that collects the results of this run."""
    config.pluginmanager.register(Results(config), "capability-results")


@pytest.fixture(autouse=True, scope="module")
def _module_needs(request: pytest.FixtureRequest) -> None:
    """Skip a module if the cloud lacks a capability that it needs, before any fixture of the module is created."""
    _skip_without(request)


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Skip a test if the cloud lacks a capability that it needs."""
    _skip_without(request)


def _skip_without(request: pytest.FixtureRequest) -> None:
    """Skip a test with the reasons that the table of capabilities gives."""
    capabilities_needed = needs(request.node)
    if not capabilities_needed:
        return
    cloud = request.getfixturevalue("cloud")
    judge = request.config.stash.setdefault(JUDGE, capabilities.Judge(cloud, lambda: _outputs(request)))
    if reasons := [reason for name in capabilities_needed if (reason := judge.reason(name))]:
        pytest.skip("; ".join(reasons))


def _outputs(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the outputs of the deployment, or none in a session that does not deploy terraform/ (tests/modules)."""
    try:
        outputs: dict[str, Any] = request.getfixturevalue("deployment").outputs
    except pytest.FixtureLookupError:
        return {}
    return outputs
