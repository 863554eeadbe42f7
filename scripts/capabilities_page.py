"""Write docs/capabilities.md: the capabilities of each cloud and of other emulators, and the last complete test runs.

Usage: python -m scripts.capabilities_page
It reads scripts/capabilities.py and the results in build/results. If a cloud did not run here, its column stays
unchanged: no machine runs every cloud, so the page is the only record of the last runs.
"""

import json
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD, CLOUDS, ROOT
from scripts import capabilities

RESULTS = BUILD / "results"
PAGE = ROOT / "docs" / "capabilities.md"
SESSIONS = ("integration", "modules")
HOW_TO_RUN = {
    "embedded": "`make test-integration test-modules`",
    "compose": "`make test-compose`",
    "aws": "`CLOUD=aws ENV=dev make test-integration test-modules` needs an account",
    "peers": "`make capabilities-peers`",
}
# Runs of the compose cloud on a machine that cannot pull the image: .ci/standin
STAND_IN = ", on a stand-in for the image"
Tests = list[dict[str, Any]]


def count(tests: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the outcomes of tests: {"passed": n, "failed": n, "skipped": {reason: n}}."""
    tests = list(tests)
    outcomes = Counter(test["outcome"] for test in tests)
    skipped = Counter(test["reason"] for test in tests if test["outcome"] == "skipped")
    return {"passed": outcomes["passed"], "failed": outcomes["failed"], "skipped": dict(sorted(skipped.items()))}


def summary(when: str, made_of: str, tests: Tests) -> dict[str, Any]:
    """Return a run as the page shows it: counts by feature (a file of tests) and by capability."""
    files = sorted({test["file"] for test in tests})
    return {
        "when": when,
        "made_of": made_of,
        "features": {name: count(test for test in tests if test["file"] == name) for name in files},
        "capabilities": {name: count(test for test in tests if name in test["needs"]) for name in capabilities.TABLE},
    }


def keep(cloud: str, session: str, run: Mapping[str, Any], folder: Path = RESULTS) -> None:
    """Save the results of a complete session under build/results.

    Args:
        cloud: the name of the cloud.
        session: the name of a folder of tests, one of SESSIONS.
        run: `when`, the day, such as 2026-01-31; `made_of`, a description of the cloud's software; `tests`, a dict for
            each test with its `file`, `needs`, `outcome` and, if it was skipped, `reason`.
        folder: the folder of the results.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{cloud}.{session}.json").write_text(json.dumps(run, ensure_ascii=False) + "\n")


def new_runs(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Return a summary for each cloud where every session ran, with the date of the last session.

    The key `peers` has the results of other emulators, if they were probed.
    """
    summaries = {}
    for cloud in CLOUDS:
        paths = [folder / f"{cloud}.{session}.json" for session in SESSIONS]
        if all(path.exists() for path in paths):
            runs = [json.loads(path.read_text()) for path in paths]
            tests = [test for run in runs for test in run["tests"]]
            summaries[cloud] = summary(max(run["when"] for run in runs), runs[0]["made_of"], tests)
    peers = folder / "peers.json"
    return summaries | ({"peers": json.loads(peers.read_text())} if peers.exists() else {})


def counts(counted: Mapping[str, Any]) -> str:
    """Return counts as text, such as "3 passed, 1 skipped", or an empty string if there are none."""
    skipped = sum(counted["skipped"].values())
    parts = [f"{counted['passed']} passed"] if counted["passed"] else []
    parts += [f"**{counted['failed']} failed**"] if counted["failed"] else []
    return ", ".join(parts + ([f"{skipped} skipped"] if skipped else []))


def capability_cell(name: str, cloud: str, run: Mapping[str, Any] | None) -> str:
    """Return the text of a cell: whether a cloud has a capability, and the results of the last run."""
    lacking = cloud in capabilities.TABLE[name].lacking
    answer = "no" if lacking else "yes"
    if not run:
        return f"{answer}, not run"
    counted = run["capabilities"].get(name)
    if not counted or not counts(counted):
        return f"{answer}, no test needed it"
    ran = counted["passed"] + counted["failed"]
    return f"{'works now' if lacking and ran else answer}, {counts(counted)}"


def feature_cell(name: str, _cloud: str, run: Mapping[str, Any] | None) -> str:
    """Return the text of a cell: the results of a feature's tests in a cloud's last run."""
    counted = run["features"].get(name) if run else None
    return (counts(counted) if counted else "") or "not run"


def rows(
    names: Mapping[str, str],
    cell: Callable[[str, str, Mapping[str, Any] | None], str],
    runs: Mapping[str, Any],
    peers: Mapping[str, Any],
) -> list[str]:
    """Return the lines of a Markdown table with a column for each cloud, and for each other emulator.

    `names` maps a name to the text of its first cell.
    """
    lines = [f"| | {' | '.join([*CLOUDS, *peers])} |", "|---" * (len(CLOUDS) + len(peers) + 1) + "|"]
    for name, text in names.items():
        cells = [cell(name, cloud, runs.get(cloud)) for cloud in CLOUDS]
        cells += [peer["capabilities"].get(name, "not asked") for peer in peers.values()]
        lines.append(f"| {text} | {' | '.join(cells)} |")
    return lines


def bullets(items: Mapping[str, str]) -> list[str]:
    """Return a Markdown list of names and texts, in lines of at most 120 characters."""
    return [_fill(f"- `{name}`: {text}") for name, text in items.items()]


def lacking(capability: capabilities.Capability) -> str:
    """Return a capability's description, and the reason of each cloud that lacks it."""
    reasons = [f"{cloud} lacks it: {reason}." for cloud, reason in capability.lacking.items()]
    return " ".join([f"{capability.about}.", *reasons])


def render(record: Mapping[str, Any]) -> str:
    """Return the page: the table of capabilities, which fits on a screen, their descriptions, and the features."""
    runs, peers = {cloud: record[cloud] for cloud in CLOUDS if cloud in record}, record.get("peers", {})
    files = {file: f"`{short(file)}`" for file in sorted({file for run in runs.values() for file in run["features"]})}
    return "\n".join(
        [
            "# What each cloud can do",
            "",
            *[f"- **{name}**: {cloud.about}; {_last_run(runs.get(name), name)}." for name, cloud in CLOUDS.items()],
            *[
                f"- **{name}** {peer['version']}: another emulator; asked on {peer['when']}."
                for name, peer in peers.items()
            ],
            "",
            *rows({name: f"`{name}`" for name in capabilities.TABLE}, capability_cell, runs, peers),
            "",
            "The numbers are tests of the last run that need the capability. The [features](#features) have more.",
            "",
            "## What a capability is",
            "",
            "A test is skipped only where its cloud lacks a capability. That cloud is asked again in each run, so the "
            "test runs by",
            "itself once the cloud has it.",
            "",
            *bullets({name: lacking(capability) for name, capability in capabilities.TABLE.items()}),
            "",
            "## Features",
            "",
            "A feature is a file of tests, such as `test_activity.py`. The numbers are tests of the last run.",
            "",
            *rows(files, feature_cell, runs, {}),
            "",
            "## Where this page comes from",
            "",
            "`make capabilities` writes it from [scripts/capabilities.py](../scripts/capabilities.py) and the last "
            "complete run of",
            "[tests/integration](../tests/integration) and [tests/modules](../tests/modules) in each cloud.",
            "",
            *[_fill(f"- **{name}** ran on: {run['made_of']}.") for name, run in runs.items()],
            "",
            "`make capabilities-peers` asks the other emulators with the probes of the same table. This project is not "
            "deployed to",
            "them, so a probe that needs a deployment is not asked.",
            "",
        ]
    )


def _fill(item: str) -> str:
    return textwrap.fill(item, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def short(file: str) -> str:
    """Return the name of a test file without its prefix and suffix."""
    return file.removeprefix("test_").removesuffix(".py")


def _last_run(run: Mapping[str, Any] | None, cloud: str) -> str:
    if not run:
        return f"not run yet: {HOW_TO_RUN[cloud]}"
    return f"last run on {run['when']}{STAND_IN if 'STAND-IN' in run['made_of'] else ''}"


def recorded(page: str) -> dict[str, Any]:
    """Return the runs that a page shows, by cloud. The key `peers` has the results of other emulators.

    The result equals the input of `render`, except that all skipped tests have the same reason, "".
    """
    text = page.replace("\n  ", " ")  # the lines of a list's item
    capability_cells, feature_cells = (_columns(part) for part in page.split("\n## Features\n"))
    record: dict[str, Any] = {}
    for cloud, when in re.findall(r"^- \*\*(\w+)\*\*: .*; last run on ([\d-]+).*\.$", text, re.MULTILINE):
        (made_of,) = re.findall(rf"^- \*\*{cloud}\*\* ran on: (.*)\.$", text, re.MULTILINE)
        features = {f"test_{name}.py": _counted(cell) for name, cell in feature_cells[cloud].items()}
        record[cloud] = {
            "when": when,
            "made_of": made_of,
            "features": {name: counted for name, counted in features.items() if counts(counted)},
            "capabilities": {name: _counted(cell) for name, cell in capability_cells[cloud].items()},
        }
    peers = re.findall(r"^- \*\*(.+)\*\* (\S+): another emulator; asked on (\S+)\.$", text, re.MULTILINE)
    answers = {
        name: {"when": when, "version": version, "capabilities": capability_cells[name]}
        for name, version, when in peers
    }
    return record | ({"peers": answers} if answers else {})


def _columns(text: str) -> dict[str, dict[str, str]]:
    """Return the columns of a text's table by heading. A column maps the names in the first column to its cells."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    headings, *others = lines
    names = [cells[0].strip("`") for cells in others]
    return {
        heading: dict(zip(names, [cells[number] for cells in others], strict=True))
        for number, heading in enumerate(headings)
    }


def _counted(cell: str) -> dict[str, Any]:
    """Return the counts in a cell that `counts` wrote."""
    numbers = {outcome: int(number) for number, outcome in re.findall(r"(\d+) (passed|failed|skipped)", cell)}
    skipped = {"": numbers["skipped"]} if "skipped" in numbers else {}
    return {"passed": numbers.get("passed", 0), "failed": numbers.get("failed", 0), "skipped": skipped}


def main() -> None:
    """Write the page with the new results, and print the command that fills each empty column."""
    new = new_runs()
    record = recorded(PAGE.read_text()) | new
    PAGE.write_text(render(record))
    print(f"wrote {PAGE.relative_to(ROOT)}; new columns: {', '.join(new) or 'none'}")
    for name in [*CLOUDS, "peers"]:
        if name not in new:
            print(f"  {name} has no complete run in build/results, and stays as it was: {HOW_TO_RUN[name]}")


if __name__ == "__main__":
    main()
