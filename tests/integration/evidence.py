"""What a whole run on the embedded LocalStack proves about IAM, kept for `make test-iam`; and who was refused what while a test failed.

build/iam/evidence/: audit.jsonl (every decision), tests.jsonl (which test ran when), state.<name>.json (`terraform show -json` of
what was deployed), meta.json (of which sources; written last, and only if everything passed). Where the browser's tests came first
(`make test`), begun.json is what they leave: the integration tests on the same emulator go on from it.
"""

import hashlib
import json
import shutil
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eventloom import clouds
from tests import embedded

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "iam" / "evidence"
BEGUN = FOLDER / "begun.json"
SOURCES = ("terraform", "functions", "tests/browser", "tests/integration", "emulator/src")
type Spans = list[dict[str, Any]]


def fingerprint() -> str:
    """Of all that decides what is allowed, and what is asked for."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*")):
            parts = path.relative_to(ROOT).parts
            # Tools leave caches and lock files there meanwhile, which begin with a dot.
            made = any(part.startswith(".") or part == "__pycache__" or part.endswith(".egg-info") for part in parts)
            if path.is_file() and not made:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    """Whether what is kept was gathered with the sources as they are now."""
    try:
        return bool(json.loads((FOLDER / "meta.json").read_text())["fingerprint"] == fingerprint())
    except (OSError, ValueError, KeyError):
        return False


_states: dict[str, str] = {}


def keep_state(name: str, state: str) -> None:
    """Keep what `terraform show -json` says of a root, if the run is a whole one."""
    _states[name] = state


def now() -> str:
    """As in the audit: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def collect(config: pytest.Config, folder: Path, *, last: bool) -> None:
    """Register the plugin, if this session is on the embedded LocalStack.

    Args:
        config: of the session.
        folder: whose tests are a whole session.
        last: whether the evidence is whole after it, or begun.
    """
    cloud = clouds.chosen_cloud()
    if cloud.name != "embedded" or config.option.collectonly:
        return
    home = embedded.home(cloud.port)
    everything = [Path(argument).resolve() for argument in config.args] == [folder] and not config.option.keyword
    # What was deployed before shows nothing of what deploying needs, and somebody else may have used it.
    before = _begun(home) if _is_up(cloud.port) else []
    config.pluginmanager.register(Evidence(home, before if everything else None, last=last))


def _is_up(port: int) -> bool:
    """Whether an emulator runs already."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _first_line(audit: Path) -> str:
    """What tells one emulator's audit from another's."""
    with audit.open() as lines:
        return lines.readline()


def _begun(home: Path) -> Spans | None:
    """What an earlier session left, on this very emulator and of the same sources; None if nothing."""
    try:
        begun = json.loads(BEGUN.read_text())
        same = begun["fingerprint"] == fingerprint() and begun["first"] == _first_line(home / "audit.jsonl")
    except (OSError, ValueError, KeyError):
        return None
    return list(begun["tests"]) if same else None


class Evidence:
    """The plugin. `before` are the tests of an earlier session; None if this one proves nothing."""

    def __init__(self, home: Path, before: Spans | None, *, last: bool) -> None:
        self._home, self._whole, self._last = home, before is not None, last
        self._tests: Spans = before or []
        self._fingerprint = fingerprint()
        if self._whole:
            (FOLDER / "meta.json").unlink(missing_ok=True)
            BEGUN.unlink(missing_ok=True)

    @contextmanager
    def _during(self, what: str, proves: dict[str, list[str] | None]) -> Iterator[None]:
        begin = now()
        yield
        self._tests.append({"test": what, "begin": begin, "end": now(), "proves": proves})

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """What Terraform does is no test's doing."""
        if fixturedef.argname not in ("deployment", "probe"):
            return (yield)
        with self._during(f"terraform apply ({fixturedef.argname})", {}):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A test's time; a time within it that is Terraform's counts first."""
        proves = {action: marker.kwargs.get("of") for marker in item.iter_markers("proves") for action in marker.args}
        with self._during(item.nodeid, proves):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """A failure names what IAM refused since the test began."""
        report = yield
        if report.failed and (refused := self._refused(call.start)):
            report.sections.append(("IAM refused meanwhile", "\n".join(refused)))
        return report

    def _refused(self, since: float) -> list[str]:
        begin = datetime.fromtimestamp(since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            denials = [json.loads(line) for line in (self._home / "denials.jsonl").read_text().splitlines()]
        except (OSError, ValueError):
            return []
        recent = [denial for denial in denials if denial["time"] >= begin]
        lines = [f"{d['who']} may not {d['action']} on {d['resource']} (asked: {d['policy']}: {d['reason']})" for d in recent]
        return list(dict.fromkeys(lines))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Keep it, if all tests ran and passed."""
        audit = self._home / "audit.jsonl"
        if not self._whole or exitstatus or not audit.exists():
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        if not self._last:
            BEGUN.write_text(json.dumps({"fingerprint": self._fingerprint, "first": _first_line(audit), "tests": self._tests}))
            return
        shutil.copy(audit, FOLDER / "audit.jsonl")
        for name, state in _states.items():
            (FOLDER / f"state.{name}.json").write_text(state)
        (FOLDER / "tests.jsonl").write_text("".join(json.dumps(test) + "\n" for test in self._tests))
        (FOLDER / "meta.json").write_text(json.dumps({"fingerprint": self._fingerprint, "at": time.time(), "tests": len(self._tests)}))
