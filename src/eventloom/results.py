"""Format the pipeline's results for the commands demo and upload."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from eventloom.terminal import printable
from eventloom.uploads import Result

READY, REJECTED = "READY", "REJECTED"


def picture_size(item: dict[str, Any]) -> str:
    """Return an item's width and height, such as "4000 x 3000", or "-" if they are unknown."""
    return f"{item['width']} x {item['height']}" if "width" in item else "-"


def table(results: Sequence[Result]) -> Table:
    """Return a table of at most 80 columns with a row for each result: its picture, or the reason of its rejection."""
    rows = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    rows.add_column(overflow="fold", max_width=24)
    rows.add_column(no_wrap=True)
    rows.add_column(ratio=1)
    for upload, item in results:
        colour = "green" if item["status"] == READY else "yellow"
        facts = escape(printable(item.get("reason_text", ""))) or _picture(item)
        rows.add_row(escape(printable(upload.key)), f"[{colour}]{item['status']}", facts)
    return rows


def _picture(item: dict[str, Any]) -> str:
    """Return two lines of rich markup with the facts of a READY image."""
    colour = item.get("dominant_color", "")
    picture = [picture_size(item), item.get("format", ""), f"{item.get('bytes', 0):,} bytes"]
    sizes = " ".join(sorted(item.get("thumbnails", {}), key=int, reverse=True))
    camera = escape(printable(item.get("camera", "")))
    thumbnails = [f"[{colour}]■[/]" if colour else "", f"{sizes} px" if sizes else "", camera]
    return "  ".join(filter(None, picture)) + "\n" + "  ".join(filter(None, thumbnails))


def summary(results: Sequence[Result]) -> str:
    """Return the number of results with each status, such as "3 ready, 1 rejected"."""
    counts = Counter(item["status"] for _, item in results)
    return ", ".join(f"{counts[status]:,} {status.lower()}" for status in sorted(counts))


def facts(result: Result) -> dict[str, Any]:
    """Return a result's fields for JSON."""
    upload, item = result
    return {"file": str(upload.file), "key": upload.key, "status": item["status"]} | item
