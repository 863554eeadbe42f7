"""Print a deployed function's log lines, oldest first. Usage: logs.py [--env NAME] FUNCTION [--follow] [--minutes N]"""

import time
from datetime import UTC, datetime

from eventloom import errors
from eventloom.catalog import deployed_function
from eventloom.clouds import client
from eventloom.terminal import ENV, environment, parser, whole

# Each environment of a function hands its lines in for itself, so that older ones may come to light after newer ones.
LATE_MS = 30_000


def show(group: str, since_ms: int, shown: set[str]) -> tuple[int, set[str]]:
    """Print the events from `since_ms` (epoch, ms) on, but for those with the ids `shown`; both for the next time."""
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
    events = sorted((event for page in pages for event in page["events"]), key=lambda event: event["timestamp"])
    for event in events:
        if event["eventId"] not in shown:
            moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            print(f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d} {event['message'].rstrip()}")
    next_ms = max([since_ms, *(int(event["timestamp"]) - LATE_MS for event in events)])
    return next_ms, {event["eventId"] for event in events if event["timestamp"] >= next_ms}


def main() -> None:
    """Print what there is and, with --follow, what comes."""
    arguments = parser(__doc__, ENV)
    arguments.add_argument("function")
    arguments.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    arguments.add_argument("--minutes", type=whole, default=60, help="how far back (default 60)")
    options = arguments.parse_args()
    group = deployed_function(environment(options.env), options.function)["log_group"]
    since_ms, shown = show(group, int((time.time() - options.minutes * 60) * 1000), set())
    while options.follow:
        time.sleep(1)
        since_ms, shown = show(group, since_ms, shown)


if __name__ == "__main__":
    errors.run("logs", main)
