"""Fixtures that deploy other people's projects, and a hook that writes the table of the results.

    python -m pytest emulator/tests/foreign --projects FOLDER --table FILE

Without `--projects`, only our own projects and those that a tool generates are deployed.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_localstack.testing import LocalStackProcess
from foreign import table
from foreign.projects import MissingError, Project
from foreign.tools import ToolError, Tools
from foreign.workspace import Workspace

ROWS = pytest.StashKey[list[table.Row]]()
SPACE = pytest.StashKey[Workspace]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this lane."""
    group = parser.getgroup("foreign")
    group.addoption("--projects", type=Path, help="a folder with git repositories of the projects")
    group.addoption("--table", type=Path, help="write the table into this file")
    group.addoption("--kept", type=Path, default=Path("build/foreign"), help="a folder for tools, kept between runs")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of a project."""
    config.addinivalue_line("markers", "project(name, source=None, tool=''): the project that a test deploys")
    config.stash[ROWS] = []


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStackProcess]:
    """Yield a server for all projects. It is empty before each project."""
    port = int(os.environ.get("EMBEDDED_PORT") or 0) or None
    with LocalStackProcess(port=port, home=tmp_path_factory.mktemp("server")) as process:
        yield process


@pytest.fixture
def space(request: pytest.FixtureRequest, server: LocalStackProcess, tmp_path: Path) -> Workspace:
    """Return the workspace of a test, with an empty cloud."""
    server.reset()
    given = request.config.getoption("projects")
    kept = request.config.getoption("kept").resolve()
    workspace = Workspace(tmp_path, server, Tools(kept), given and given.resolve())
    request.node.stash[SPACE] = workspace
    return workspace


@pytest.fixture
def folder(request: pytest.FixtureRequest, space: Workspace, tmp_path: Path) -> Path:
    """Return a copy of the project in the test's marker."""
    source = request.node.get_closest_marker("project").kwargs["source"]
    if isinstance(source, Project):
        return source.copy(space.projects, tmp_path / "project")
    return Path(source)


def _unavailable(call: pytest.CallInfo[Any]) -> str:
    """Return why a project was not tried, or an empty text if it was."""
    error = call.excinfo.value if call.excinfo else None
    return str(error) if isinstance(error, (MissingError, ToolError)) else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[Any]:
    """Skip a test if its project or tool is missing, and add a row for each finished test."""
    report = yield
    if why := _unavailable(call):
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, f"Skipped: {why}")
    marker = item.get_closest_marker("project")
    if marker and (call.when == "call" or (call.when == "setup" and not report.passed)):
        item.config.stash[ROWS].append(_row(item, marker, report, call, why))
    return report


def _row(item: pytest.Item, marker: pytest.Mark, report: Any, call: pytest.CallInfo[Any], why: str) -> table.Row:
    space = item.stash.get(SPACE, None)
    facts = space.facts if space else {}
    source = marker.kwargs.get("source")
    commit = source.commit if isinstance(source, Project) else ""
    tool = facts.get("tool", marker.kwargs.get("tool", ""))
    if report.passed:
        return table.Row(marker.args[0], commit, tool, "runs", facts.get("changed", ""))
    if report.skipped and hasattr(report, "wasxfail"):
        return table.Row(marker.args[0], commit, tool, "does not run", report.wasxfail.removeprefix("reason: "))
    if report.skipped:
        return table.Row(marker.args[0], commit, tool, "not tried", why)
    failure = str(call.excinfo.value).splitlines() if call.excinfo else []
    return table.Row(marker.args[0], commit, tool, "does not run", (failure or ["no message"])[0])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table. Rows of this run replace the rows of the same projects from earlier runs."""
    file = session.config.getoption("table")
    rows = session.config.stash[ROWS]
    if not file or not rows:
        return
    saved = session.config.getoption("kept") / "rows.json"
    everything = table.merged(rows, saved)
    table.save(everything, saved)
    aws = os.environ.get("TF_PROVIDER_MIRROR") and _aws_version(Path(os.environ["TF_PROVIDER_MIRROR"]))
    file.write_text(table.page(everything, aws or ""))


def _aws_version(mirror: Path) -> str:
    versions = sorted((mirror / "registry.terraform.io/hashicorp/aws").glob("[0-9]*"))
    return versions[-1].name if versions else ""
