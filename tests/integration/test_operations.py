"""What an operator sees of a deployed environment: `make watch`, `make report`, one id through the logs."""

import json
import subprocess
import sys
from pathlib import Path

from shared.identity import correlation_id
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment, eventually, listening, unique


def run(command: str, *options: str) -> str:
    """What a command of the operator prints without a terminal."""
    typed = [sys.executable, "-P", "-m", "eventloom", command, "--env", ENVIRONMENT, *options]
    return subprocess.run(typed, check=True, capture_output=True, text=True, timeout=120).stdout


def test_uploads_are_seen_in_the_terminal_and_on_the_page(deployment: Deployment, tmp_path: Path) -> None:
    good, bad = unique("seen.jpg"), unique("seen.txt.jpg")
    deployment.put(good, photo())
    deployment.put(bad, b"no picture")
    deployment.wait_for(good, status="READY")
    deployment.wait_for(bad, status="REJECTED")

    def snapshot() -> str | None:
        text = run("watch", "--once")
        return text if "unsupported_format" in text else None

    text = eventually(snapshot, "the rejection in the logs")
    assert "\x1b" not in text
    ready = next(line.split()[1] for line in text.splitlines() if line.startswith(" ready") or line.startswith("ready"))
    assert int(ready.replace(",", "")) >= 1
    assert "$0.0" in text
    page = tmp_path / "report.html"
    assert run("report", "--out", str(page)).strip() == str(page)
    assert "unsupported_format" in page.read_text()
    assert "<rect" in page.read_text()


def test_one_id_leads_from_the_upload_to_the_notice(deployment: Deployment) -> None:
    key = unique("traced.jpg")
    with listening(deployment["notices_topic_arn"]) as listener:
        deployment.put(key, photo())
        notice = listener.wait_for(key=key)
    name = correlation_id(notice["image_id"], notice["sequencer"])
    assert notice["correlation_id"] == name
    for function in ("thumbnailer", "notifier"):
        lines = eventually(lambda function=function: deployment.logged(function, name), f"{name} in the log of {function}")
        assert any(json.loads(line).get("correlation_id") == name for line in lines)
