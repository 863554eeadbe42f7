"""What `status` tells: is the server running, and which calls IAM refused."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded_localstack import processes
from embedded_localstack.launch import health, owner_of, port_taken
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
    """Calls that were refused alike."""

    who: str
    action: str
    resource: str
    policy: str
    reason: str
    count: int
    last: str


def report(home: Home) -> dict[str, Any]:
    """Everything `status` knows.

    `state` is "running", "unhealthy" (our process does not answer), "stale" (recorded, but gone), "foreign" (the port is
    someone else's) or "stopped".
    """
    run = home.load()
    state, answer = "stopped", None
    if run and run.running():
        answer = health(run.port, timeout=10)
        state = "running" if answer else "unhealthy"
    elif port_taken(home.port):
        state = "foreign"
    elif run:
        state = "stale"
    result: dict[str, Any] = {"state": state, "port": home.port, "home": str(home.path), "log": str(home.log)}
    if state == "foreign":
        result["owner"] = owner_of(home.port)
    if run and state in ("running", "unhealthy"):
        result |= {"pid": run.pid, "uptime_s": round(processes.age(run.pid)), "iam_enforced": run.iam, "backends": BACKENDS}
        result["version"] = answer["version"] if answer else None
    result["denials"] = [asdict(denial) for denial in denials(home.denials)]
    return result


def denials(path: Path) -> list[Denial]:
    """The refused calls of the file, equal ones counted together, latest last."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    return group(parse(lines))


def parse(lines: Iterable[str]) -> list[dict[str, str]]:
    """One object a line; a line that is only half written is passed over."""
    entries = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def group(entries: Iterable[dict[str, str]]) -> list[Denial]:
    """Count those that differ in their time only."""
    found: dict[tuple[str, ...], Denial] = {}
    for entry in entries:
        who, action, resource, policy, reason = key = tuple(entry.get(name, "") for name in FIELDS)
        denial = found.setdefault(key, Denial(who, action, resource, policy, reason, count=0, last=""))
        denial.count += 1
        denial.last = max(denial.last, entry.get("time", ""))
    return sorted(found.values(), key=lambda denial: denial.last)


def text(result: dict[str, Any]) -> str:
    """The report for people."""
    state = result["state"]
    lines = [_headline(result)]
    if state in ("running", "unhealthy"):
        lines += [f"  {service:<9} {backend}" for service, backend in result["backends"].items()]
        enforced = "enforced" if result["iam_enforced"] else "NOT ENFORCED (IAM_ENFORCE=0): missing permissions will show on AWS only"
        lines.append(f"  {'iam':<9} {enforced}")
        lines.append(f"  {'log':<9} {result['log']}")
    refused = result["denials"]
    if refused:
        since = "since it started" if state == "running" else "in its last run"
        lines.append(f"IAM refused {sum(denial['count'] for denial in refused)} call(s) {since}:")
        lines += [_denial_line(denial) for denial in refused]
    elif state == "running" and result["iam_enforced"]:
        lines.append("IAM refused no call since it started")
    return "\n".join(lines)


def _headline(result: dict[str, Any]) -> str:
    port = result["port"]
    match result["state"]:
        case "running":
            minutes, seconds = divmod(result["uptime_s"], 60)
            return (
                f"LocalStack {result['version']} runs on http://127.0.0.1:{port} (process {result['pid']}, for {minutes} min {seconds} s)"
            )
        case "unhealthy":
            return f"process {result['pid']} runs but does not answer on port {port}; see {result['log']}"
        case "foreign":
            return f"port {port} is not ours: {result['owner']}"
        case "stale":
            return f"not running: it ended without being stopped; see {result['log']}"
    return "not running"


def _denial_line(denial: dict[str, Any]) -> str:
    times = f"{denial['count']}x, last " if denial["count"] > 1 else ""
    return (
        f"  {denial['who']}\n    may not {denial['action']} on {denial['resource']}"
        f"\n    asked: {denial['policy']}: {denial['reason']} ({times}{denial['last']})"
    )
