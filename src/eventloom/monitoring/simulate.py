"""The command `simulate`: estimate backlog, latency, throttling and cost at 10 to 10,000 uploads a second."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource
from rich.table import Table

from eventloom import arguments, terminal
from eventloom.clouds import BUILD
from eventloom.deployment import environments
from eventloom.deployment.outputs import current_outputs
from eventloom.monitoring import item_sizes, service_times
from eventloom.monitoring.load_model import ADVICE, Outcome, Shape, simulate
from eventloom.monitoring.simulation_page import facts_of, page
from thumbnailer.settings import Settings

RATES = (10, 100, 1_000, 10_000)
WEEK_MINUTES = 7 * 24 * 60
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
times_option = click.option(
    "--times",
    type=FILE,
    default=BUILD / "service_times.json",
    help="file of the measured times (default: build/service_times.json)",
)


@arguments.group("simulate", invoke_without_command=True)
@click.option(
    "--shape", default="prod", show_default=True, metavar="NAME", help="environment whose settings are simulated"
)
@click.option(
    "--minutes",
    type=arguments.Number(0, WEEK_MINUTES, exclusive=True),
    default=15,
    show_default=True,
    help="how long the load lasts",
)
@times_option
@click.option(
    "--out", type=FOLDER, default=BUILD, help="folder of simulation.html and simulation.json (default: build)"
)
@arguments.json_option
@click.pass_context
def simulate_command(  # noqa: PLR0913, PLR0917 - click passes options as arguments
    context: click.Context, shape: str, minutes: float, times: Path, out: Path, as_json: bool
) -> None:
    """Estimate what happens at 10, 100, 1,000 and 10,000 uploads a second.

    It prints the latency, the backlog, the throttled requests, the cost, the limit that is reached first, and how to
    raise that limit. The times of a photo come from a deployed thumbnailer, so run 'simulate measure' first.

    \b
    Examples:
      ./eventloom simulate measure
      ./eventloom simulate
      ./eventloom simulate --shape dev --minutes 60 --json
    """
    if context.invoked_subcommand:
        for name in ("shape", "minutes", "times", "out", "as_json"):
            if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
                raise click.UsageError(f"write the options of '{context.invoked_subcommand}' after it")
        return
    measured = service_times.load(times)
    deployed = shape_of(measured, shape)
    outcomes = [simulate(deployed, rate, minutes * 60) for rate in RATES]
    about = describe(deployed, measured, shape, minutes)
    out.mkdir(parents=True, exist_ok=True)
    document = {"about": about, "outcomes": [facts_of(outcome) for outcome in outcomes]}
    (out / "simulation.json").write_text(json.dumps(document, indent=2) + "\n")
    (out / "simulation.html").write_text(page(outcomes, about))
    if as_json:
        for outcome in outcomes:
            terminal.print_json(facts_of(outcome))
    else:
        advice = {f"{outcome.first}: {ADVICE[outcome.first]}": None for outcome in outcomes if outcome.first}
        terminal.stdout.print(
            about, outcomes_table(outcomes), *advice, f"charts: {out / 'simulation.html'}", sep="\n", soft_wrap=True
        )


@simulate_command.command("measure")
@times_option
@arguments.environment_option
@arguments.json_option
def measure(times: Path, environment: str, as_json: bool) -> None:
    """Measure the seconds of a photo, the photos at once and the bytes of an item, in a deployed environment.

    The times are those of the place where they are measured: a laptop's are not Lambda's.
    """
    facts = service_times.measure(current_outputs(environment))
    times.parent.mkdir(parents=True, exist_ok=True)
    times.write_text(json.dumps(facts) + "\n")
    terminal.report(
        facts, as_json, f"{len(facts['seconds'])} photos, {np.mean(facts['seconds']):.2f} s on average: {times}"
    )


def setting(name: str, environment: str) -> float:
    """Return a numeric setting of terraform/environments.json. Raises UserError if it does not exist."""
    return float(environments.setting(environment, name))


def shape_of(measured: dict[str, Any], environment: str) -> Shape:
    """Return the deployment to simulate: an environment's settings with measured photos.

    Raises UserError for an unknown environment.
    """
    return Shape(
        tuple(measured["seconds"]),
        maximum_concurrency=setting("thumbnailer_maximum_concurrency", environment),
        memory_mb=int(setting("thumbnailer_memory_mb", environment)),
        workers=measured.get("at_once") or Settings.workers,
        write_units=float(np.mean([item_sizes.write_units(size) for size in measured["item_bytes"]])),
    )


def describe(shape: Shape, measured: dict[str, Any], environment: str, minutes: float) -> str:
    """Return two sentences that describe the simulation."""
    return (
        f"{minutes:g} minutes from an idle start, deployed as '{environment}' "
        f"({shape.maximum_concurrency:g} invocations, {shape.workers:.2g} photos at once in each). "
        f"Times of {len(shape.service_s)} photos measured in the cloud {measured['cloud']}: "
        f"{np.mean(shape.service_s):.2f} s on average; items of {np.mean(measured['item_bytes']):.0f} bytes, "
        f"{shape.write_units:.2g} unit(s) a write."
    )


def outcomes_table(outcomes: list[Outcome]) -> Table:
    """Return a table with a row for each rate, at most 80 columns wide."""
    columns = ("uploads\na second", "p50 s", "p95 s", "p99 s", "most\nwaiting", "throttled", "USD per\nmillion")
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("first limit", no_wrap=True)
    for outcome in outcomes:
        facts = facts_of(outcome)
        times = [f"{value:,.1f}" for value in outcome.latency.values()]
        counts = [f"{facts[name]:,}" for name in ("most_waiting", "throttled", "usd_per_million")]
        table.add_row(f"{outcome.rate:,.0f}", *times, *counts, outcome.first or "none")
    return table
