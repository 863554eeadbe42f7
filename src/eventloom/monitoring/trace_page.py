"""Draw the path of an event as an HTML page with a bar for each step on a time axis."""

import html
from collections.abc import Sequence

from eventloom.monitoring.trace_path import Step, time_text

WIDTH, ROW = 900, 26
NARROWEST = 3.0

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ margin: 2rem auto; max-width: 64rem; padding: 0 1rem; overflow-wrap: anywhere }}
  table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
  td, th {{ padding: .3rem .6rem; text-align: left; vertical-align: top }}
  td:not(:last-child) {{ white-space: nowrap }} tr + tr {{ border-top: 1px solid #8884 }}
  svg {{ width: 100%; height: auto }} text {{ fill: currentColor; font-size: 12px }}
  rect {{ fill: #3b82f6 }} .ok {{ fill: #2a9d6f }} .failed {{ fill: #dc2626 }} .wait {{ fill: #d9770699 }}
</style>
<h1>{title}</h1><p>{when}</p>{chart}
<table><tr><th>at (UTC)</th><th>ms</th><th>where</th><th>what</th></tr>{rows}</table>
</html>
"""


def page(subject: str, steps: Sequence[Step]) -> str:
    """Return an HTML page without scripts and external resources. `steps` are one or more, oldest first."""
    first, last = steps[0].at, max(step.until or step.at for step in steps)
    when = f"{time_text(first)} to {time_text(last)}, {(last - first).total_seconds():,.3f} s"
    rows = "".join(_row(step) for step in steps)
    return PAGE.format(title=html.escape(subject), when=when, chart=_chart(steps), rows=rows)


def _row(step: Step) -> str:
    duration = "" if step.duration_ms is None else f"{step.duration_ms:,}"
    cells = (time_text(step.at), duration, step.function or step.kind, step.text)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def _chart(steps: Sequence[Step]) -> str:
    first, last = steps[0].at, max(step.until or step.at for step in steps)
    scale = WIDTH / max((last - first).total_seconds(), 0.001)
    shapes = []
    for number, step in enumerate(steps):
        begin = (step.at - first).total_seconds() * scale
        width = max(NARROWEST, ((step.until or step.at) - step.at).total_seconds() * scale)
        begin = min(begin, WIDTH - width)
        style = "wait" if step.kind == "wait" else step.outcome or step.kind
        label = html.escape(f"{step.function or step.kind}: {step.text}")
        on_right = begin > WIDTH / 2
        anchor, at = ("end", begin - 4) if on_right else ("start", begin + width + 4)
        if not on_right and width > WIDTH / 2:
            at = begin + 4
        top = number * ROW
        shapes.append(f'<rect class="{style}" x="{begin:.1f}" y="{top + 4}" width="{width:.1f}" height="{ROW - 10}"/>')
        shapes.append(f'<text x="{at:.1f}" y="{top + 16}" text-anchor="{anchor}">{label}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {len(steps) * ROW}" role="img" aria-label="timeline">{"".join(shapes)}</svg>'
