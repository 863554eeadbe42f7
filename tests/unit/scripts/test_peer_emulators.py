"""Other emulators get only the probes that need no deployment, and a failed probe is recorded as a result."""

import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from scripts import capabilities, capabilities_page, peer_emulators
from scripts.capabilities import Capability
from scripts.peer_emulators import Peer, answer, running

SERVER = "import http.server as h; h.HTTPServer(('127.0.0.1', {port}), h.SimpleHTTPRequestHandler).serve_forever()"


def refused(_cloud: Any, _outputs: Any) -> bool:
    raise ClientError({"Error": {"Code": "NotImplemented"}}, "CreateBus")


def unreachable(_cloud: Any, _outputs: Any) -> bool:
    raise requests.exceptions.ConnectionError


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (lambda _cloud, _outputs: True, "yes"),
        (lambda _cloud, _outputs: False, "no"),
        (lambda _cloud, outputs: bool(outputs["api_url"]), "not asked"),
        (refused, "no, CreateBus: NotImplemented"),
        (unreachable, "no, ConnectionError"),
    ],
)
def test_a_probe_gives_an_answer_or_says_why_not(monkeypatch: pytest.MonkeyPatch, probe: Any, expected: str) -> None:
    monkeypatch.setitem(capabilities.TABLE, "flying", Capability("flying", "wings", {}, probe))
    assert answer("flying", 4566) == expected


def test_a_peer_runs_on_loopback_and_ends_with_the_questions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer_emulators, "PROGRAMS", Path(sys.executable).parent)
    monkeypatch.setattr(peer_emulators, "BUILD", tmp_path)
    peer = Peer("server", (Path(sys.executable).name, "-c", SERVER.format(port="PORT")))
    with running(peer) as port:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=5).ok
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)


def test_a_peer_that_ends_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer_emulators, "PROGRAMS", Path(sys.executable).parent)
    monkeypatch.setattr(peer_emulators, "BUILD", tmp_path)
    with (
        pytest.raises(TimeoutError, match="does not answer"),
        running(Peer("none", (Path(sys.executable).name, "-c", ""))),
    ):
        pass


def test_the_page_has_a_column_for_each_peer() -> None:
    peers = {"Other": {"when": "2026-01-31", "version": "1.2", "capabilities": {"iam_enforcement": "no, A: B"}}}
    page = capabilities_page.render({"peers": peers})
    assert "| | embedded | compose | aws | Other |" in page
    assert "- **Other** 1.2: another emulator; asked on 2026-01-31." in page
    assert "| `iam_enforcement` | yes, not run | no, not run | yes, not run | no, A: B |" in page
    assert "| `load_balancer` | yes, not run | no, not run | no, not run | not asked |" in page
