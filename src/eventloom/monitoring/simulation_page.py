"""Convert the outcomes of a simulation to a page with charts, and to JSON fields."""

import html
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventloom.monitoring import aws_limits
from eventloom.monitoring.load_model import ADVICE, STEP_S, Outcome

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Eventloom simulation</title>
<style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
section {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem }}
text {{ font-size: 12px; fill: currentColor }}
li {{ overflow-wrap: anywhere }}</style>
<h1>Eventloom under load</h1><p>{about}</p>{sections}<h2>Limits</h2><ul>{sources}</ul></html>
"""


def page(outcomes: list[Outcome], about: str) -> str:
    """Return an HTML page of the outcomes. `about` describes the simulation."""
    sections = []
    for outcome in outcomes:
        facts = facts_of(outcome)
        words = html.escape(", ".join(f"{name} {value}" for name, value in facts.items()))
        charts = svg(outcome.backlog, "uploads waiting") + svg(outcome.busy, "busy invocations")
        sections.append(f"<h2>{outcome.rate:,.0f} uploads a second</h2><p>{words}</p><section>{charts}</section>")
    named = {name: limit for name, limit in vars(aws_limits).items() if isinstance(limit, aws_limits.Limit)}
    rows = [
        f'<li>{name}: {limit.value:g} {limit.unit}, <a href="{limit.source}">{limit.source}</a></li>'
        for name, limit in named.items()
    ]
    return PAGE.format(about=html.escape(about), sections="".join(sections), sources="".join(rows))


def svg(curve: NDArray[np.floating], what: str) -> str:
    """Return an SVG chart of a curve over time."""
    points, top = curve[:: max(1, len(curve) // 300)], max(1.0, float(curve.max()))
    line = " ".join(
        f"{40 + 440 * n / max(1, len(points) - 1):.1f},{130 - 110 * value / top:.1f}" for n, value in enumerate(points)
    )
    return (
        f'<svg viewBox="0 0 500 160" role="img" aria-label="{html.escape(what)}">'
        '<path d="M40 20V130H480" fill="none" stroke="currentColor" opacity=".4"/>'
        f'<polyline points="{line}" fill="none" stroke="#2a78d6" stroke-width="2"/>'
        f'<text x="40" y="14">{html.escape(what)}: at most {top:,.0f}</text><text x="480" y="150" text-anchor="end">'
        f"{len(curve) * STEP_S / 60:.0f} min</text></svg>"
    )


def facts_of(outcome: Outcome) -> dict[str, Any]:
    """Return the figures of an outcome for JSON. Times are in seconds."""
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
