"""Replays of EventBridge archives: EventBridge sends a part of one onto its own bus again, at its own pace."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventloom import terminal
from eventloom.clouds import chosen_cloud, client
from eventloom.errors import UserError

_UNDER_WAY = ("STARTING", "RUNNING")


@dataclass(frozen=True)
class Part:
    """Events of an archive from `start` to before `end`, and the names of the rules that get them: all if there are none."""

    archive: str
    start: datetime
    end: datetime
    rules: tuple[str, ...]


def replay(part: Part, dry_run: bool) -> dict[str, Any]:
    """Have EventBridge replay a part of an archive, and wait for its end. Raises UserError."""
    events = client("events")
    archive = events.describe_archive(ArchiveName=part.archive)
    facts = {"archive": part.archive, "bus": archive["EventSourceArn"], "start": part.start, "end": part.end}
    if dry_run:
        return facts | {"events_in_archive": archive.get("EventCount", 0), "dry_run": True}
    name = _start(events, archive, part)
    with terminal.progress(f"replay {name}", None, "") as done:
        while (found := events.describe_replay(ReplayName=name))["State"] in _UNDER_WAY:
            done(0)
            time.sleep(0.5 if chosen_cloud().port else 5)
    if found["State"] != "COMPLETED":
        raise UserError(f"replay {name} ended as {found['State']}: {found.get('StateReason', '')}")
    return facts | {"replay": name, "state": found["State"], "dry_run": False}


def _start(events: Any, archive: dict[str, Any], part: Part) -> str:
    """Start the replay, unless the very same runs already; its name. Raises ClientError for a rule that the bus does not have."""
    bus = archive["EventSourceArn"]
    rules = [events.describe_rule(Name=rule, EventBusName=bus)["Arn"] for rule in part.rules]
    wanted = {
        "EventSourceArn": archive["ArchiveArn"],
        "EventStartTime": part.start,
        "EventEndTime": part.end,
        "Destination": {"Arn": bus} | ({"FilterArns": rules} if rules else {}),
    }
    for state in _UNDER_WAY:  # ListReplays takes one filter
        for found in events.list_replays(State=state)["Replays"]:
            running = events.describe_replay(ReplayName=found["ReplayName"])
            if running["State"] in _UNDER_WAY and _what(running) == _what(wanted):
                return str(found["ReplayName"])
    name = f"operator-{time.time_ns()}"
    events.start_replay(ReplayName=name, **wanted)
    return name


def _what(replay: dict[str, Any]) -> tuple[Any, ...]:
    """Which events a replay sends where."""
    where = replay["Destination"]
    span = (replay["EventStartTime"], replay["EventEndTime"])
    return (replay["EventSourceArn"], *span, where["Arn"], set(where.get("FilterArns") or []))
