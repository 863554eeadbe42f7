"""The pinned environment of the embedded LocalStack meets the requirements of its package."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from eventloom.clouds import ROOT

PROJECT = tomllib.loads((ROOT / "emulator/pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(
    re.findall(
        r"^([a-z0-9._-]+)==(\S+)",
        (ROOT / "scripts/requirements/localstack.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
)


@pytest.mark.parametrize(
    "requirement",
    [*map(Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["debug"]])],
    ids=lambda requirement: requirement.name,
)
def test_the_pinned_version_meets_the_requirement_of_the_package(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINS[requirement.name.lower()])


def test_the_copied_evaluator_is_that_of_the_pinned_release() -> None:
    copy = (ROOT / "emulator/src/embedded_localstack/vendor/ministack_iam_evaluator.py").read_text(encoding="utf-8")
    assert f"MiniStack {PINS['ministack']}:" in copy
