"""Read the list of LocalStack's tests that do not pass here, and compare outcomes with it."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("differences.toml")
CLASSES = {
    "ours": "the emulator's own parts differ from AWS",
    "cosmetic": "the difference is one of form, such as the path in a stack trace",
    "localstack": "LocalStack itself differs from AWS, also in Docker",
    "harness": "the test needs what is not here: Docker, Java, another runtime, DNS, TLS, the server's own process",
    "skipped": "LocalStack's own marks skip the test, or expect it to fail",
}


@dataclass(frozen=True)
class Difference:
    """A listed test that does not pass, with the class of the cause and the cause."""

    test: str
    kind: str
    reason: str


def listed(path: Path = LIST) -> list[Difference]:
    """Return the list in a file."""
    entries = tomllib.loads(path.read_text())["difference"]
    return [Difference(test, entry["class"], entry["reason"]) for entry in entries for test in entry["tests"]]


def deviations(
    outcomes: Mapping[str, Mapping[str, str]], differences: Iterable[Difference], *, complete: bool
) -> list[str]:
    """Return a line for each test whose outcome is not the listed one.

    Args:
        outcomes: the outcome ("passed", "failed", "skipped") and message of each test.
        differences: the list.
        complete: whether the whole selection ran. Otherwise listed tests may be absent.
    """
    by_test = {difference.test: difference for difference in differences}
    lines = []
    for test, outcome in outcomes.items():
        difference = by_test.get(test)
        expected = "passed" if not difference else "skipped" if difference.kind == "skipped" else "failed"
        if outcome["outcome"] != expected:
            known = f"is listed as {difference.kind}: {difference.reason}" if difference else "is not listed"
            lines.append(f"{test} {outcome['outcome']}, but {known}\n    {outcome['message']}")
    if complete:
        lines += [f"{test} is listed, but did not run" for test in by_test if test not in outcomes]
    return lines


def summary(outcomes: Mapping[str, Mapping[str, str]], differences: Iterable[Difference]) -> str:
    """Return the number of passed tests, and the number of other tests by class of cause."""
    by_test = {difference.test: difference.kind for difference in differences}
    counts = Counter(by_test.get(test, "not listed") for test, outcome in outcomes.items() if _did_not_pass(outcome))
    passed = len(outcomes) - sum(counts.values())
    return ", ".join([f"{passed} passed", *(f"{counts[kind]} {kind}" for kind in [*CLASSES, "not listed"])])


def _did_not_pass(outcome: Mapping[str, str]) -> bool:
    return outcome["outcome"] != "passed"
