"""The command `report`: write the figures of an environment as a page with charts."""

import html
from datetime import UTC, datetime
from pathlib import Path

import click

from eventloom import arguments, terminal
from eventloom.clouds import BUILD
from eventloom.deployment.outputs import current_outputs
from eventloom.monitoring import telemetry
from eventloom.monitoring.facts import facts
from eventloom.monitoring.telemetry import Reading
from eventloom.monitoring.watch import MINUTES

COLOURS = {"ImagesReady": "#2a9d6f", "ImagesRejected": "#d97706", "ImagesDeleted": "#64748b"}
WIDTH, HEIGHT = 900, 220

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ margin: 2rem auto; max-width: 64rem; padding: 0 1rem }}
  table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
  td, th {{ padding: .3rem .6rem; text-align: right }}
  td:first-child, th:first-child {{ text-align: left }} tr + tr {{ border-top: 1px solid #8884 }}
  svg {{ width: 100%; height: auto }}
  .tiles {{ display: flex; flex-wrap: wrap; gap: 1rem }}
  .tiles p {{ margin: 0; padding: .8rem 1.2rem; border-radius: .5rem; background: #8882 }}
  .tiles b {{ display: block; font-size: 1.6rem }} text {{ fill: currentColor; font-size: 12px }}
</style>
<h1>{title}</h1><p>{when}</p><div class="tiles">{tiles}</div>
<h2>Images by minute</h2>{minutes}<h2>Rejected, by reason</h2>{reasons}
<h2>Queues</h2>{queues}<h2>Functions</h2>{functions}</html>
"""


@arguments.command("report")
@arguments.minutes_option(default=60, type=MINUTES)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=BUILD / "report.html",
    help="default: build/report.html",
)
@arguments.environment_option
@arguments.json_option
def report(minutes: int, out: Path, environment: str, as_json: bool) -> None:
    """Write the figures that 'watch' shows as an HTML page with charts, and print its path.

    With --json it writes the page and prints the figures, with the path as "page".

    \b
    Examples:
      ./eventloom report
      ./eventloom report --minutes 1440 --out build/yesterday.html
    """
    reading = telemetry.read(current_outputs(environment), minutes)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(reading, environment), encoding="utf-8")
    terminal.report(facts(reading, environment) | {"page": str(out)}, as_json, str(out))


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return an HTML table with a heading row. The texts are escaped."""
    if not rows:
        return "<p>none</p>"
    cells = "".join(f"<th>{html.escape(text)}</th>" for text in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def minutes_chart(reading: Reading) -> str:
    """Return an SVG chart of the images by result, with a stacked column for each minute."""
    first, last = int(reading.since // 60 * 60), int(reading.until // 60 * 60)
    times = range(first, last + 60, 60)
    highest = max([1, *(sum(reading.counts[name].get(at, 0) for name in COLOURS) for at in times)])
    step = WIDTH / len(times)
    shapes = [f'<text x="0" y="12">{highest:,} a minute</text>']
    for index, at in enumerate(times):
        top = float(HEIGHT)
        for name, colour in COLOURS.items():
            size = reading.counts[name].get(at, 0) / highest * (HEIGHT - 20)
            top -= size
            if size:
                label = f"{datetime.fromtimestamp(at, UTC):%H:%M} {name}: {reading.counts[name][at]:,}"
                box = f'x="{index * step:.1f}" y="{top:.1f}" width="{max(1, step - 1):.1f}" height="{size:.1f}"'
                shapes.append(f'<rect {box} fill="{colour}"><title>{label}</title></rect>')
    for index in range(0, len(times), max(1, len(times) // 8)):
        shapes.append(
            f'<text x="{index * step:.1f}" y="{HEIGHT + 16}">{datetime.fromtimestamp(times[index], UTC):%H:%M}</text>'
        )
    legend = " ".join(
        f'<span style="color:{colour}">■</span> {name.removeprefix("Images").lower()}'
        for name, colour in COLOURS.items()
    )
    return svg(HEIGHT + 20, "Images by minute", shapes) + f"<p>{legend}</p>"


def reasons_chart(reading: Reading) -> str:
    """Return an SVG chart with a bar for each reason of a rejection."""
    if not reading.rejected:
        return "<p>none</p>"
    highest = max(reading.rejected.values())
    shapes = []
    for row, (reason, count) in enumerate(reading.rejected.most_common()):
        shapes.append(f'<text x="0" y="{row * 26 + 17}">{html.escape(reason)}</text>')
        shapes.append(
            f'<rect x="200" y="{row * 26 + 4}" width="{count / highest * 600:.1f}" height="18" fill="#d97706"/>'
        )
        shapes.append(f'<text x="{208 + count / highest * 600:.1f}" y="{row * 26 + 17}">{count:,}</text>')
    return svg(26 * len(reading.rejected), "Rejected, by reason", shapes)


def svg(height: int, label: str, shapes: list[str]) -> str:
    """Return an SVG element of the page's width."""
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(shapes)}</svg>'


def page(reading: Reading, environment: str) -> str:
    """Return the HTML of the page."""
    cost = reading.cost_per_thousand
    tiles = {
        "ready": f"{reading.total('ImagesReady'):,}",
        "rejected": f"{reading.total('ImagesRejected'):,}",
        "waiting": f"{reading.queues['uploads'].waiting:,}",
        "dead letters": f"{reading.queues['uploads-dlq'].waiting:,}",
        "per 1,000 images, list prices": "-" if cost is None else f"${cost:.4f}",
    }
    queues = [
        [name, f"{queue.waiting:,}", f"{queue.in_flight:,}", "-" if queue.age_s is None else f"{queue.age_s:.0f}"]
        for name, queue in reading.queues.items()
    ]
    functions = [
        [name, f"{function.invocations:,}", f"{function.errors:,}", *durations(function), f"{function.gb_s:.2f}"]
        for name, function in reading.functions.items()
    ]
    since, until = (datetime.fromtimestamp(moment, UTC) for moment in (reading.since, reading.until))
    return PAGE.format(
        title=f"Eventloom, {html.escape(environment)}",
        when=f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC",
        tiles="".join(f"<p><b>{value}</b>{name}</p>" for name, value in tiles.items()),
        minutes=minutes_chart(reading),
        reasons=reasons_chart(reading),
        queues=table(["queue", "waiting", "in flight", "oldest (s)"], queues),
        functions=table(
            ["function", "runs", "errors", *(f"p{p} (ms)" for p in telemetry.PERCENTILES), "GB-s"], functions
        ),
    )


def durations(function: telemetry.Function) -> list[str]:
    """Return the percentiles of a function's durations as table cells."""
    return [f"{function.durations[p]:,.0f}" if p in function.durations else "-" for p in telemetry.PERCENTILES]
