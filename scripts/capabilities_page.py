"""Writes docs/capabilities.md: what each cloud can do (scripts/capabilities.py), and what became of the tests in its last whole run.

Usage: capabilities_page.py      takes over the results under build/results, keeps them in docs/capabilities.json, writes page and picture
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD, CLOUDS, ROOT
from scripts import capabilities, capabilities_picture

RESULTS = BUILD / "results"
RECORD = ROOT / "docs" / "capabilities.json"
PAGE = ROOT / "docs" / "capabilities.md"
PICTURE = ROOT / "docs" / "capabilities.svg"
HOW_TO_RUN = {
    "embedded": "`make test-integration`",
    "compose": "`make test-compose`",
    "aws": "it takes an account: `CLOUD=aws ENV=dev make test-integration`",
}
Tests = list[dict[str, Any]]


def count(tests: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Outcomes of tests: {"passed": n, "failed": n, "skipped": {reason: n}}."""
    tests = list(tests)
    outcomes = Counter(test["outcome"] for test in tests)
    skipped = Counter(test["reason"] for test in tests if test["outcome"] == "skipped")
    return {"passed": outcomes["passed"], "failed": outcomes["failed"], "skipped": dict(sorted(skipped.items()))}


def summary(when: str, made_of: str, tests: Tests) -> dict[str, Any]:
    """One cloud's run, as it is kept: by feature (a file of tests) and by capability."""
    files = sorted({test["file"] for test in tests})
    about = {test["file"]: test["about"] for test in tests}
    return {
        "when": when,
        "made_of": made_of,
        "features": {name: {"about": about[name]} | count(test for test in tests if test["file"] == name) for name in files},
        "capabilities": {name: count(test for test in tests if name in test["needs"]) for name in capabilities.TABLE},
    }


def keep(cloud: str, when: str, made_of: str, tests: Tests) -> None:
    """Keep the results of a whole run under build/results.

    Args:
        cloud: its name.
        when: the day, as 2026-01-31.
        made_of: what the cloud was made of.
        tests: of each its `file`, what that is `about`, what it `needs`, its `outcome` and, if skipped, the `reason`.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{cloud}.json").write_text(json.dumps(summary(when, made_of, tests), indent=2, ensure_ascii=False) + "\n")


def tally(counted: Mapping[str, Any]) -> str:
    """In words: 3 passed, 1 skipped (why)."""
    parts = [f"{counted['passed']} passed"] if counted["passed"] else []
    if counted["failed"]:
        parts.append(f"**{counted['failed']} failed**")
    parts += [f"{number} skipped: {reason}" for reason, number in counted["skipped"].items()]
    return "; ".join(parts)


def capability_cell(name: str, cloud: str, run: Mapping[str, Any] | None) -> str:
    """What the table says of a capability in a cloud, and what the last run showed."""
    reason = capabilities.TABLE[name].lacking.get(cloud)
    counted = (run or {}).get("capabilities", {}).get(name)
    said = f"no: {reason}" if reason else "yes"
    if not run:
        return f"{said} (not run: {HOW_TO_RUN[cloud]})"
    if not counted or not tally(counted):
        return f"{said} (no test of the last run needs it)"
    ran = counted["passed"] + counted["failed"]
    if reason and not ran:
        return f"{said} ({sum(counted['skipped'].values())} skipped)"
    shown = ", ".join(f"{number} {what}" for what, number in (("passed", counted["passed"]), ("failed", counted["failed"])) if number)
    return f"{'works now' if reason else said} ({shown or tally(counted)})"


def feature_cell(name: str, cloud: str, run: Mapping[str, Any] | None) -> str:
    """What the last run of a cloud showed of a feature."""
    if not run:
        return f"not run: {HOW_TO_RUN[cloud]}"
    counted = run["features"].get(name)
    return tally(counted) if counted else f"not yet run: {HOW_TO_RUN[cloud]}"


def rows(names: Mapping[str, str], cell: Callable[[str, str, Mapping[str, Any] | None], str], runs: Mapping[str, Any]) -> list[str]:
    """The lines of a Markdown table, a column for each cloud."""
    lines = [f"| | {' | '.join(CLOUDS)} |", "|---" * (len(CLOUDS) + 1) + "|"]
    return lines + [f"| {about} | {' | '.join(cell(name, cloud, runs.get(cloud)) for cloud in CLOUDS)} |" for name, about in names.items()]


def render(runs: Mapping[str, Any]) -> str:
    """The page."""
    made_of = {name: f"{cloud.about}; {_ran(runs.get(name), name)}" for name, cloud in CLOUDS.items()}
    features = {name: found["about"] for run in runs.values() for name, found in sorted(run["features"].items())}
    about = {name: f"`{name}`: {capability.about}" for name, capability in capabilities.TABLE.items()}
    shown = {name: f"`{name.removeprefix('test_').removesuffix('.py')}`: {about}" for name, about in sorted(features.items())}
    return "\n".join(
        [
            "# What each cloud can do",
            "",
            "Written by `make capabilities` from the table in [scripts/capabilities.py](../scripts/capabilities.py) and the last whole",
            "run of `tests/integration` in each cloud. A test is skipped only for a capability that its cloud lacks; the cloud is asked",
            "before that, so that the test runs by itself once the cloud can do it.",
            "",
            f"![Capabilities and features by cloud: {', '.join(capabilities_picture.SHOWN)}]({PICTURE.name})",
            "",
            *[f"- **{name}**: {text}" for name, text in made_of.items()],
            "",
            "## Capabilities",
            "",
            *rows(about, capability_cell, runs),
            "",
            "## Features",
            "",
            *rows(shown, feature_cell, runs),
            "",
        ]
    )


def _ran(run: Mapping[str, Any] | None, cloud: str) -> str:
    return f"last run on {run['when']} on: {run['made_of']}" if run else f"not run: {HOW_TO_RUN[cloud]}"


def recorded(path: Path = RECORD) -> dict[str, Any]:
    """The runs that the page shows, by cloud."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def main() -> None:
    """Take the new results over and write both files."""
    runs = recorded() | {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}
    runs = {cloud: runs[cloud] for cloud in CLOUDS if cloud in runs}
    RECORD.write_text(json.dumps(runs, indent=2, ensure_ascii=False) + "\n")
    PAGE.write_text(render(runs))
    PICTURE.write_text(capabilities_picture.draw(runs))
    print(f"wrote {PAGE.relative_to(ROOT)}, {PICTURE.name} and {RECORD.name}: {', '.join(runs) or 'no run yet'}")


if __name__ == "__main__":
    main()
