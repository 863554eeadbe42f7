"""The command `watch`: show live figures of an environment."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from eventloom import arguments, terminal
from eventloom.deployment.outputs import current_outputs
from eventloom.monitoring import telemetry
from eventloom.monitoring.facts import facts
from eventloom.monitoring.telemetry import Reading

# CloudWatch keeps one-minute metrics for 15 days:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
MINUTES = click.IntRange(1, 15 * 24 * 60)
# The width of the output if it is not a terminal
PLAIN_WIDTH = 120
BARS = " ▁▂▃▄▅▆▇█"


@arguments.command("watch")
@click.option("--once", is_flag=True, help="print the figures once")
@arguments.minutes_option(default=30, type=MINUTES)
@click.option(
    "--every",
    type=arguments.POSITIVE,
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="time between two readings",
)
@arguments.environment_option
@arguments.json_option
def watch(once: bool, minutes: int, every: float, environment: str, as_json: bool) -> None:
    """Show live how an environment is doing, until Ctrl-C: images, queues, functions and cost.

    In a pipe, and with --json, it prints one snapshot after another. Times are in UTC.

    \b
    Examples:
      ./eventloom watch
      ./eventloom watch --once --minutes 120
      ./eventloom watch --once --json
    """
    outputs = current_outputs(environment)
    read = partial(telemetry.read, outputs, minutes)
    if as_json:
        repeat(lambda: terminal.print_json(facts(read(), environment)), once, every)
    elif once or not terminal.stdout.is_terminal:
        repeat(lambda: print_view(terminal.stdout, view(read(), environment)), once, every)
    else:
        with Live(view(read(), environment), console=terminal.stdout, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(every)
                live.update(view(read(), environment), refresh=True)


def repeat(show: Callable[[], None], once: bool, every: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Call `show` once, or repeatedly with a pause of `every` seconds."""
    show()
    while not once:
        sleep(every)
        show()


def print_view(console: Console, shown: Group) -> None:
    """Print the tables and an empty line."""
    console.print(shown, "", width=None if console.is_terminal else PLAIN_WIDTH)


def sparkline(reading: Reading, name: str, width: int = 30) -> str:
    """Return a line with one bar for each minute, the newest on the right."""
    last = int(reading.until // 60 * 60)
    values = [reading.counts[name].get(last - 60 * back, 0) for back in reversed(range(width))]
    highest = max([*values, 1])
    return "".join(BARS[-(-value * (len(BARS) - 1) // highest)] for value in values)


def images_table(reading: Reading) -> Table:
    """Return the table with the number of images for each result."""
    table = Table("images", "total", "by minute", box=None, header_style="bold", title_justify="left")
    for name in telemetry.ENDINGS:
        table.add_row(name.removeprefix("Images").lower(), f"{reading.total(name):,}", sparkline(reading, name))
    for reason, count in reading.rejected.most_common(8):
        table.add_row(f"  {reason}", f"{count:,}")
    cost = reading.cost_per_thousand
    table.add_row("cost of 1,000", "-" if cost is None else f"${cost:.4f}", "at list prices")
    return table


def queues_table(reading: Reading) -> Table:
    """Return the table of the queues."""
    table = Table("queue", "waiting", "in flight", "oldest", box=None, header_style="bold")
    for name, queue in reading.queues.items():
        colour = "red" if name.endswith("-dlq") and queue.waiting else ""
        age = "-" if queue.age_s is None else f"{queue.age_s:.0f} s"
        waiting = f"[{colour}]{queue.waiting:,}[/]" if colour else f"{queue.waiting:,}"
        table.add_row(name, waiting, f"{queue.in_flight:,}", age)
    return table


def functions_table(reading: Reading) -> Table:
    """Return the table of the functions."""
    percentiles = [f"p{p} ms" for p in telemetry.PERCENTILES]
    table = Table("function", "runs", "errors", *percentiles, "GB-s", box=None, header_style="bold")
    for name, function in reading.functions.items():
        failed = f"[red]{function.errors:,}[/]" if function.errors else "0"
        durations = [f"{function.durations[p]:,.0f}" if p in function.durations else "-" for p in telemetry.PERCENTILES]
        table.add_row(name, f"{function.invocations:,}", failed, *durations, f"{function.gb_s:.2f}")
    return table


def view(reading: Reading, environment: str) -> Group:
    """Return all tables of an environment, with a heading."""
    minutes = round((reading.until - reading.since) / 60)
    until = datetime.fromtimestamp(reading.until, UTC)
    head = f"[bold]{environment}[/bold]  {until:%H:%M:%S} UTC, the last {minutes} minutes"
    return Group(head, "", images_table(reading), "", queues_table(reading), "", functions_table(reading))
