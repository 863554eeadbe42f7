"""The command status: show where an environment runs, and its health."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from botocore.exceptions import ConnectionError as NotReachable

from eventloom import advice, arguments, catalog, health, terminal
from eventloom.aws_errors import explain
from eventloom.clouds import chosen_cloud, client
from eventloom.deployment.outputs import NothingDeployed, current_outputs
from eventloom.emulator import Emulator, embedded
from eventloom.health import QueueDepth
from eventloom.terminal import printable

NOT_THERE = 3

type Facts = dict[str, Any]


@arguments.command("status")
@arguments.environment_option
@arguments.port_option
@arguments.json_option
@click.pass_context
def status(context: click.Context, environment: str, as_json: bool) -> int:
    """Show how an environment is: where it runs, what is deployed, what waits, what has failed, and which calls IAM
    denied.

    Exits with 3 if the cloud does not run or nothing is deployed.

    \b
      ./eventloom status
      ./eventloom status --env prod --json
    """
    facts = read(environment, context.find_object(Emulator) or embedded())
    terminal.report(facts, as_json, text(facts))
    return 0 if facts["deployed"] else NOT_THERE


def read(
    environment: str,
    emulator: Emulator,
    clients: Callable[[str], Any] = client,
    outputs_of: Callable[[str], Facts] = current_outputs,
) -> Facts:
    """Return all facts that `status` reports. "problem" is the reason if nothing is deployed."""
    cloud = chosen_cloud()
    facts: Facts = {"environment": environment, "cloud": cloud.name, "endpoint": cloud.endpoint, "deployed": False}
    if cloud.name == "embedded":
        facts["emulator"] = emulator.report()
        if facts["emulator"]["state"] != "running":
            return facts | {"problem": stopped(facts["emulator"])}
    try:
        facts["account"] = clients("sts").get_caller_identity()["Account"]
        outputs = outputs_of(environment)
    except NothingDeployed as error:
        return facts | {"problem": error.message}
    except NotReachable as error:
        return facts | {"problem": explain(error)}
    state = health.read(clients, outputs["prefix"])
    return facts | {
        "deployed": True,
        "functions": sorted(outputs["functions"]),
        "gallery_url": catalog.gallery_url(outputs),
        "queues": [asdict(queue) for queue in state.backlog],
        "failures": [asdict(queue) for queue in state.failures],
        "alarms": state.alarms,
    }


def stopped(emulator: Facts) -> str:
    """Return why the embedded LocalStack does not respond, and the next step."""
    up = advice.emulator_command("up")
    match emulator["state"]:
        case "foreign":
            return (
                f"port {emulator['port']} is in use by {printable(emulator.get('owner', 'another server'))}; "
                f"stop it, or choose another port: EMBEDDED_PORT={emulator['port'] + 1} ./eventloom up"
            )
        case "unhealthy":
            down = advice.emulator_command("down")
            return (
                f"the embedded LocalStack runs but does not answer; see {emulator['log']}, or start it again: "
                f"{down} && {up}"
            )
        case "stale":
            return (
                f"the embedded LocalStack ended without being stopped; see {emulator['log']}, or start it again: {up}"
            )
    if emulator.get("kept"):
        return f"the embedded LocalStack is not running; {up} brings back what was deployed"
    return (
        f"the embedded LocalStack is not running; {up} starts it, {advice.emulator_command('demo')} deploys to it "
        f"as well"
    )


def text(facts: Facts) -> str:
    """Return the report as text."""
    lines = [f"environment  {facts['environment']} ({chosen_cloud().about})"]
    if "account" in facts:
        endpoint = f" at {facts['endpoint']}" if facts["endpoint"] else ""
        lines.append(f"account      {facts['account']}{endpoint}")
    emulator = facts.get("emulator", {})
    if emulator.get("state") == "running":
        lines.append(f"emulator     {_running(emulator)}")
    if facts["deployed"]:
        lines += _deployed(facts)
    else:
        lines.append(f"deployed     {facts['problem']}" if "account" in facts else facts["problem"])
    return "\n".join(lines + _denials(emulator))


def _running(emulator: Facts) -> str:
    minutes, seconds = divmod(round(emulator["uptime_s"]), 60)
    iam = "" if emulator["iam_enforced"] else "; IAM IS NOT ENFORCED, so missing permissions will show on AWS only"
    return (
        f"LocalStack {emulator['version']}, process {emulator['pid']}, for {minutes} min {seconds} s{iam}; log: "
        f"{emulator['log']}"
    )


def _deployed(facts: Facts) -> list[str]:
    environment = facts["environment"]
    failures = ", ".join(f"{queue['name']}: {_count(queue)}" for queue in facts["failures"])
    dlq = advice.command(environment, "dlq list")
    return [
        f"deployed     {len(facts['functions'])} functions: {', '.join(facts['functions'])}",
        f"gallery      {facts['gallery_url']} ({advice.command(environment, 'open')} adds the key)",
        *(
            f"queue        {queue['name']}: {queue['waiting']:,} waiting, {queue['in_flight']:,} in flight"
            for queue in facts["queues"]
        ),
        f"failures     {f'{failures}; {dlq} shows them' if failures else 'none'}",
        f"alarms       {', '.join(facts['alarms']) or 'none'}",
    ]


def _count(queue: Facts) -> str:
    depth = QueueDepth(**queue)
    return f"{depth.waiting + depth.in_flight:,}"


def _denials(emulator: Facts) -> list[str]:
    """Return the lines about calls that IAM denied. The emulator also reports the calls of its last run."""
    denials = emulator.get("denials", [])
    if not denials:
        return (
            ["denials      IAM refused no call"]
            if emulator.get("state") == "running" and emulator["iam_enforced"]
            else []
        )
    lines = [f"denials      IAM refused {sum(denial['count'] for denial in denials):,} calls:"]
    for denial in denials:
        times = f"{denial['count']:,} times, last " if denial["count"] > 1 else ""
        lines.append(f"  {denial['who']}\n    may not {denial['action']} on {denial['resource']}")
        lines.append(f"    {denial['policy']}: {denial['reason']} ({times}{denial['last']})")
    return lines
