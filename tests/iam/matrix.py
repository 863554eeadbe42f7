"""Write build/iam/report.{html,json}: who may do what to which resource, and how each grant is proven.

A grant is needed if recorded requests would be denied without it. "Proven by" names only the tests that failed in
test_taken_away.py without the grant. "Ran meanwhile" names the tests that ran while the requests were made.
"""

import json
from html import escape
from typing import Any

from eventloom import clouds
from tests.iam.documents import listed
from tests.iam.proof import Grant
from tests.integration import evidence

REPORT = clouds.BUILD / "iam" / "report.json"
PROOFS = clouds.BUILD / "iam" / "taken_away.json"
PLAIN_HTTP = "tests/iam/test_proof.py::test_plain_http_is_refused"
STYLE = """body{font:14px system-ui;margin:2rem;color:#222}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}
th{position:sticky;top:0;background:#fff}code{font-size:12px}
.superfluous td{background:#fdd}.reasoned td{background:#ffd}summary{cursor:pointer}"""


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
            "block": grant.document.block,
            "ran_meanwhile": grant.meanwhile,
            "reason": grant.reason.text if grant.reason else None,
            "verdict": verdict(grant),
        }
        for grant in grants
    ]


def verdict(grant: Grant) -> str:
    """Return the verdict on a grant: requests need it, it denies plain HTTP, it has a reason, or it is superfluous."""
    if grant.effect == "Deny":
        return "denying"
    return "needed" if grant.meanwhile else "reasoned" if grant.reason else "superfluous"


def write(grants: list[Grant]) -> dict[str, int]:
    """Write both files, and return the number of grants by verdict."""
    report = rows(grants)
    verdicts = ("needed", "denying", "reasoned", "superfluous")
    counts = {name: sum(row["verdict"] == name for row in report) for name in verdicts}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"counts": counts, "grants": report}, indent=1) + "\n")
    write_page()
    return counts


def add_proof(block: str, what: str, test: str) -> None:
    """Record that a test failed without the grants of a block whose text begins with `what`."""
    fingerprint = evidence.fingerprint()
    proofs = [proof for proof in _proofs() if (proof["block"], proof["what"], proof["test"]) != (block, what, test)]
    proof = {"block": block, "what": what, "test": test, "fingerprint": fingerprint}
    PROOFS.parent.mkdir(parents=True, exist_ok=True)
    PROOFS.write_text(json.dumps([*proofs, proof], indent=1) + "\n")


def _proofs() -> list[dict[str, str]]:
    """Return the proofs that were made with the current sources."""
    proofs = json.loads(PROOFS.read_text()) if PROOFS.exists() else []
    fingerprint = evidence.fingerprint()
    return [proof for proof in proofs if proof["fingerprint"] == fingerprint]


def proven_by(row: dict[str, Any], proofs: list[dict[str, str]]) -> list[str]:
    """Return the tests that failed without a grant."""
    if row["verdict"] == "denying":
        return [PLAIN_HTTP]
    return sorted(
        proof["test"] for proof in proofs if proof["block"] == row["block"] and row["may"].startswith(proof["what"])
    )


def write_page() -> None:
    """Write the page from the last judgement and the proofs until now."""
    if not REPORT.exists():
        return
    report = json.loads(REPORT.read_text())
    counts, proofs = report["counts"], _proofs()
    for row in report["grants"]:
        row["proven_by"] = proven_by(row, proofs)
    proven = sum(bool(row["proven_by"]) for row in report["grants"])
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    body = "".join(_row(row) for row in report["grants"])
    REPORT.with_suffix(".html").write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Least privilege</title><style>{STYLE}</style>"
        "<h1>Who may do what to what</h1>"
        f"<p>{counts['needed']} grants are needed: recorded requests would be denied without them. {counts['denying']} "
        f"deny plain HTTP. {counts['reasoned']} have a reason in the code. {counts['superfluous']} are superfluous. "
        f"Tests were seen to fail without {proven} of them.</p>"
        "<table><tr><th>Who<th>May<th>By<th>Requests<th>Proven by: fails without it<th>Ran meanwhile</tr>"
        f"{body}</table></html>\n"
    )


def _row(row: dict[str, Any]) -> str:
    where = f"<code>{escape(row['where'])}</code> {escape(row['statement'])}"
    who_may = f"<td>{escape(row['who'])}<td><code>{escape(row['may'])}</code>"
    meanwhile = _folded(row["ran_meanwhile"]) or escape(row["reason"] or "")
    proofs = _folded(row["proven_by"])
    cells = f"{who_may}<td>{where}<td>{row['requests']}<td>{proofs}<td>{meanwhile}"
    return f"<tr class={row['verdict']}>{cells}</tr>"


def _folded(tests: list[str]) -> str:
    """Return the names of tests as HTML that shows only the first until a reader opens it."""
    names = [f"<code>{escape(test.removeprefix('tests/'))}</code>" for test in tests]
    if len(names) < 2:
        return "".join(names)
    rest = "<br>".join(names[1:])
    return f"<details><summary>{names[0]} and {len(names) - 1} more</summary>{rest}</details>"
