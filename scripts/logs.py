"""Print a deployed function's log lines, oldest first. Usage: logs.py [--env NAME] FUNCTION [--follow] [--minutes N]"""

import time
from datetime import UTC, datetime

import runner
from clouds import client
from operations.console import ENV, environment, parser, whole
from pipeline import deployed_function


def show(group: str, since_ms: int) -> int:
    """Print the events after `since_ms` (epoch, ms); the time of the last one."""
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms + 1)
    events = sorted((event for page in pages for event in page["events"]), key=lambda event: event["timestamp"])
    for event in events:
        moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        print(f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d} {event['message'].rstrip()}")
    return max([since_ms, *(int(event["timestamp"]) for event in events)])


def main() -> None:
    """Print what there is and, with --follow, what comes."""
    arguments = parser(__doc__, ENV)
    arguments.add_argument("function")
    arguments.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    arguments.add_argument("--minutes", type=whole, default=60, help="how far back (default 60)")
    options = arguments.parse_args()
    group = deployed_function(environment(options.env), options.function)["log_group"]
    last = show(group, int((time.time() - options.minutes * 60) * 1000))
    while options.follow:
        time.sleep(1)
        last = show(group, last)


if __name__ == "__main__":
    runner.run("logs", main)
