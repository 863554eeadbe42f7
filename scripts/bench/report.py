"""Write the report: build/bench.html with charts, and the figures in docs/performance.md."""

import html
import textwrap
from collections.abc import Sequence
from typing import Any

from eventloom.clouds import ROOT

PAGE = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/performance.svg"
_BEGIN, _END = "<!-- written by make bench: begin -->", "<!-- written by make bench: end -->"
# The name of our engine in bench.json
OURS = "eventloom"
SIMD_RESIZER = "cykooz.resizer"
# The targets, each with its description, the path of its figure in bench.json, and its limit
TARGETS = (
    ("12 MP JPEG, CPU / naive", "engines.eventloom.jpeg_12mp.ratio_naive", "<=", 0.20),
    ("12 MP JPEG, CPU / sharp per size", "engines.eventloom.jpeg_12mp.ratio_sharp", "<=", 0.40),
    ("12 MP JPEG, CPU / half-scale decode", "floor.job_to_half_decode", "<=", 1.5),
    ("12 MP JPEG, PSNR in dB", "engines.eventloom.jpeg_12mp.psnr", ">=", 47),
    ("12 MP JPEG, SSIM", "engines.eventloom.jpeg_12mp.ssim", ">=", 0.99),
    ("24 MP JPEG, growth of memory in MB", "engines.eventloom.jpeg_24mp.peak_mb", "<=", 30),
    ("PNG, CPU / naive", "engines.eventloom.png_12mp.ratio_naive", "<=", 0.30),
    ("WebP input, CPU / naive", "engines.eventloom.webp_12mp.ratio_naive", "<=", 0.36),
    ("progressive JPEG, CPU / naive", "engines.eventloom.progressive_12mp.ratio_naive", "<=", 0.35),
    ("WebP output, CPU / half-scale decode", "floor.webp_job_to_half_decode", "<=", 2.5),
    ("without SIMD (arm64), 12 MP JPEG, CPU / naive", "engines.eventloom-pillow.jpeg_12mp.ratio_naive", "<=", 0.33),
    ("sha256, colour, blurhash: share of a 12 MP photo", "floor.facts_share", "<=", 0.05),
    ("INIT of the thumbnailer, CPU / naive stack", "cold_start.eventloom.ratio_naive", "<=", 0.5),
    ("zip of the thumbnailer in MB", "packages.thumbnailer.zip_mb", "<=", 20),
)
# The figures of the inner loop (inner_loop.py), in seconds
INNER_LOOP = {
    "digest": "digest: from saving to the first line of new code",
    "thumbnailer": "thumbnailer: from saving to the first line of new code",
    "deploy_unchanged": "`deploy` without changes",
    "deploy_only": "`deploy --only digest` without changes",
}

# The targets that need the SIMD resizer. Without it, eventloom is the same as eventloom-pillow, which has its own row.
_BY_SIMD = ("engines.eventloom.", "floor.job_to_half_decode", "floor.webp_job_to_half_decode")
_MISSED = "**missed**"


def _value(figures: dict[str, Any], path: str) -> float | None:
    value: Any = figures
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) else None


