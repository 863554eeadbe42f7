"""Replay EventBridge archives. EventBridge sends the archived events to their bus again, and decides the rate."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventloom import terminal
from eventloom.errors import UserError

_ACTIVE = ("STARTING", "RUNNING")


@dataclass(frozen=True)
class Part:
    """The events of an archive from `start` to before `end`, and the rules that get them. () stands for all rules."""

    archive: str
    start: datetime
    end: datetime
    rules: tuple[str, ...]


def replay(events: Any, part: Part, dry_run: bool, poll_s: float) -> dict[str, Any]:
    """Replay a part of an archive in EventBridge, and wait until it ends.

    `events` is a boto3 client. Raises UserError if the replay does not complete.
    """
    archive = events.describe_archive(ArchiveName=part.archive)
    facts = {"archive": part.archive, "bus": archive["EventSourceArn"], "start": part.start, "end": part.end}
    if dry_run:
        return facts | {"events_in_archive": archive.get("EventCount", 0), "dry_run": True}
    name = _start(events, archive, part)
    with terminal.progress(f"replay {name}", None, "") as done:
        while (description := events.describe_replay(ReplayName=name))["State"] in _ACTIVE:
            done(0)
            time.sleep(poll_s)
    if description["State"] != "COMPLETED":
        reason = description.get("StateReason", "EventBridge gives no reason")
        raise UserError(f"the replay {name} ended as {description['State']}: {reason}")
    return facts | {"replay": name, "state": description["State"], "dry_run": False}


def _start(events: Any, archive: dict[str, Any], part: Part) -> str:
    """Start the replay and return its name. If the same replay is active, return the name of that one.

    Raises ClientError for a rule that the bus does not have.
    """
    bus = archive["EventSourceArn"]
    rules = [events.describe_rule(Name=rule, EventBusName=bus)["Arn"] for rule in part.rules]
    request = {
        "EventSourceArn": archive["ArchiveArn"],
        "EventStartTime": part.start,
        "EventEndTime": part.end,
        "Destination": {"Arn": bus} | ({"FilterArns": rules} if rules else {}),
    }
    for state in _ACTIVE:  # ListReplays accepts only one filter.
        for listed in events.list_replays(State=state)["Replays"]:
            description = events.describe_replay(ReplayName=listed["ReplayName"])
            if description["State"] in _ACTIVE and _effect(description) == _effect(request):
                return str(listed["ReplayName"])
    name = f"operator-{time.time_ns()}"
    events.start_replay(ReplayName=name, **request)
    return name


def _effect(replay: dict[str, Any]) -> tuple[Any, ...]:
    """Return the fields that are equal for two replays with the same effect."""
    destination = replay["Destination"]
    span = (replay["EventStartTime"], replay["EventEndTime"])
    return (replay["EventSourceArn"], *span, destination["Arn"], set(destination.get("FilterArns") or []))
