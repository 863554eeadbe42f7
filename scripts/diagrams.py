"""Draw docs/flows/*.svg, one picture per event flow. Usage: diagrams.py

What is drawn stands in FLOWS; a test holds every box and every arrow against the Terraform.
"""

from dataclasses import dataclass
from html import escape

from eventloom.clouds import ROOT

OUT = ROOT / "docs" / "flows"
BOX_W, BOX_H, GAP_X, GAP_Y, MARGIN = 150, 54, 60, 22, 16
COLOURS = {"S3": "#3f8624", "SQS": "#a0185e", "Lambda": "#c4591b", "DynamoDB": "#2e4fb5", "SNS": "#a0185e", "API": "#7a3fc4"}
COLOURS |= dict.fromkeys(("Kinesis", "ALB"), "#7a3fc4") | {"Step Functions": "#a0185e"}
COLOURS |= dict.fromkeys(("clock", "alarms", "callers", "outside"), "#64748b")


@dataclass(frozen=True)
class Box:
    """A thing of the flow: its service, its name, and its address in terraform/ (None: outside of it)."""

    service: str
    name: str
    address: str | None


@dataclass(frozen=True)
class Flow:
    """Columns from left to right, arrows between names, and after how many columns trust begins (None: not shown)."""

    title: str
    columns: tuple[tuple[Box, ...], ...]
    arrows: tuple[tuple[str, str], ...]
    trusted_after: int | None = None


def _function(name: str) -> Box:
    return Box("Lambda", name, f"module.{name}")


NOTICES = Box("SNS", "notices", "aws_sns_topic.notices")
CATALOG = Box("DynamoDB", "catalog", "aws_dynamodb_table.catalog")
STATE = Box("DynamoDB", "state", "aws_dynamodb_table.state")
UPLOADS = Box("S3", "uploads", "module.uploads")
UPLOADS_QUEUE = Box("SQS", "uploads queue", "module.uploads_queue")
THUMBNAILS = Box("S3", "thumbnails", "module.thumbnails")

FLOWS = {
    "photos": Flow(
        "An upload becomes thumbnails, an item and a notice",
        ((UPLOADS,), (UPLOADS_QUEUE,), (_function("thumbnailer"),), (THUMBNAILS, CATALOG), (_function("notifier"),), (NOTICES,)),
        (
            ("uploads", "uploads queue"),
            ("uploads queue", "thumbnailer"),
            ("thumbnailer", "thumbnails"),
            ("thumbnailer", "catalog"),
            ("catalog", "notifier"),
            ("notifier", "notices"),
        ),
    ),
    "api": Flow(
        "Callers list, show, upload and delete images",
        (
            (Box("callers", "browser, program", None),),
            (Box("API", "REST API", "module.api"),),
            (_function("catalog_api"),),
            (CATALOG, STATE),
        ),
        (("browser, program", "REST API"), ("REST API", "catalog_api"), ("catalog_api", "catalog"), ("catalog_api", "state")),
    ),
    "recovery": Flow(
        "An alarm is answered with bounded recovery",
        (
            (Box("alarms", "CloudWatch", None),),
            (Box("SNS", "alarms", "aws_sns_topic.alarms"),),
            (_function("recoverer"),),
            (UPLOADS_QUEUE, _function("thumbnailer"), NOTICES),
        ),
        (
            ("CloudWatch", "alarms"),
            ("alarms", "recoverer"),
            ("recoverer", "uploads queue"),
            ("recoverer", "thumbnailer"),
            ("recoverer", "notices"),
        ),
    ),
    "tables": Flow(
        "CSV and JSON become Parquet",
        ((Box("S3", "raw", "module.raw"),), (_function("converter"),), (Box("S3", "analytics", "module.analytics"),)),
        (("raw", "converter"), ("converter", "analytics")),
    ),
    "views": Flow(
        "What people look at is counted once",
        (
            (Box("Kinesis", "view events", "aws_kinesis_stream.activity"),),
            (_function("activity"),),
            (Box("DynamoDB", "counters", "aws_dynamodb_table.activity"),),
        ),
        (("view events", "activity"), ("activity", "counters")),
    ),
    "digest": Flow(
        "Every day is summed up",
        ((Box("clock", "EventBridge rule", None), CATALOG), (_function("digest"),), (NOTICES, STATE)),
        (("EventBridge rule", "digest"), ("catalog", "digest"), ("digest", "notices"), ("digest", "state")),
    ),
    "backfill": Flow(
        "Existing objects go through the pipeline",
        ((UPLOADS,), (Box("Step Functions", "backfill", "aws_sfn_state_machine.backfill"),), (UPLOADS_QUEUE,), (_function("thumbnailer"),)),
        (("uploads", "backfill"), ("backfill", "uploads queue"), ("uploads queue", "thumbnailer")),
    ),
    "trust": Flow(
        "Where trust begins: what comes from the left of the line is checked on it",
        (
            (Box("outside", "internet", None), Box("outside", "own network", None), Box("outside", "uploaded files", None)),
            (Box("API", "REST API", "module.api"), Box("ALB", "load balancer", "aws_lb_listener.catalog"), UPLOADS),
            (_function("catalog_api"), UPLOADS_QUEUE),
            (_function("thumbnailer"),),
            (CATALOG, THUMBNAILS),
        ),
        (
            ("internet", "REST API"),
            ("own network", "load balancer"),
            ("uploaded files", "uploads"),
            ("REST API", "catalog_api"),
            ("load balancer", "catalog_api"),
            ("uploads", "uploads queue"),
            ("uploads queue", "thumbnailer"),
            ("catalog_api", "catalog"),
            ("thumbnailer", "catalog"),
            ("thumbnailer", "thumbnails"),
        ),
        trusted_after=1,
    ),
}