def targets(figures: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return a row for each target: description, measured value, limit and verdict.

    The verdict is "met", "missed", "not measured", or "needs SIMD" on a machine without that resizer.
    """
    rows = []
    for what, path, sign, limit in TARGETS:
        value = _value(figures, path)
        met = None if value is None else (value <= limit if sign == "<=" else value >= limit)
        verdict = {None: "not measured", True: "met", False: _MISSED}[met]
        if SIMD_RESIZER not in figures["versions"] and path.startswith(_BY_SIMD):
            verdict = "needs SIMD"
        rows.append((what, "-" if value is None else f"{value:g}", f"{sign} {limit:g}", verdict))
    return rows


def failures(figures: dict[str, Any]) -> list[str]:
    """Return the reasons why the command fails: the missed targets, and the parts that did not run."""
    missed = [
        f"{what} is {value}, wanted {wanted}" for what, value, wanted, verdict in targets(figures) if verdict == _MISSED
    ]
    reasons = [(part, figures["missing"].get(part)) for part in ("pipeline", "inner loop")]
    return missed + [f"the {part} was not measured: {reason}" for part, reason in reasons if reason]


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


type Table = tuple[str, list[str], Sequence[tuple[str, ...]]]
"""A title, the cells of the head, and the rows."""


def tables(figures: dict[str, Any]) -> list[Table]:
    """Return every table of the report."""
    engines = figures["engines"]
    result: list[Table] = [("Targets", ["what", "measured", "wanted", ""], [tuple(row) for row in targets(figures)])]
    fields = {"CPU ms": "cpu_ms", "/ naive": "ratio_naive", "/ sharp": "ratio_sharp", "PSNR dB": "psnr", "SSIM": "ssim"}
    fields |= {"memory MB": "peak_mb", "bytes out": "bytes"}
    for kind in figures["photos"]["classes"]:
        results = {name: by_class[kind] for name, by_class in engines.items() if kind in by_class}
        rows = [(name, *(_text(values.get(field)) for field in fields.values())) for name, values in results.items()]
        result.append((f"Engines: {kind}", ["engine", *fields], rows))
    starts = [(name, *(_text(start.get(field)) for field in _START)) for name, start in _functions(figures).items()]
    result.append(
        (
            "Start and invocations, CPU ms",
            ["function", "INIT", "/ naive", "first invocation", "warm", "an invocation"],
            starts,
        )
    )
    if figures["pipeline"]:
        speeds = [
            ("eventloom", _text(figures["pipeline"]["images_per_s"])),
            ("naive", _text(figures["pipeline"]["naive_images_per_s"])),
        ]
        result.append(("Pipeline on the embedded LocalStack", ["function", "photos per second"], speeds))
        emulator = [("eventloom", _text(figures["pipeline"]["emulator_cpu_ms"]))]
        result.append(("CPU of the embedded LocalStack", ["pipeline", "CPU ms a photo"], emulator))
    if loop := figures.get("inner_loop"):
        loop_rows = [(about, _text(loop[name])) for name, about in INNER_LOOP.items()]
        result.append(("Inner loop on the embedded LocalStack", ["what", "seconds"], loop_rows))
    for arch, cost in figures["cost"].items():
        estimates = {str(estimate["memory_mb"]): estimate for estimate in cost["sweep"]} | cost["naive"]
        rows = [(name, *(_text(estimate[field]) for field in _COST)) for name, estimate in estimates.items()]
        result.append((f"Cost, {arch}", ["memory MB", "ms a photo", "USD per million", "24 MP fit"], rows))
    return result


def _functions(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the starts by function, with the thumbnailer's only once."""
    return {name: start for name, start in figures["cold_start"].items() if name != OURS}


_CHART_TITLE = "12 MP JPEG to three thumbnails: CPU time of each engine in ms"
_START = ("cpu_ms", "ratio_naive", "first_invoke_ms", "warm_invoke_ms", "invocation")
_COST = ("duration_ms", "usd_per_million", "fits")


def notes(figures: dict[str, Any]) -> list[str]:
    """Return notes that explain how the figures were measured."""
    machine, photos, prices = figures["machine"], figures["photos"], figures["prices"]
    return [
        f"Measured {figures['date']} on {machine['cpu']} ({machine['cores']} cores, {machine['architecture']}), "
        f"{figures['rounds']} rounds (12 MP JPEG: {figures['main_class_turns']} turns in each), CPU time (user and "
        f"system) of "
        "the whole process, which uses one thread for images. The engines take turns. A figure is the mean over the "
        "photos of the best turn of each.",
        f"Versions: {', '.join(map(' '.join, figures['versions'].items()))}.",
        f"Photos: {'; '.join(photos['origins'])}. 12 MP photos are crops at the original resolution; 24 MP photos are "
        "extended by mirror images.",
        *(f"Not measured: {name}, because {reason}." for name, reason in figures["missing"].items()),
        "PSNR and SSIM compare the 1280 px picture before compression with a full decode resized with Lanczos, for the "
        "worst of the photos.",
        "All engines write JPEG at quality 80 with 4:2:0. sharp optimises its Huffman tables by default, so its files "
        "are a little smaller. sharp-plain-huffman measures sharp without this; no target is about it.",
        "Memory is the largest growth of the resident set of a process that has read the file and made the thumbnails "
        "of a 320 x 240 picture before, for the worst of the photos.",
        "eventloom-pillow runs where the SIMD resizer has no wheel (arm64). It was measured here, not on Graviton.",
        "INIT is the import of the handler in a new process minus that of an empty process, the best of all rounds. "
        "The naive package has no bytecode, and Lambda's read-only file system cannot store it; naive-compiled has it.",
        *([_pipeline_note(figures["pipeline"])] if figures["pipeline"] else []),
        *([_inner_loop_note(figures["inner_loop"])] if figures.get("inner_loop") else []),
        f"Cost uses terraform/prices.json (written {prices['written']}) without free tiers. It covers computing and "
        "requests at full batches, without cold starts, logs and storage. The CPU time is measured. The waiting times "
        "for S3 and DynamoDB are assumptions (scripts/bench/costs.py). Less memory has a smaller share of a processor.",
    ]


def _inner_loop_note(loop: dict[str, Any]) -> str:
    return (
        f"Inner loop: wall-clock seconds. `dev` runs while an event comes every 0.05 s; the median of {loop['edits']} "
        "edits of a handler, which prints the time at its import. The deploys are single runs."
    )


def _pipeline_note(pipeline: dict[str, Any]) -> str:
    return (
        f"Pipeline: {pipeline['photos']} photos of 12 MP, {pipeline['concurrency']} execution environments of "
        f"{pipeline['memory_mb']} MB, batches of {pipeline['batch']}, the functions in turn, the better of "
        f"{pipeline['repeats']} runs."
    )


def _bullet(note: str) -> str:
    """Return a note as an item of a Markdown list, with lines of at most 120 characters."""
    return textwrap.fill(
        note, 120, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def markdown(figures: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    parts = [f"![{_CHART_TITLE}]({PICTURE.name})", "\n".join(map(_bullet, notes(figures)))]
    for title, head, rows in tables(figures):
        lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
        parts.append(f"### {title}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def write_page(figures: dict[str, Any]) -> None:
    """Write the figures between the markers in docs/performance.md, and draw its picture."""
    svg = _bars(_CHART_TITLE, _cpu_ms(figures, "jpeg_12mp"))
    # Grey text is readable on light and on dark pages.
    standalone = '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12" fill="#8a8f98" '
    PICTURE.write_text(svg.replace("<svg ", standalone) + "\n")
    text = PAGE.read_text()
    before, after = text.split(_BEGIN)[0], text.split(_END)[1]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{markdown(figures)}\n\n{_END}{after}")


def _cpu_ms(figures: dict[str, Any], kind: str) -> dict[str, float]:
    """Return the CPU time of each engine on a class of photos, without engines that were not measured on it."""
    engines = figures["engines"].items()
    return {name: by_class[kind]["cpu_ms"] for name, by_class in engines if kind in by_class}


def page(figures: dict[str, Any]) -> str:
    """Return the report as a self-contained HTML page."""
    body = [
        "<h1>Eventloom: make bench</h1>",
        "<ul>",
        *(f"<li>{html.escape(note)}</li>" for note in notes(figures)),
        "</ul>",
        "<h2>Charts</h2>",
    ]
    for kind in figures["photos"]["classes"]:
        body.append(_chart(f"{kind}: CPU ms", _cpu_ms(figures, kind)))
    body.append(_chart("INIT: CPU ms", {name: start["cpu_ms"] for name, start in _functions(figures).items()}))
    for arch, cost in figures["cost"].items():
        ours = {f"{row['memory_mb']} MB": row["usd_per_million"] for row in cost["sweep"]}
        naive = {f"naive, {row['memory_mb']} MB": row["usd_per_million"] for row in cost["naive"].values()}
        body.append(_chart(f"{arch}: USD per million photos", ours | naive))
    for title, head, rows in tables(figures):
        cells = [f"<tr>{''.join(f'<td>{html.escape(cell.strip("*"))}</td>' for cell in row)}</tr>" for row in rows]
        heads = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
        body.append(f"<h2>{html.escape(title)}</h2><table><tr>{heads}</tr>{''.join(cells)}</table>")
    top = f"<!doctype html><html lang=en><meta charset=utf-8><title>Eventloom bench</title><style>{_STYLE}</style>"
    return f"{top}<body>{''.join(body)}</html>\n"


_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.2rem .7rem;text-align:left}
td:not(:first-child){font-variant-numeric:tabular-nums}svg{display:block;width:100%;font:12px system-ui,sans-serif}"""


def _chart(title: str, values: dict[str, float]) -> str:
    """Return bars under a heading as HTML."""
    return f"<h3>{html.escape(title)}</h3>{_bars(title, values)}"


def _bars(title: str, values: dict[str, float]) -> str:
    """Return horizontal bars as SVG. Those of our engine have another colour."""
    most, row = max(values.values(), default=1) or 1, 22
    bars = []
    for position, (name, value) in enumerate(values.items()):
        top, width = position * row, 520 * value / most
        colour = "#2a7de1" if name.startswith(("eventloom", "thumbnailer")) else "#9aa5b1"
        bars.append(
            f'<text x="150" y="{top + 15}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect x="158" y="{top + 3}" width="{width:.1f}" height="{row - 6}" fill="{colour}"/>'
            f'<text x="{164 + width:.1f}" y="{top + 15}">{value:g}</text>'
        )
    return (
        f'<svg viewBox="0 0 760 {row * len(values)}" role="img" aria-label="{html.escape(title)}">{"".join(bars)}</svg>'
    )
