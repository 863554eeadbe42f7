"""The command `logs`: print or follow the logs of deployed functions."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.catalog import deployed_function
from eventloom.clouds import client
from eventloom.deployment.outputs import current_outputs
from eventloom.monitoring.log_lines import all_option, line
from eventloom.monitoring.log_records import Record, records

# Execution environments deliver their lines separately, so older lines may arrive up to this much later.
LATE_MS = 30_000
# FilterLogEvents allows 5 requests a second: https://repost.aws/knowledge-center/cloudwatch-logs-throttling
REQUESTS_PER_S = 4


@arguments.command("logs")
@click.argument("function", metavar="[FN]", required=False)
@click.option("--follow", "-f", is_flag=True, help="keep printing new lines until Ctrl-C")
@arguments.minutes_option(default=60)
@all_option
@arguments.environment_option
@arguments.json_option
def logs(  # noqa: PLR0913, PLR0917 - click passes options as arguments
    function: str | None, follow: bool, minutes: int, show_all: bool, environment: str, as_json: bool
) -> None:
    """Print the log of the function FN, or of all functions, oldest line first. Times are in UTC.

    \b
    Examples:
      ./eventloom logs
      ./eventloom logs thumbnailer --follow
      ./eventloom logs thumbnailer --minutes 1440 --json
    """
    outputs = current_outputs(environment)
    names = [function] if function else sorted(outputs["functions"])
    groups = {name: deployed_function(outputs, name)["log_group"] for name in names}
    since_ms = max(0, int((time.time() - 60 * minutes) * 1000))
    reader = Reader(client("logs"), groups, since_ms)
    rounds = follow_rounds(reader) if follow else iter([reader.read()])
    width = max(len(name) for name in names) if len(names) > 1 else 0
    printed = 0
    for round_records in rounds:
        for record in round_records:
            if show_all or not record.is_detail:
                print_record(record, width, as_json)
                printed += 1
    if not printed:
        terminal.note(
            f"no lines in the last {minutes} minutes" + ("" if show_all else "; --all prints Lambda's own lines, too")
        )


def print_record(record: Record, width: int, as_json: bool) -> None:
    """Print one record on stdout as a JSON object or as text."""
    if as_json:
        terminal.print_json(record.facts())
    else:
        terminal.stdout.print(line(record, width), soft_wrap=True)


@dataclass
class Reader:
    """Reads the events of log groups from `since_ms` (epoch, ms) on, each event once, even if it arrives late.

    `groups` are the log groups by function name.
    """

    client: Any
    groups: dict[str, str]
    since_ms: int
    _since: dict[str, int] = field(default_factory=dict)
    _shown: dict[str, set[str]] = field(default_factory=dict)

    def read(self) -> list[Record]:
        """Return the records that have arrived since the last call, sorted by the time of writing."""
        with ThreadPoolExecutor(min(8, len(self.groups))) as pool:
            batches = list(pool.map(self._read_group, self.groups))
        return sorted((record for batch in batches for record in batch), key=lambda record: record.time)

    def _read_group(self, function: str) -> list[Record]:
        since_ms, shown = self._since.get(function, self.since_ms), self._shown.get(function, set())
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=self.groups[function], startTime=since_ms
        )
        events = sorted((event for page in pages for event in page["events"]), key=lambda event: event["timestamp"])
        next_ms = max([since_ms, *(int(event["timestamp"]) - LATE_MS for event in events)])
        self._since[function] = next_ms
        self._shown[function] = {event["eventId"] for event in events if event["timestamp"] >= next_ms}
        return list(records(function, (event for event in events if event["eventId"] not in shown)))


def follow_rounds(reader: Reader, sleep: Callable[[float], None] = time.sleep) -> Iterator[list[Record]]:
    """Yield the new records again and again, at a rate that CloudWatch Logs allows."""
    while True:
        yield reader.read()
        sleep(max(1.0, len(reader.groups) / REQUESTS_PER_S))
