"""A test is skipped in a cloud that lacks a capability, and the page shows every cloud and capability."""

import re
from pathlib import Path
from typing import Any

import pytest

from eventloom import clouds
from scripts import capabilities, capabilities_page
from scripts.capabilities import Capability, Judge

pytest_plugins = ["pytester"]
LACKING = {"compose": "nobody wrote it"}


@pytest.fixture
def flying(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A table with one capability that the compose cloud lacks. The probe returns `works` and counts its `calls`."""
    state: dict[str, Any] = {"works": False, "calls": 0}

    def probe(_cloud: clouds.Cloud, _outputs: object) -> bool:
        state["calls"] += 1
        return bool(state["works"])

    monkeypatch.setattr(capabilities, "TABLE", {"flying": Capability("flying", "wings", LACKING, probe)})
    return state


def test_a_test_is_skipped_with_the_reason_in_the_table_if_the_cloud_lacks_a_capability(flying: dict[str, Any]) -> None:
    judge = Judge(clouds.CLOUDS["compose"], dict)
    assert judge.reason("flying") == "needs wings: nobody wrote it"
    assert judge.reason("flying")
    assert flying["calls"] == 1, "the cloud is probed once"


def test_tests_run_as_soon_as_the_probe_of_a_missing_capability_succeeds(flying: dict[str, Any]) -> None:
    flying["works"] = True
    judge = Judge(clouds.CLOUDS["compose"], dict)
    assert judge.reason("flying") is None
    assert judge.works_now == {"flying": True}


def test_a_cloud_with_a_capability_is_not_probed_so_that_a_loss_fails_the_test(flying: dict[str, Any]) -> None:
    assert Judge(clouds.CLOUDS["embedded"], dict).reason("flying") is None
    assert flying["calls"] == 0


def test_a_capability_that_names_an_unknown_cloud_is_an_error() -> None:
    with pytest.raises(ValueError, match="no cloud is named azure"):
        Capability("flying", "wings", {"azure": "none"}, lambda _cloud, _outputs: True)


PYTEST = """
import pytest

@pytest.mark.needs("flying")
def test_flies(): pass

def test_walks(): pass
"""


# A module fixture that only works in a cloud with the capability
MODULE = """
import pytest
from scripts import capabilities

pytestmark = pytest.mark.needs("flying")

@pytest.fixture(scope="module")
def wings(): assert capabilities.TABLE["flying"].probe(None, {})

def test_soars(wings): pass
"""


@pytest.mark.parametrize(("works", "outcomes"), [(False, {"passed": 1, "skipped": 2}), (True, {"passed": 3})])
def test_pytest_skips_by_capability_and_saves_the_results_of_a_whole_run(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    flying: dict[str, Any],
    works: bool,
    outcomes: dict[str, int],
) -> None:
    flying["works"] = works
    saved: dict[str, Any] = {}
    monkeypatch.setattr(capabilities_page, "keep", lambda cloud, session, run: saved.update({cloud: run["tests"]}))
    monkeypatch.setattr(clouds, "chosen_cloud", lambda: clouds.CLOUDS["compose"])
    pytester.makeini("[pytest]\nmarkers = needs(name): what it needs\n")
    pytester.mkdir("integration").joinpath("test_it.py").write_text(f'"""Animals."""\n{PYTEST}')
    pytester.makeconftest(
        "import types, pytest\nfrom eventloom import clouds\n"
        # This line comes first: it imports the module again in each run, and updates the attribute of its package.
        "from tests.integration.results import _module_needs, _needs\nfrom tests.integration import results\n"
        "def pytest_configure(config): results.collect(config)\n"
        "@pytest.fixture(scope='session')\ndef cloud(): return clouds.CLOUDS['compose']\n"
        "@pytest.fixture(scope='session')\ndef deployment(): return types.SimpleNamespace(outputs={})\n"
    )
    pytester.path.joinpath("integration", "test_module.py").write_text(MODULE)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", "integration")
    result.assert_outcomes(**outcomes)
    assert ("compose now has flying" in result.stdout.str()) == works
    assert [(test["needs"], test["outcome"]) for test in saved["compose"] if test["file"] == "test_it.py"] == [
        (["flying"], "passed" if works else "skipped"),
        ([], "passed"),
    ]


def cells(page: str) -> list[str]:
    """Return every cell of the page's tables, without the headings."""
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert lines
    return [cell.strip() for line in lines for cell in line.strip("|").split("|")]


def two_tests(outcome: str, reason: str = "") -> list[dict[str, Any]]:
    """Return the results of a test that needs `flying`, and of one that does not."""
    flies = {"file": "test_birds.py", "needs": ["flying"], "outcome": outcome, "reason": reason}
    return [flies, {"file": "test_birds.py", "needs": [], "outcome": "passed"}]


@pytest.mark.usefixtures("flying")
def test_the_page_has_a_cell_for_every_cloud_and_feature() -> None:
    runs = {
        "embedded": capabilities_page.summary("2026-01-31", "here", two_tests("passed")),
        "compose": capabilities_page.summary(
            "2026-01-31", "there", two_tests("skipped", "needs wings: nobody wrote it")
        ),
    }
    page = capabilities_page.render(runs)
    assert "| `flying` | yes, 1 passed | no, 1 skipped | yes, not run |" in page
    assert "- `flying`: wings. compose lacks it: nobody wrote it." in page
    assert "| `birds` | 2 passed | 1 passed, 1 skipped | not run |" in page
    assert all(cells(page))


@pytest.mark.usefixtures("flying")
def test_the_page_shows_failures_and_capabilities_that_work_now() -> None:
    runs = {
        cloud: capabilities_page.summary("2026-01-31", "here", two_tests(outcome))
        for cloud, outcome in (("embedded", "failed"), ("compose", "passed"))
    }
    page = capabilities_page.render(runs)
    assert "| yes, **1 failed** | works now, 1 passed | yes, not run |" in page
    assert "| `birds` | 1 passed, **1 failed** | 2 passed | not run |" in page


@pytest.mark.usefixtures("flying")
def test_the_page_shows_what_a_cloud_lacks_before_its_first_run() -> None:
    assert "| `flying` | yes, not run | no, not run | yes, not run |" in capabilities_page.render({})


def test_a_run_counts_when_all_of_its_sessions_ran(tmp_path: Path) -> None:
    run = {"when": "2026-01-30", "made_of": "here", "tests": two_tests("passed")}
    capabilities_page.keep("embedded", "integration", run, tmp_path)
    assert capabilities_page.new_runs(tmp_path) == {}
    run = {"when": "2026-01-31", "made_of": "here", "tests": two_tests("failed")}
    capabilities_page.keep("embedded", "modules", run, tmp_path)
    assert capabilities_page.new_runs(tmp_path) == {
        "embedded": capabilities_page.summary("2026-01-31", "here", [*two_tests("passed"), *two_tests("failed")])
    }


def test_the_tables_fit_on_a_screen_and_no_line_is_too_long() -> None:
    lines = capabilities_page.PAGE.read_text().splitlines()
    assert lines.index("## What a capability is") <= 50
    assert [line for line in lines if len(line) > 120] == []


def test_the_page_in_the_docs_is_up_to_date() -> None:
    page = capabilities_page.PAGE.read_text()
    assert page == capabilities_page.render(capabilities_page.recorded(page)), "run: make capabilities"
    assert all(cells(page))


@pytest.mark.usefixtures("flying")
def test_a_page_is_the_record_of_the_runs_that_it_shows() -> None:
    peers = {"Other one": {"when": "2026-02-03", "version": "1.2", "capabilities": {"flying": "no, Fly: 500"}}}
    reason = "needs wings: nobody wrote it"
    tests = [*two_tests("failed"), *two_tests("skipped", reason)]
    runs = {"compose": capabilities_page.summary("2026-01-31", f"there, {'very ' * 30}far", tests)}
    page = capabilities_page.render(runs | {"peers": peers})
    record = capabilities_page.recorded(page)
    assert record["compose"]["made_of"] == runs["compose"]["made_of"]
    assert record["compose"]["when"] == "2026-01-31"
    counted = {"passed": 0, "failed": 1, "skipped": {"": 1}}
    assert record["compose"]["capabilities"]["flying"] == counted
    assert record["compose"]["features"] == {"test_birds.py": counted | {"passed": 2}}
    assert record.keys() == {"compose", "peers"}, "what never ran is not recorded"
    assert record["peers"]["Other one"]["capabilities"]["flying"] == "no, Fly: 500"
    assert capabilities_page.render(record) == page


def test_the_answers_of_other_emulators_are_new_results(tmp_path: Path) -> None:
    (tmp_path / "peers.json").write_text('{"Other one": {}}')
    assert capabilities_page.new_runs(tmp_path) == {"peers": {"Other one": {}}}


def test_tests_need_exactly_the_capabilities_in_the_table() -> None:
    folders = [clouds.ROOT / "tests" / session for session in capabilities_page.SESSIONS]
    sources = [path.read_text() for folder in folders for path in sorted(folder.glob("test_*.py"))]
    needed = {name for source in sources for name in re.findall(r'mark\.needs\("(\w+)"', source)}
    assert needed <= set(capabilities.TABLE)
    assert set(capabilities.TABLE) <= needed, "remove capabilities that no test needs"
    comparison = re.compile(r"cloud\.name [!=]= \"(embedded|compose|aws)\"")
    assert not [source for source in sources if comparison.search(source)], "use needs(...) instead of a cloud's name"
