"""Test the parts of tests/parity that need no checkout of LocalStack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from parity.checkout import WrongCheckoutError, tree_of, verify
from parity.differences import CLASSES, Difference, deviations, listed, summary
from parity.recordings import adapted

PASSED, FAILED, SKIPPED = (
    {"outcome": outcome, "message": message}
    for outcome, message in (("passed", ""), ("failed", "E  500"), ("skipped", "only in Docker"))
)
KNOWN = [Difference("a", "ours", "no table classes"), Difference("b", "skipped", "only in Docker")]


@pytest.mark.parametrize(
    ("outcomes", "lines"),
    [
        ({"a": FAILED, "b": SKIPPED, "c": PASSED}, []),
        ({"a": FAILED, "b": SKIPPED, "c": FAILED}, ["c failed, but is not listed\n    E  500"]),
        ({"a": FAILED, "b": SKIPPED, "c": SKIPPED}, ["c skipped, but is not listed\n    only in Docker"]),
        ({"a": PASSED, "b": SKIPPED}, ["a passed, but is listed as ours: no table classes\n    "]),
        ({"a": FAILED, "b": PASSED}, ["b passed, but is listed as skipped: only in Docker\n    "]),
        ({"a": FAILED, "b": FAILED}, ["b failed, but is listed as skipped: only in Docker\n    E  500"]),
        ({"a": SKIPPED, "b": SKIPPED}, ["a skipped, but is listed as ours: no table classes\n    only in Docker"]),
        ({"a": FAILED}, ["b is listed, but did not run"]),
    ],
)
def test_a_test_that_leaves_the_list_in_either_direction_is_reported(outcomes: dict, lines: list[str]) -> None:
    assert deviations(outcomes, KNOWN, complete=True) == lines


def test_a_part_of_the_selection_may_leave_out_listed_tests() -> None:
    assert deviations({"a": FAILED}, KNOWN, complete=False) == []


def test_the_summary_counts_by_class() -> None:
    outcomes = {"a": FAILED, "b": SKIPPED, "c": FAILED, "d": PASSED}
    text = summary(outcomes, KNOWN)
    assert text == "1 passed, 1 ours, 0 cosmetic, 0 localstack, 0 harness, 1 skipped, 1 not listed"


def test_the_list_has_each_test_once_with_a_known_class_and_a_reason() -> None:
    differences = listed()
    assert differences
    tests = [difference.test for difference in differences]
    assert [test for test in tests if tests.count(test) > 1] == []
    assert {difference.kind for difference in differences} <= {*CLASSES}
    assert [difference.test for difference in differences if not difference.reason] == []
    assert [test for test in tests if not test.startswith("tests/aws/services/")] == []


def checkout_of(folder: Path) -> Path:
    """Write a folder with a test, like a checkout."""
    (folder / "tests" / "aws").mkdir(parents=True)
    (folder / "tests" / "aws" / "test_a.py").write_text("def test_a(): ...\n")
    return folder


def test_a_checkout_is_known_by_its_tests_with_or_without_a_repository(tmp_path: Path) -> None:
    folder = checkout_of(tmp_path)
    tree = tree_of(folder)
    verify(folder, tree)
    identity = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "a"}
    identity |= {"GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "a@example.com"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env=os.environ | identity)
    (folder / "README.md").write_text("is not compared")
    recorded = subprocess.run(
        ["git", "rev-parse", "HEAD:tests"], cwd=folder, check=True, capture_output=True, text=True
    )
    assert recorded.stdout.strip() == tree
    verify(folder, tree)


def test_a_checkout_with_a_changed_test_is_refused(tmp_path: Path) -> None:
    folder = checkout_of(tmp_path)
    tree = tree_of(folder)
    (folder / "tests" / "aws" / "test_a.py").write_text("def test_a(): assert True\n")
    with pytest.raises(WrongCheckoutError, match=rf"not {tree}: pass a checkout of https://.* at v4\.14\.0"):
        verify(folder, tree)


def test_a_folder_that_is_not_a_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongCheckoutError, match="has no tests/aws"):
        verify(tmp_path)


def test_recorded_answers_name_the_only_runtime_and_the_port_of_the_server() -> None:
    recorded = {"Runtime": "python3.9", "Url": "http://sqs.localhost:4566/1/a", "Body": "python3.9"}
    assert adapted(recorded, 4590) == {
        "Runtime": "python3.13",
        "Url": "http://sqs.localhost:4590/1/a",
        "Body": "python3.9",
    }
