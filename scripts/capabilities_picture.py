"""Draws docs/capabilities.svg: clouds across, capabilities and features down, a coloured cell each. `make capabilities` calls it."""

from collections.abc import Mapping
from html import escape
from typing import Any

from eventloom.clouds import CLOUDS
from scripts import capabilities

NAME_W, CELL_W, ROW_H, TOP = 230, 110, 20, 30
SHOWN = {"passed": "#2e7d32", "failed": "#c62828", "lacking": "#b26a00", "not run": "#8a8f98"}
Runs = Mapping[str, Any]


def _outcome(counted: Mapping[str, Any] | None) -> str:
    """What a cloud's last run showed; without a test that ran, nothing."""
    if counted and counted["failed"]:
        return "failed"
    if counted and counted["passed"]:
        return "passed"
    return "lacking" if counted and counted["skipped"] else "not run"


def _of_capability(name: str, cloud: str, run: Mapping[str, Any] | None) -> str:
    shown = _outcome((run or {}).get("capabilities", {}).get(name))
    return "lacking" if shown == "not run" and cloud in capabilities.TABLE[name].lacking else shown


def rows(runs: Runs) -> list[tuple[str, list[str]]]:
    """Every capability and every feature, with a word of SHOWN for each cloud."""
    features = sorted({name for run in runs.values() for name in run["features"]})
    return [(name, [_of_capability(name, cloud, runs.get(cloud)) for cloud in CLOUDS]) for name in capabilities.TABLE] + [
        (name.removeprefix("test_").removesuffix(".py"), [_outcome(runs.get(cloud, {}).get("features", {}).get(name)) for cloud in CLOUDS])
        for name in features
    ]


def draw(runs: Runs) -> str:
    """The picture as SVG, for light and dark pages."""
    lines, shapes = rows(runs), []
    width, height = NAME_W + len(CLOUDS) * CELL_W, TOP + len(lines) * ROW_H
    for x, cloud in enumerate(CLOUDS):
        shapes.append(f'<text x="{NAME_W + (x + 0.5) * CELL_W:g}" y="20" text-anchor="middle" fill="#8a8f98">{cloud}</text>')
    for y, (name, cells) in enumerate(lines):
        top = TOP + y * ROW_H
        shapes.append(f'<text x="{NAME_W - 10}" y="{top + 14}" text-anchor="end" fill="#8a8f98">{escape(name)}</text>')
        for x, shown in enumerate(cells):
            left = NAME_W + x * CELL_W
            shapes.append(f'<rect x="{left + 1}" y="{top + 1}" width="{CELL_W - 2}" height="{ROW_H - 2}" rx="3" fill="{SHOWN[shown]}"/>')
            shapes.append(f'<text x="{left + CELL_W / 2:g}" y="{top + 14}" text-anchor="middle" fill="#fff">{shown}</text>')
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="What each cloud can do">'
    body = "\n".join(shapes)
    return f'{head}\n<g font-family="system-ui, sans-serif" font-size="12">\n{body}\n</g>\n</svg>\n'
