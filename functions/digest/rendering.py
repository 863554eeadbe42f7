"""Render a summary as a subject, plain text and HTML, without side effects."""

from html import escape

from digest.summary import Summary
from shared.text import printable

_STYLE = "font-family:sans-serif;font-size:14px;color:#222"
_CELL = "padding:2px 16px 2px 0;vertical-align:top"
_LONGEST_KEY = 200


def subject(summary: Summary, environment: str) -> str:
    """Return the subject of mails and notices, with the environment, the day and the most important numbers."""
    name = f"eventloom {environment}".strip()
    alarm = f", {summary.dead_letters:,} dead letters" if summary.dead_letters else ""
    day = summary.day if summary.is_over else f"{summary.day} so far"
    return f"{name} {day}: {_number(summary, 'READY')} images, {_number(summary, 'REJECTED')} rejected{alarm}"


def text(summary: Summary) -> str:
    """Return the text for notices and for mail readers without HTML."""
    lines: list[str] = []
    for title, rows in _sections(summary):
        width = max((len(name) for name, _ in rows), default=0)
        lines += [title, "-" * len(title), *(f"{name:<{width}}  {value}".rstrip() for name, value in rows), ""]
    return "\n".join(lines)


def html(summary: Summary) -> str:
    """Return the HTML for mail readers. Texts from users are escaped."""
    parts = [f'<div style="{_STYLE}">']
    for title, rows in _sections(summary):
        cells = "".join(
            f'<tr><td style="{_CELL}">{escape(name)}</td><td style="{_CELL}">{escape(value)}</td></tr>'
            for name, value in rows
        )
        parts.append(f"<h3>{escape(title)}</h3><table>{cells}</table>")
    return "".join([*parts, "</div>"])


def _sections(summary: Summary) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the sections of the digest. Each has a title and rows of a name and a value."""
    sections = [
        (
            f"Uploads of {summary.day} (UTC)",
            [
                ("Ready", _number(summary, "READY")),
                ("Rejected", _number(summary, "REJECTED")),
                ("Bytes in", ("" if summary.complete else "at least ") + size(summary.bytes_in)),
            ],
        )
    ]
    if summary.rejected_by_reason:
        sections.append(
            ("Rejected by reason", [(reason, f"{count:,}") for reason, count in summary.rejected_by_reason.items()])
        )
    if summary.newest:
        newest = [
            (f"{image.uploaded_at[11:19]} {printable(image.key)[:_LONGEST_KEY]}", size(image.bytes))
            for image in summary.newest
        ]
        sections.append(("Newest images", newest))
    if summary.dlq_depths:
        sections.append(
            ("Dead-letter queues now", [(queue, f"{depth:,}") for queue, depth in summary.dlq_depths.items()])
        )
    return sections


def _number(summary: Summary, status: str) -> str:
    return ("" if summary.complete else "at least ") + f"{summary.counts.get(status, 0):,}"


def size(count: int) -> str:
    """Return a number of bytes as text with a suitable unit."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