def draw(flow: Flow) -> str:
    """The flow as SVG, for light and dark pages."""
    rows = max(len(column) for column in flow.columns)
    width = len(flow.columns) * (BOX_W + GAP_X) - GAP_X + 2 * MARGIN
    height = rows * (BOX_H + GAP_Y) - GAP_Y + 2 * MARGIN
    places: dict[str, tuple[float, float]] = {}
    shapes = []
    for x, column in enumerate(flow.columns):
        top = (height - len(column) * (BOX_H + GAP_Y) + GAP_Y) / 2
        for y, box in enumerate(column):
            left, upper = MARGIN + x * (BOX_W + GAP_X), top + y * (BOX_H + GAP_Y)
            places[box.name] = (left, upper + BOX_H / 2)
            shapes.append(f'<rect x="{left}" y="{upper:g}" width="{BOX_W}" height="{BOX_H}" rx="8" fill="{COLOURS[box.service]}"/>')
            middle = left + BOX_W / 2
            shapes.append(f'<text x="{middle:g}" y="{upper + 21:g}" font-size="11" opacity=".85">{escape(box.service)}</text>')
            shapes.append(f'<text x="{middle:g}" y="{upper + 40:g}" font-size="15">{escape(box.name)}</text>')
    for start, end in flow.arrows:
        (x1, y1), (x2, y2) = places[start], places[end]
        shapes.append(f'<path d="M{x1 + BOX_W + 2} {y1:g} L{x2 - 8} {y2:g}" stroke="#8a8f98" stroke-width="2" marker-end="url(#tip)"/>')
    if flow.trusted_after is not None:
        edge = MARGIN + flow.trusted_after * (BOX_W + GAP_X) - GAP_X / 2
        shapes.append(f'<path d="M{edge:g} 2 V{height - 2}" stroke="#c0392b" stroke-width="2" stroke-dasharray="6 5"/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{flow.title}">'
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
    defs = f'<defs>{tip}<path d="M0 0 L8 4 L0 8 z" fill="#8a8f98"/></marker></defs>'
    body = "\n".join(shapes)
    return f'{head}\n{defs}\n<g font-family="system-ui, sans-serif" fill="#fff" text-anchor="middle">\n{body}\n</g>\n</svg>\n'


def main() -> None:
    """Draw all of them."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name, flow in FLOWS.items():
        (OUT / f"{name}.svg").write_text(draw(flow))


if __name__ == "__main__":
    main()
