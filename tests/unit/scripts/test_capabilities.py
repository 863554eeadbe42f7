"""Capabilities: a cloud is skipped for what it lacks, by its own word, and the page says so in every cell."""

import re
from typing import Any

import pytest

from eventloom import clouds
from scripts import capabilities, capabilities_page
from scripts.capabilities import Capability, Judge

pytest_plugins = ["pytester"]
LACKING = {"compose": "nobody wrote it"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A table of one capability, which the compose cloud is said to lack; `works` is what its probe answers."""
    state: dict[str, Any] = {"works": False, "times": 0}

    def probe(_lane: clouds.Cloud, _outputs: object) -> bool:
        state["times"] += 1
        return bool(state["works"])

    monkeypatch.setattr(capabilities, "TABLE", {"flying": Capability("flying", "wings", LACKING, probe)})
    return state


def test_a_test_is_skipped_with_the_tables_reason_where_its_lane_lacks_something(asked: dict[str, Any]) -> None:
    judge = Judge(clouds.CLOUDS["compose"], dict)
    assert judge.reason("flying") == "needs wings: nobody wrote it"
    assert judge.reason("flying")
    assert asked["times"] == 1, "a cloud is asked once"


def test_a_lane_that_starts_to_support_something_has_its_tests_run(asked: dict[str, Any]) -> None:
    asked["works"] = True
    judge = Judge(clouds.CLOUDS["compose"], dict)
    assert judge.reason("flying") is None
    assert judge.works_now == {"flying": True}


def test_a_lane_that_has_it_is_not_asked_so_that_a_loss_fails(asked: dict[str, Any]) -> None:
    assert Judge(clouds.CLOUDS["embedded"], dict).reason("flying") is None
    assert asked["times"] == 0


def test_a_lane_of_the_table_exists() -> None:
    with pytest.raises(ValueError, match="no cloud is named azure"):
        Capability("flying", "wings", {"azure": "none"}, lambda _lane, _outputs: True)


PYTEST = """
import pytest

@pytest.mark.needs("flying")
def test_flies(): pass

def test_walks(): pass
"""


# A fixture that only works in a cloud that can do it, made for the whole module
MODULE = """
import pytest
from scripts import capabilities

pytestmark = pytest.mark.needs("flying")

@pytest.fixture(scope="module")
def wings(): assert capabilities.TABLE["flying"].probe(None, {})

def test_soars(wings): pass
"""


@pytest.mark.parametrize(("works", "outcomes"), [(False, {"passed": 1, "skipped": 2}), (True, {"passed": 3})])
def test_pytest_goes_by_it_and_keeps_a_whole_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], works: bool, outcomes: dict[str, int]
) -> None:
    asked["works"] = works
    kept: dict[str, Any] = {}
    monkeypatch.setattr(capabilities_page, "keep", lambda cloud, when, made_of, tests: kept.update({cloud: tests}))
    monkeypatch.setattr(clouds, "chosen_cloud", lambda: clouds.CLOUDS["compose"])
    pytester.makeini("[pytest]\nmarkers = needs(name): what it needs\n")
    pytester.mkdir("integration").joinpath("test_it.py").write_text(f'"""Animals."""\n{PYTEST}')
    pytester.makeconftest(
        "import types, pytest\nfrom eventloom import clouds\nfrom tests.integration import results\n"
        "from tests.integration.results import _module_needs, _needs\n"
        "def pytest_configure(config): results.collect(config)\n"
        "@pytest.fixture(scope='session')\ndef cloud(): return clouds.CLOUDS['compose']\n"
        "@pytest.fixture(scope='session')\ndef deployment(): return types.SimpleNamespace(outputs={})\n"
    )
    pytester.path.joinpath("integration", "test_module.py").write_text(MODULE)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", "integration")
    done.assert_outcomes(**outcomes)
    assert ("compose now has flying" in done.stdout.str()) == works
    assert [(test["needs"], test["outcome"]) for test in kept["compose"] if test["file"] == "test_it.py"] == [
        (["flying"], "passed" if works else "skipped"),
        ([], "passed"),
    ]


def cells(page: str) -> list[str]:
    """Every cell of the page's tables, headings left out."""
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert lines
    return [cell.strip() for line in lines for cell in line.strip("|").split("|")]


def two_tests(outcome: str, reason: str = "") -> list[dict[str, Any]]:
    """One test that needs `flying`, and one that does not."""
    flies = {"file": "test_birds.py", "needs": ["flying"], "outcome": outcome, "reason": reason}
    return [flies, {"file": "test_birds.py", "needs": [], "outcome": "passed"}]


@pytest.mark.usefixtures("asked")
def test_the_page_has_a_word_for_every_lane_and_feature() -> None:
    runs = {
        "embedded": capabilities_page.summary("2026-01-31", "here", two_tests("passed")),
        "compose": capabilities_page.summary("2026-01-31", "there", two_tests("skipped", "needs wings: nobody wrote it")),
    }
    page = capabilities_page.render(runs)
    assert "| `flying` | yes, 1 passed | no, 1 skipped | yes, not run |" in page
    assert "- `flying`: wings. compose lacks it: nobody wrote it." in page
    assert "| `birds` | 2 passed | 1 passed, 1 skipped | not run |" in page
    assert all(cells(page))


@pytest.mark.usefixtures("asked")
def test_the_page_shows_failures_and_what_works_by_now() -> None:
    runs = {
        cloud: capabilities_page.summary("2026-01-31", "here", two_tests(outcome))
        for cloud, outcome in (("embedded", "failed"), ("compose", "passed"))
    }
    page = capabilities_page.render(runs)
    assert "| yes, **1 failed** | works now, 1 passed | yes, not run |" in page
    assert "| `birds` | 1 passed, **1 failed** | 2 passed | not run |" in page


@pytest.mark.usefixtures("asked")
def test_the_page_says_what_a_cloud_lacks_before_it_ever_ran() -> None:
    assert "| `flying` | yes, not run | no, not run | yes, not run |" in capabilities_page.render({})


def test_what_counts_fits_on_a_screen_and_no_line_is_too_long() -> None:
    lines = capabilities_page.PAGE.read_text().splitlines()
    assert lines.index("## What a capability is") <= 50
    assert [line for line in lines if len(line) > 120] == []


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert capabilities_page.PAGE.read_text() == capabilities_page.render(capabilities_page.recorded()), "run: make capabilities"
    assert all(cells(capabilities_page.PAGE.read_text()))


def test_every_test_that_needs_something_needs_what_is_in_the_table() -> None:
    sources = [path.read_text() for path in sorted((clouds.ROOT / "tests" / "integration").glob("test_*.py"))]
    named = {name for source in sources for name in re.findall(r'mark\.needs\("(\w+)"', source)}
    assert named <= set(capabilities.TABLE)
    assert set(capabilities.TABLE) <= named, "a capability that no test needs says nothing"
    assert not [source for source in sources if re.search(r"cloud\.name [!=]= \"(embedded|compose|aws)\"", source)], "say needs(...)"
