"""The commands upload, open and status work on the deployed environment."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from eventloom.clouds import ROOT, client
from tests.integration.checkouts import command, run_command
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment

# A name with characters that make and shells treat specially
ODD = 'it\'s "$5" 사진 é+&.jpg'


def upload(*words: str) -> list[dict[str, Any]]:
    """Run `upload` with these arguments and return its output about each file."""
    return [json.loads(line) for line in command(ROOT, "upload", *words, "--env", ENVIRONMENT, "--json").splitlines()]


@pytest.fixture
def prefix() -> str:
    """Return a folder of the bucket for one test."""
    return f"folder of {uuid.uuid4()}"


def test_an_upload_overwrites_nothing_without_replace(deployment: Deployment, tmp_path: Path, prefix: str) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / ODD).write_bytes(photo())
    key = f"{prefix}/2026/{ODD}"

    def version() -> str:
        identity: str = client("s3").head_object(Bucket=deployment["uploads_bucket"], Key=key)["VersionId"]
        return identity

    (first,) = upload(str(tmp_path), "--prefix", prefix)
    assert (first["key"], first["status"], first["version_id"]) == (key, "READY", version())

    (tmp_path / "new.jpg").write_bytes(photo())
    process = run_command(ROOT, "upload", str(tmp_path), "--prefix", prefix, "--env", ENVIRONMENT, "--json")
    assert process.returncode == 1
    assert f"1 file was not sent, because the bucket has {key}; overwrite with --replace" in process.stderr
    assert [json.loads(line)["key"] for line in process.stdout.splitlines()] == [f"{prefix}/new.jpg"], (
        "the new file is sent"
    )
    assert version() == first["version_id"]

    replacements = upload(str(tmp_path / "2026"), "--prefix", f"{prefix}/2026", "--replace")
    assert [entry["version_id"] for entry in replacements] == [version()]
    assert version() != first["version_id"]


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 3)])
def test_a_rejected_file_is_a_failure_only_with_strict(
    deployment: Deployment, tmp_path: Path, prefix: str, options: list[str], code: int
) -> None:
    (tmp_path / "notes.jpg").write_text("no photo")
    process = run_command(
        ROOT, "upload", str(tmp_path / "notes.jpg"), "--prefix", prefix, "--env", ENVIRONMENT, *options
    )
    assert process.returncode == code, process.stderr
    assert "REJECTED" in process.stdout
    assert "1 rejected" in process.stdout


def test_the_link_of_open_serves_the_gallery(deployment: Deployment) -> None:
    facts = json.loads(command(ROOT, "open", "--env", ENVIRONMENT, "--json"))
    assert facts["url"] == command(ROOT, "open", "--env", ENVIRONMENT).strip()
    assert facts["url"].removeprefix(facts["gallery_url"]) == f"#key={deployment['api_key']}"
    # LocalStack's image labels an uncompressed answer as gzip.
    page = requests.get(facts["url"], headers={"Accept-Encoding": "identity"}, timeout=60)
    assert "<title>" in page.text


def test_status_reports_what_is_deployed(deployment: Deployment) -> None:
    facts = json.loads(command(ROOT, "status", "--env", ENVIRONMENT, "--json"))
    assert facts["deployed"] is True
    assert facts["functions"] == sorted(deployment["functions"])
    assert f"{deployment['prefix']}-uploads" in [queue["name"] for queue in facts["queues"]]
    assert f"environment  {ENVIRONMENT} " in command(ROOT, "status", "--env", ENVIRONMENT)
