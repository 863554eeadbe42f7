"""Only pyproject.toml states the version; everything else agrees with it."""

import re
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest

import eventloom
from eventloom.clouds import ROOT
from scripts import release_notes

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_package_has_the_version_of_the_newest_release_in_the_changelog() -> None:
    unreleased, newest, *_ = release_notes.sections(CHANGELOG)
    assert unreleased == "Unreleased"
    assert newest == eventloom.__version__
    assert release_notes.notes(eventloom.__version__)


def test_no_other_file_of_the_package_states_a_version() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
    assert [path.name for path, text in sources.items() if f'"{eventloom.__version__}"' in text] == []


def test_every_release_has_a_date_and_the_newest_comes_first() -> None:
    releases = re.findall(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (\S+)$", CHANGELOG, re.MULTILINE)
    assert len(releases) == len(release_notes.sections(CHANGELOG)) - 1
    keys = [(date.fromisoformat(day), tuple(map(int, version))) for *version, day in releases]
    assert keys == sorted(keys, reverse=True)


def test_without_a_checkout_the_installed_package_states_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda package: f"9.9.9 of {package}")
    assert eventloom._version(tmp_path / "pyproject.toml") == "9.9.9 of eventloom"
