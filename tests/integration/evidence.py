"""Save the evidence about IAM from complete runs on the embedded LocalStack, for `make test-iam`.

The report of a failed test also lists the requests that IAM refused while the test ran.

The evidence is complete after two sessions, each on its own emulator: tests/integration and tests/modules.
build/iam/evidence/<session>/ holds audit.jsonl (every decision), tests.jsonl (which test ran when), state.<name>.json
(`terraform show -json` of what was deployed) and meta.json (a hash of the sources; it is written last, and only if
every test passed). If the browser's tests run first (`make test`), they leave begun.json, and the integration tests on
the same emulator continue from it.
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
SESSIONS = ("integration", "modules")
SOURCES = ("terraform", "functions", "tests/browser", "tests/integration", "tests/modules", "emulator/src")
COLLECTING = pytest.StashKey[bool]()
type Spans = list[dict[str, Any]]


def fingerprint() -> str:
    """Return a hash of the sources that determine the policies and the requests."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*")):
            parts = path.relative_to(ROOT).parts
            # Tools write caches and lock files there during the run.
            generated = any(
                part.startswith(".") or part == "__pycache__" or part.endswith(".egg-info") for part in parts
            )
            if path.is_file() and not generated:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def missing() -> list[str]:
    """Return the sessions that have no evidence from the current sources."""
    present = fingerprint()
    return [session for session in SESSIONS if _fingerprint_of(session) != present]


def _fingerprint_of(session: str) -> str | None:
    """Return the hash of the sources of a session's evidence, or None if there is no evidence."""
    try:
        return str(json.loads((FOLDER / session / "meta.json").read_text())["fingerprint"])
    except (OSError, ValueError, KeyError):
        return None


def lines(session: str, file: str) -> list[dict[str, Any]]:
    """Return the lines of a session's file, such as audit.jsonl."""
    return [json.loads(line) for line in (FOLDER / session / file).read_text().splitlines()]


def state(name: str) -> dict[str, Any]:
    """Return the root module of a deployed state, from the session that deployed it."""
    path = next(FOLDER.glob(f"*/state.{name}.json"))
    root: dict[str, Any] = json.loads(path.read_text())["values"]["root_module"]
    return root


_states: dict[str, str] = {}


def keep_state(name: str, state: str) -> None:
    """Remember the output of `terraform show -json` for a root module, to write it if the run is complete."""
    _states[name] = state


def now() -> str:
    """Return the time as the audit writes it: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def collect(config: pytest.Config, folder: Path, session: str, *, last: bool = True) -> None:
    """Register the plugin if this session runs on the embedded LocalStack.

    Args:
        config: the session's configuration.
        folder: the folder whose tests must all run.
        session: the session of SESSIONS to which these tests belong.
        last: whether the evidence is complete after these tests. Otherwise later tests continue from it.
    """
    cloud = clouds.chosen_cloud()
    if cloud.name != "embedded" or config.option.collectonly:
        return
    home = embedded.home(cloud.port)
    is_complete = [Path(argument).resolve() for argument in config.args] == [folder] and not config.option.keyword
    # In an existing environment, a deploy does not make all of its requests, and somebody else may have used it.
    begun = FOLDER / session / "begun.json"
    earlier_tests = _begun(home, begun) if _is_up(cloud.port) else []
    config.stash[COLLECTING] = is_complete and earlier_tests is not None
    evidence = Evidence(home, begun, earlier_tests if is_complete else None, last=last)
    config.pluginmanager.register(evidence)


def is_collecting(config: pytest.Config) -> bool:
    """Return whether this session collects evidence about IAM. If so, it must deploy to an empty emulator."""
    return config.stash.get(COLLECTING, False)


def _is_up(port: int) -> bool:
    """Return whether an emulator runs on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _first_line(audit: Path) -> str:
    """Return the first line of an audit, which is different for each emulator."""
    with audit.open() as lines:
        return lines.readline()


def _begun(home: Path, begun: Path) -> Spans | None:
    """Return the tests that ran before on this emulator with the same sources, or None if no such tests ran."""
    try:
        session = json.loads(begun.read_text())
        is_same_run = session["fingerprint"] == fingerprint() and session["first"] == _first_line(home / "audit.jsonl")
    except (OSError, ValueError, KeyError):
        return None
    return list(session["tests"]) if is_same_run else None


class Evidence:
    """A pytest plugin that collects the evidence.

    `before` holds the tests that ran before. It is None if these tests prove nothing.
    """

    def __init__(self, home: Path, begun: Path, before: Spans | None, *, last: bool) -> None:
        self._home, self._begun, self._whole, self._last = home, begun, before is not None, last
        self._folder = begun.parent
        self._tests: Spans = before or []
        self._fingerprint = fingerprint()
        if self._whole:
            (self._folder / "meta.json").unlink(missing_ok=True)
            begun.unlink(missing_ok=True)

    @contextmanager
    def _during(self, what: str, proves: dict[str, list[str] | None]) -> Iterator[None]:
        begin = now()
        yield
        self._tests.append({"test": what, "begin": begin, "end": now(), "proves": proves})

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Attribute the time in which Terraform creates a fixture to Terraform, and not to the test."""
        if fixturedef.argname not in ("deployment", "probe"):
            return (yield)
        with self._during(f"terraform apply ({fixturedef.argname})", {}):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Record when a test ran. Times of Terraform within this time take precedence."""
        proves = {action: marker.kwargs.get("of") for marker in item.iter_markers("proves") for action in marker.args}
        with self._during(item.nodeid, proves):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Add what IAM refused since the test began to the report of a failure."""
        report = yield
        if report.failed and (refusals := self._refused(call.start)):
            report.sections.append(("IAM refused during the test", "\n".join(refusals)))
        return report

    def _refused(self, since: float) -> list[str]:
        begin = datetime.fromtimestamp(since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            denials = [json.loads(line) for line in (self._home / "denials.jsonl").read_text().splitlines()]
        except (OSError, ValueError):
            return []
        recent = [denial for denial in denials if denial["time"] >= begin]
        lines = [
            f"{d['who']} may not {d['action']} on {d['resource']} (asked: {d['policy']}: {d['reason']})" for d in recent
        ]
        return list(dict.fromkeys(lines))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the evidence if all tests ran and passed."""
        audit = self._home / "audit.jsonl"
        if not self._whole or exitstatus or not audit.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._last:
            session = {"fingerprint": self._fingerprint, "first": _first_line(audit), "tests": self._tests}
            self._begun.write_text(json.dumps(session))
            return
        shutil.copy(audit, self._folder / "audit.jsonl")
        for name, state in _states.items():
            (self._folder / f"state.{name}.json").write_text(state)
        (self._folder / "tests.jsonl").write_text("".join(json.dumps(test) + "\n" for test in self._tests))
        meta = {"fingerprint": self._fingerprint, "at": time.time(), "tests": len(self._tests)}
        (self._folder / "meta.json").write_text(json.dumps(meta))
