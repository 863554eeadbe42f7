"""The report: build/bench.html with charts, and the figures of docs/performance.md."""

import html
from collections.abc import Sequence
from typing import Any

from eventloom.clouds import ROOT

PAGE = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/performance.svg"
_BEGIN, _END = "<!-- written by make bench: begin -->", "<!-- written by make bench: end -->"
# What is ours in bench.json
OURS = "eventloom"
SIMD_RESIZER = "cykooz.resizer"
# What is measured, where in bench.json, and at most (or, for >=, at least) how much
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
    ("zip of the thumbnailer in MB", "packages.thumbnailer.zip_mb", "<=", 16),
)

# What ours has only with the resizer by SIMD: without it, eventloom is eventloom-pillow, which has a row of its own
_BY_SIMD = ("engines.eventloom.", "floor.job_to_half_decode", "floor.webp_job_to_half_decode")
_MISSED = "**missed**"


def _value(figures: dict[str, Any], path: str) -> float | None:
    found: Any = figures
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, int | float) else None


def targets(figures: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Rows of what, measured, wanted, and "met", "missed", "not measured", or "needs SIMD" of ours on a machine without that resizer."""
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
    """What makes the command fail: targets that were missed, and a pipeline that did not run."""
    missed = [f"{what} is {value}, wanted {wanted}" for what, value, wanted, verdict in targets(figures) if verdict == _MISSED]
    return missed + [f"the pipeline was not measured: {why}" for what, why in figures["missing"].items() if what == "pipeline"]


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


type Table = tuple[str, list[str], Sequence[tuple[str, ...]]]
"""Title, head and rows"""


def tables(figures: dict[str, Any]) -> list[Table]:
    """Every table of the report."""
    engines = figures["engines"]
    result: list[Table] = [("Targets", ["what", "measured", "wanted", ""], [tuple(row) for row in targets(figures)])]
    fields = {"CPU ms": "cpu_ms", "/ naive": "ratio_naive", "/ sharp": "ratio_sharp", "PSNR dB": "psnr", "SSIM": "ssim"}
    fields |= {"memory MB": "peak_mb", "bytes out": "bytes"}
    for kind in figures["photos"]["classes"]:
        rows = [(name, *(_text(by[kind].get(field)) for field in fields.values())) for name, by in engines.items() if kind in by]
        result.append((f"Engines: {kind}", ["engine", *fields], rows))
    starts = [(name, *(_text(one.get(field)) for field in _START)) for name, one in _functions(figures).items()]
    result.append(("Start and invocations, CPU ms", ["function", "INIT", "/ naive", "first invocation", "warm", "an invocation"], starts))
    if figures["pipeline"]:
        speeds = [("eventloom", _text(figures["pipeline"]["images_per_s"])), ("naive", _text(figures["pipeline"]["naive_images_per_s"]))]
        result.append(("Pipeline on the embedded LocalStack", ["function", "photos per second"], speeds))
    for arch, cost in figures["cost"].items():
        named = {str(one["memory_mb"]): one for one in cost["sweep"]} | cost["naive"]
        rows = [(name, *(_text(one[field]) for field in ("duration_ms", "usd_per_million", "fits"))) for name, one in named.items()]
        result.append((f"Cost, {arch}", ["memory MB", "ms a photo", "USD per million", "24 MP fit"], rows))
    return result


def _functions(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The starts of each function, once."""
    return {name: one for name, one in figures["cold_start"].items() if name != OURS}


_CHART_TITLE = "12 MP JPEG to three thumbnails: CPU time of each engine in ms"
_START = ("cpu_ms", "ratio_naive", "first_invoke_ms", "warm_invoke_ms", "invocation")


def notes(figures: dict[str, Any]) -> list[str]:
    """What a reader has to know about the figures."""
    machine, photos, prices = figures["machine"], figures["photos"], figures["prices"]
    return [
        f"Measured {figures['date']} on {machine['cpu']} ({machine['cores']} cores, {machine['architecture']}), "
        f"{figures['rounds']} rounds (12 MP JPEG: {figures['main_class_turns']} turns in each), CPU time (user and system) of "
        "the whole process, which has one thread for images, engines interleaved, the best turn of each photo, mean over the photos.",
        f"Versions: {', '.join(map(' '.join, figures['versions'].items()))}.",
        f"Photos: {'; '.join(photos['origins'])}; 12 MP are crops at the photo's own resolution, 24 MP is continued by mirror images.",
        *(f"Not measured: {name}, because {why}." for name, why in figures["missing"].items()),
        "PSNR and SSIM: the 1280 px picture before compression against full decode and Lanczos, the worst of the photos.",
        "All write JPEG at quality 80 with 4:2:0. sharp optimises its Huffman tables by default, so its files are a little smaller; "
        "sharp-plain-huffman, which measures sharp without, is for comparison, and no target is about it.",
        "Memory: growth of the resident set at most, above that of a process that holds the file and has made the thumbnails of one "
        "picture of 320 x 240 before; the worst of the photos.",
        "eventloom-pillow is what runs where the SIMD resizer has no wheel (arm64), measured on this machine, not on Graviton.",
        "INIT: the import of the handler in a process of its own, less that of an empty one, the best of all rounds. The naive package has "
        "no bytecode, which Lambda's read-only file system cannot keep either; naive-compiled is the same with bytecode.",
        *([_pipeline_note(figures["pipeline"])] if figures["pipeline"] else []),
        f"Cost: terraform/prices.json (written {prices['written']}), no free tiers; computing and requests at full batches, without "
        "starts, logs and storage; waiting for S3 and DynamoDB is assumed (scripts/bench/costs.py), CPU time is measured, less memory gets "
        "a smaller share of a processor.",
    ]


def _pipeline_note(pipeline: dict[str, Any]) -> str:
    return (
        f"Pipeline: {pipeline['photos']} photos of 12 MP, {pipeline['concurrency']} execution environments of {pipeline['memory_mb']} MB, "
        f"batches of {pipeline['batch']}, both functions in turn, the better of {pipeline['repeats']} runs."
    )


def markdown(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    parts = [f"![{_CHART_TITLE}]({PICTURE.name})", "\n".join(f"- {note}" for note in notes(figures))]
    for title, head, rows in tables(figures):
        lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
        parts.append(f"### {title}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def write_page(figures: dict[str, Any]) -> None:
    """Put the figures between the marks of docs/performance.md, and draw its picture."""
    svg = _bars(_CHART_TITLE, {name: by["jpeg_12mp"]["cpu_ms"] for name, by in figures["engines"].items() if "jpeg_12mp" in by})
    # Grey can be read on light and on dark pages.
    alone = '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12" fill="#8a8f98" '
    PICTURE.write_text(svg.replace("<svg ", alone) + "\n")
    text = PAGE.read_text()
    before, after = text.split(_BEGIN)[0], text.split(_END)[1]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{markdown(figures)}\n\n{_END}{after}")


def page(figures: dict[str, Any]) -> str:
    """The report as one HTML page that needs nothing else."""
    body = [
        "<h1>Eventloom: make bench</h1>",
        "<ul>",
        *(f"<li>{html.escape(note)}</li>" for note in notes(figures)),
        "</ul>",
        "<h2>Charts</h2>",
    ]
    for kind in figures["photos"]["classes"]:
        values = {name: by[kind]["cpu_ms"] for name, by in figures["engines"].items() if kind in by}
        body.append(_chart(f"{kind}: CPU ms", values))
    body.append(_chart("INIT: CPU ms", {name: one["cpu_ms"] for name, one in _functions(figures).items()}))
    for arch, cost in figures["cost"].items():
        values = {f"{one['memory_mb']} MB": one["usd_per_million"] for one in cost["sweep"]}
        naive = {f"naive, {one['memory_mb']} MB": one["usd_per_million"] for one in cost["naive"].values()}
        body.append(_chart(f"{arch}: USD per million photos", values | naive))
    for title, head, rows in tables(figures):
        cells = [f"<tr>{''.join(f'<td>{html.escape(cell.strip("*"))}</td>' for cell in row)}</tr>" for row in rows]
        heads = "".join(f"<th>{html.escape(one)}</th>" for one in head)
        body.append(f"<h2>{html.escape(title)}</h2><table><tr>{heads}</tr>{''.join(cells)}</table>")
    top = f"<!doctype html><html lang=en><meta charset=utf-8><title>Eventloom bench</title><style>{_STYLE}</style>"
    return f"{top}<body>{''.join(body)}</html>\n"


_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.2rem .7rem;text-align:left}
td:not(:first-child){font-variant-numeric:tabular-nums}svg{display:block;width:100%;font:12px system-ui,sans-serif}"""


def _chart(title: str, values: dict[str, float]) -> str:
    """Bars under a heading."""
    return f"<h3>{html.escape(title)}</h3>{_bars(title, values)}"


def _bars(title: str, values: dict[str, float]) -> str:
    """Horizontal bars as SVG; ours in another colour."""
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
    return f'<svg viewBox="0 0 760 {row * len(values)}" role="img" aria-label="{html.escape(title)}">{"".join(bars)}</svg>'
