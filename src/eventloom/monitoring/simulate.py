"""What becomes of 10, 100, 1,000 and 10,000 uploads a second: backlog, latency, throttles, cost, and which limit breaks first.

    simulate.py measure            seconds of one upload in the deployed thumbnailer and how many overlap in full batches, from its log,
                                   and bytes of an item of the catalog, into build/service_times.json
    simulate.py run                writes build/simulation.html and build/simulation.json

AWS's limits and their sources are in aws_limits.py; what the model leaves out is told in load_model.py. The times are those of where they
were measured: measure in the environment (ENV=dev) whose answer is wanted.
"""

import argparse
import html
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from eventloom import errors, terminal
from eventloom.clouds import BUILD, chosen_cloud, client
from eventloom.deployment import environments
from eventloom.errors import UserError
from eventloom.monitoring import aws_limits, item_sizes
from eventloom.monitoring.load_model import ADVICE, STEP_S, Outcome, Shape, simulate
from thumbnailer.settings import Settings

RATES = (10, 100, 1_000, 10_000)
TIMES = BUILD / "service_times.json"


def measure(outputs: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each photo that the thumbnailer made thumbnails of, by its log, and bytes of the newest items.

    Raises UserError without enough of them.
    """
    group = outputs["functions"]["thumbnailer"]["log_group"]
    photos = [entry for entry in _entries(group, "READY") if entry.get("result") == "READY" and "duration_ms" in entry]
    if len(photos) < 5:
        raise UserError(f"the thumbnailer's log tells of {len(photos)} photos, too few: run make demo, or upload some")
    facts = {
        "cloud": chosen_cloud().name,
        "environment": outputs["environment"],
        "seconds": [photo["duration_ms"] / 1000 for photo in photos],
        "at_once": overlap(photos, _entries(group, "platform.report")),
        "item_bytes": _item_bytes(outputs),
    }
    TIMES.write_text(json.dumps(facts) + "\n")
    return facts


def _entries(group: str, word: str) -> Iterator[dict[str, Any]]:
    """The JSON lines of a log that hold a word."""
    for page in client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=f'"{word}"'):
        for event in page["events"]:
            with suppress(ValueError):
                if isinstance(entry := json.loads(event["message"]), dict):
                    yield entry


def overlap(photos: Iterable[dict[str, Any]], reports: Iterable[dict[str, Any]]) -> float | None:
    """How many photos were worked on at once, on the average, in invocations for a full batch of them; None if there was none.

    Fewer than the function has workers: at a batch's end one has nothing to do while another one works.
    """
    times = defaultdict[str, list[float]](list)
    for photo in photos:
        times[photo.get("function_request_id", "")].append(photo["duration_ms"])
    records = [report["record"] for report in reports if report.get("type") == "platform.report"]
    full = {record["requestId"]: record["metrics"]["durationMs"] for record in records if len(times[record["requestId"]]) >= Shape.batch}
    return sum(sum(times[request]) for request in full) / sum(full.values()) if full else None


def _item_bytes(outputs: dict[str, Any]) -> list[int]:
    answer = client("dynamodb").query(
        TableName=outputs["catalog_table"],
        IndexName="by_status",
        KeyConditionExpression="#status = :ready",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":ready": {"S": "READY"}},
        ScanIndexForward=False,
    )
    return [item_sizes.size(item) for item in answer["Items"]] or [item_sizes.BYTES]


def setting(name: str, environment: str) -> float:
    """Return a number of terraform/environments.json. Raises UserError if it is not there."""
    return float(environments.setting(environment, name))


def shape_of(measured: dict[str, Any], environment: str) -> Shape:
    """What terraform/ deploys to an environment, with measured photos. Raises UserError."""
    return Shape(
        tuple(measured["seconds"]),
        maximum_concurrency=setting("thumbnailer_maximum_concurrency", environment),
        memory_mb=int(setting("thumbnailer_memory_mb", environment)),
        workers=measured.get("at_once") or Settings.workers,
        write_units=float(np.mean([item_sizes.write_units(one) for one in measured["item_bytes"]])),
    )


def svg(curve: NDArray[np.floating], what: str) -> str:
    """A curve over time as a picture."""
    points, top = curve[:: max(1, len(curve) // 300)], max(1.0, float(curve.max()))
    line = " ".join(f"{40 + 440 * n / max(1, len(points) - 1):.1f},{130 - 110 * value / top:.1f}" for n, value in enumerate(points))
    return (
        f'<svg viewBox="0 0 500 160" role="img" aria-label="{html.escape(what)}"><path d="M40 20V130H480" fill="none" stroke="currentColor"'
        f' opacity=".4"/><polyline points="{line}" fill="none" stroke="#2a78d6" stroke-width="2"/>'
        f'<text x="40" y="14">{html.escape(what)}: at most {top:,.0f}</text><text x="480" y="150" text-anchor="end">'
        f"{len(curve) * STEP_S / 60:.0f} min</text></svg>"
    )


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Eventloom simulation</title>
<style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
section {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem }}
text {{ font-size: 12px; fill: currentColor }}
li {{ overflow-wrap: anywhere }}</style><h1>Eventloom under load</h1><p>{about}</p>{sections}<h2>Limits</h2><ul>{sources}</ul></html>
"""


def page(outcomes: list[Outcome], about: str) -> str:
    """The outcomes as HTML."""
    sections = []
    for outcome in outcomes:
        facts = facts_of(outcome)
        words = html.escape(", ".join(f"{name} {value}" for name, value in facts.items()))
        charts = svg(outcome.backlog, "uploads waiting") + svg(outcome.busy, "busy invocations")
        sections.append(f"<h2>{outcome.rate:,.0f} uploads a second</h2><p>{words}</p><section>{charts}</section>")
    named = {name: limit for name, limit in vars(aws_limits).items() if isinstance(limit, aws_limits.Limit)}
    rows = [f'<li>{name}: {one.value:g} {one.unit}, <a href="{one.source}">{one.source}</a></li>' for name, one in named.items()]
    return PAGE.format(about=html.escape(about), sections="".join(sections), sources="".join(rows))


def facts_of(outcome: Outcome) -> dict[str, Any]:
    """For programs."""
    return {
        "uploads_per_s": outcome.rate,
        "finished": round(outcome.finished[-1]),
        "waiting_at_the_end": round(outcome.backlog[-1]),
        "most_waiting": round(float(outcome.backlog.max())),
        "busy_at_the_end": round(float(outcome.busy[-1]), 1),
        **{f"latency_{name}_s": round(value, 2) for name, value in outcome.latency.items()},
        "throttled": round(outcome.throttled),
        "usd_per_million": round(outcome.cost_per_million, 2),
        "breaks_first": outcome.first,
        "change": ADVICE[outcome.first] if outcome.first else None,
    }


def run(options: argparse.Namespace) -> None:
    """Simulate all rates, print and write. Raises UserError."""
    if not TIMES.exists():
        raise UserError("no service times yet: make demo, then make simulate ARGS=measure")
    try:
        measured = json.loads(TIMES.read_text())
    except ValueError:
        measured = {}
    if "item_bytes" not in measured:
        raise UserError(f"{TIMES} is damaged or of an older version: make simulate ARGS=measure")
    shape = shape_of(measured, options.shape)
    outcomes = [simulate(shape, rate, options.minutes * 60) for rate in RATES]
    about = (
        f"{options.minutes:g} minutes from an idle start, deployed as '{options.shape}' ({shape.maximum_concurrency:g} invocations, "
        f"{shape.workers:.2g} photos at once in each). Times of {len(shape.service_s)} photos measured in the cloud {measured['cloud']}: "
        f"{np.mean(shape.service_s):.2f} s on the average; items of {np.mean(measured['item_bytes']):.0f} bytes, "
        f"{shape.write_units:.2g} unit(s) a write."
    )
    (BUILD / "simulation.json").write_text(json.dumps({"about": about, "outcomes": [facts_of(one) for one in outcomes]}, indent=2) + "\n")
    (BUILD / "simulation.html").write_text(page(outcomes, about))
    columns = ("uploads\na second", "p50 s", "p95 s", "p99 s", "most\nwaiting", "throttled", "USD per\nmillion")
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("breaks first", no_wrap=True)
    for one in outcomes:
        facts = facts_of(one)
        times = [f"{value:,.1f}" for value in one.latency.values()]
        counts = [f"{facts[name]:,}" for name in ("most_waiting", "throttled", "usd_per_million")]
        table.add_row(f"{one.rate:,.0f}", *times, *counts, one.first or "none")
        if options.json:
            print(json.dumps(facts))
    if not options.json:
        advice = {f"{one.first}: {ADVICE[one.first]}": None for one in outcomes if one.first}
        terminal.stdout.print(about, table, *advice, f"charts: {BUILD / 'simulation.html'}", sep="\n", soft_wrap=True)


def main() -> int:
    """Measure or simulate."""
    parser = terminal.parser(__doc__)
    subcommand = terminal.subcommands(parser)
    subcommand("measure", help="service times from the deployed thumbnailer's log")
    running = subcommand("run", help="simulate")
    running.add_argument("--shape", default="prod", help="whose column of terraform/environments.json (default %(default)s)")
    running.add_argument("--minutes", type=terminal.positive, default=15, help="how long the load lasts (default %(default)s)")
    options = terminal.parse(parser, "run")
    if options.command == "measure":
        facts = measure(terminal.environment(options.env))
        mean = np.mean(facts["seconds"])
        terminal.tell(facts, options.json, f"{len(facts['seconds'])} photos, {mean:.2f} s on the average: {TIMES}")
    else:
        run(options)
    return 0


if __name__ == "__main__":
    errors.run("simulate", main)
