"""Write build/iam/report.{html,json}: who may do what to which resource, and the tests that prove it."""

import json
from html import escape
from typing import Any

from eventloom import clouds
from tests.iam.documents import listed
from tests.iam.proof import Grant

STYLE = """body{font:14px system-ui;margin:2rem;color:#222}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}
th{position:sticky;top:0;background:#fff}code{font-size:12px}
.unproven td{background:#fdd}.reasoned td{background:#ffd}summary{cursor:pointer}"""


def who(grant: Grant) -> str:
    """Return the principal of a grant's statement."""
    document = grant.document
    if document.of_role():
        return f"role {document.owner}"
    statement = next(statement for statement in document.statements if statement["Sid"] == grant.sid)
    principal = statement.get("Principal")
    if principal == "*":
        return "everybody"
    return ", ".join(str(name) for names in dict(principal or {}).values() for name in listed(names))


def rows(grants: list[Grant]) -> list[dict[str, Any]]:
    """Return a row for each grant."""
    return [
        {
            "who": who(grant),
            "may": grant.what,
            "where": grant.document.address,
            "policy": grant.document.kind,
            "statement": grant.sid,
            "requests": len(grant.missed_by),
            "proven_by": grant.tests,
            "reason": grant.reason.text if grant.reason else None,
            "verdict": "proven" if grant.tests else "reasoned" if grant.reason else "unproven",
        }
        for grant in grants
    ]


def write(grants: list[Grant]) -> dict[str, int]:
    """Write both files, and return the number of grants by verdict."""
    report = rows(grants)
    folder = clouds.BUILD / "iam"
    folder.mkdir(parents=True, exist_ok=True)
    verdicts = ("proven", "reasoned", "unproven")
    counts = {verdict: sum(row["verdict"] == verdict for row in report) for verdict in verdicts}
    (folder / "report.json").write_text(json.dumps({"counts": counts, "grants": report}, indent=1) + "\n")
    body = "".join(_row(row) for row in report)
    (folder / "report.html").write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Least privilege</title><style>{STYLE}</style>"
        "<h1>Who may do what to what</h1>"
        f"<p>{counts['proven']} grants are proven: a test fails without them. {counts['reasoned']} have a reason in "
        f"the code. {counts['unproven']} are superfluous.</p>"
        f"<table><tr><th>Who<th>May<th>By<th>Proven by</tr>{body}</table></html>\n"
    )
    return counts


def _row(row: dict[str, Any]) -> str:
    tests = [f"<code>{escape(test.removeprefix('tests/'))}</code>" for test in row["proven_by"]]
    more = (
        f"<details><summary>{tests[0]} and {len(tests) - 1} more</summary>{'<br>'.join(tests[1:])}</details>"
        if len(tests) > 1
        else "".join(tests)
    )
    proof = more or escape(row["reason"] or "nothing: superfluous")
    where = f"<code>{escape(row['where'])}</code> {escape(row['statement'])}"
    who_may = f"<td>{escape(row['who'])}<td><code>{escape(row['may'])}</code>"
    return f"<tr class={row['verdict']}>{who_may}<td>{where}<td>{proof}</tr>"
