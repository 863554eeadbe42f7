"""Show live how an environment is doing. Usage: watch.py [--env NAME] [--once] [--minutes N] [--every SECONDS]

Without a terminal, snapshots are printed one after the other.
"""

import time
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from eventloom import errors
from eventloom.monitoring import telemetry
from eventloom.monitoring.telemetry import Reading
from eventloom.terminal import ENV, environment, parser, positive, whole

BARS = " ▁▂▃▄▅▆▇█"


def sparkline(reading: Reading, name: str, width: int = 30) -> str:
    """A column a minute, the newest at the right."""
    last = int(reading.until // 60 * 60)
    values = [reading.counts[name].get(last - 60 * back, 0) for back in reversed(range(width))]
    highest = max([*values, 1])
    return "".join(BARS[-(-value * (len(BARS) - 1) // highest)] for value in values)


def images_table(reading: Reading) -> Table:
    """How the uploads ended."""
    table = Table("images", "in all", "by minute", box=None, header_style="bold", title_justify="left")
    for name in telemetry.ENDINGS:
        table.add_row(name.removeprefix("Images").lower(), f"{reading.total(name):,}", sparkline(reading, name))
    for reason, count in reading.rejected.most_common(8):
        table.add_row(f"  {reason}", f"{count:,}")
    cost = reading.cost_per_thousand
    table.add_row("cost of 1,000", "-" if cost is None else f"${cost:.4f}", "at list prices")
    return table


def queues_table(reading: Reading) -> Table:
    """What waits."""
    table = Table("queue", "waiting", "in flight", "oldest", box=None, header_style="bold")
    for name, queue in reading.queues.items():
        colour = "red" if name.endswith("-dlq") and queue.waiting else ""
        age = "-" if queue.age_s is None else f"{queue.age_s:.0f} s"
        waiting = f"[{colour}]{queue.waiting:,}[/]" if colour else f"{queue.waiting:,}"
        table.add_row(name, waiting, f"{queue.in_flight:,}", age)
    return table


def functions_table(reading: Reading) -> Table:
    """How the functions did."""
    percentiles = [f"p{p} ms" for p in telemetry.PERCENTILES]
    table = Table("function", "runs", "errors", *percentiles, "GB-s", box=None, header_style="bold")
    for name, function in reading.functions.items():
        failed = f"[red]{function.errors:,}[/]" if function.errors else "0"
        durations = [f"{function.durations[p]:,.0f}" if p in function.durations else "-" for p in telemetry.PERCENTILES]
        table.add_row(name, f"{function.invocations:,}", failed, *durations, f"{function.gb_s:.2f}")
    return table


def view(reading: Reading, environment: str) -> Group:
    """All of it."""
    minutes = round((reading.until - reading.since) / 60)
    head = f"[bold]{environment}[/bold]  {datetime.fromtimestamp(reading.until, UTC):%H:%M:%S} UTC, the last {minutes} minutes"
    return Group(head, "", images_table(reading), "", queues_table(reading), "", functions_table(reading))


def main() -> None:
    """Show it once, or until Ctrl-C."""
    arguments = parser(__doc__, ENV)
    arguments.add_argument("--once", action="store_true", help="one snapshot")
    arguments.add_argument("--minutes", type=whole, default=30, help="how far back (default 30)")
    arguments.add_argument("--every", type=positive, default=5, help="seconds between two readings (default 5)")
    options = arguments.parse_args()
    console = Console(highlight=False)
    deployed = environment(options.env)

    def now() -> Group:
        return view(telemetry.read(deployed, options.minutes), options.env)

    if options.once or not console.is_terminal:
        console.print(now())
        while not options.once:
            time.sleep(options.every)
            console.print("", now())
        return
    with Live(now(), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(options.every)
            live.update(now(), refresh=True)


if __name__ == "__main__":
    errors.run("watch", main)
