"""Report whether the server runs and which calls IAM refused."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded_localstack import processes
from embedded_localstack.probe import health, owner_of, port_taken
from embedded_localstack.settings import RUNTIMES
from embedded_localstack.state import Home

BACKENDS = {
    "lambda": f"processes ({', '.join(RUNTIMES)})",
    "dynamodb": "moto",
    "kinesis": "moto",
}


FIELDS = ("who", "action", "resource", "policy", "reason")


@dataclass
class Denial:
    """A call that IAM refused, and how often."""

    who: str
    action: str
    resource: str
    policy: str
    reason: str
    count: int
    last: str


def report(home: Home) -> dict[str, Any]:
    """Return the facts about a server.

    `state` is "running", "unhealthy" (it runs but does not answer), "stale" (it ended without being stopped), "foreign"
    (another program uses the port) or "stopped". `running` is true only for "running". `refusals` is the number of
    calls that IAM refused. `denials` lists them, and equal calls are one entry.
    """
    run = home.load()
    port = run.port if run and run.running() else home.port
    state, answer = "stopped", None
    if run and run.running():
        answer = health(run.port, timeout=10)
        state = "running" if answer else "unhealthy"
    elif port_taken(home.port):
        state = "foreign"
    elif run:
        state = "stale"
    result: dict[str, Any] = {
        "running": state == "running",
        "state": state,
        "url": f"http://127.0.0.1:{port}",
        "port": port,
        "home": str(home.path),
        "log": str(home.log),
        "kept": home.snapshot.is_dir(),
    }
    if state == "foreign":
        result["owner"] = owner_of(home.port)
    if run and state in ("running", "unhealthy"):
        result |= {
            "pid": run.pid,
            "uptime_s": round(processes.age(run.pid)),
            "iam_enforced": run.iam,
            "backends": BACKENDS,
        }
        result["version"] = answer["version"] if answer else None
    refused = denials(home.denials)
    result["refusals"] = sum(denial.count for denial in refused)
    result["denials"] = [asdict(denial) for denial in refused]
    return result


def denials(path: Path) -> list[Denial]:
    """Return the refused calls that a file records. Equal calls are one entry, and the latest call comes last."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    return group(parse(lines))


def parse(lines: Iterable[str]) -> list[dict[str, str]]:
    """Return the JSON object of each line. An incomplete line is skipped."""
    entries = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def group(entries: Iterable[dict[str, str]]) -> list[Denial]:
    """Return one denial for all entries that differ only in their time."""
    denials_by_key: dict[tuple[str, ...], Denial] = {}
    for entry in entries:
        who, action, resource, policy, reason = key = tuple(entry.get(name, "") for name in FIELDS)
        denial = denials_by_key.setdefault(key, Denial(who, action, resource, policy, reason, count=0, last=""))
        denial.count += 1
        denial.last = max(denial.last, entry.get("time", ""))
    return sorted(denials_by_key.values(), key=lambda denial: denial.last)


def text(result: dict[str, Any]) -> str:
    """Return the report as text."""
    state = result["state"]
    lines = [_headline(result)]
    if state in ("running", "unhealthy"):
        lines += [f"  {service:<9} {backend}" for service, backend in result["backends"].items()]
        enforced = (
            "enforced"
            if result["iam_enforced"]
            else "NOT ENFORCED (IAM_ENFORCE=0): missing permissions will show on AWS only"
        )
        lines.append(f"  {'iam':<9} {enforced}")
        lines.append(f"  {'log':<9} {result['log']}")
    refused = result["denials"]
    if refused:
        since = "since it started" if state == "running" else "in its last run"
        lines.append(f"IAM refused {result['refusals']} call(s) {since}:")
        lines += [_denial_line(denial) for denial in refused]
    elif state == "running" and result["iam_enforced"]:
        lines.append("IAM refused no call since it started")
    return "\n".join(lines)


def _headline(result: dict[str, Any]) -> str:
    port = result["port"]
    hint = "; what was deployed is kept, and embedded-localstack up restores it" if result.get("kept") else ""
    match result["state"]:
        case "running":
            minutes, seconds = divmod(result["uptime_s"], 60)
            return (
                f"LocalStack {result['version']} runs on http://127.0.0.1:{port} (process {result['pid']}, for "
                f"{minutes} min {seconds} s)"
            )
        case "unhealthy":
            return f"process {result['pid']} runs but does not answer on port {port}; see {result['log']}"
        case "foreign":
            return f"not running; port {port} is in use by {result['owner']}"
        case "stale":
            return f"not running: it ended without being stopped; see {result['log']}{hint}"
    return f"not running{hint}"


def _denial_line(denial: dict[str, Any]) -> str:
    times = f"{denial['count']}x, last " if denial["count"] > 1 else ""
    return (
        f"  {denial['who']}\n    may not {denial['action']} on {denial['resource']}"
        f"\n    asked: {denial['policy']}: {denial['reason']} ({times}{denial['last']})"
    )
