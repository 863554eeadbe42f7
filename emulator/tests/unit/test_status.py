import json
from pathlib import Path

from embedded_localstack.status import denials, text

ENTRY = {
    "who": "role a",
    "action": "s3:PutObject",
    "resource": "arn:aws:s3:::b/k",
    "policy": "policies of role a",
    "reason": "no statement",
}


def test_equal_denials_are_counted_and_the_latest_comes_last(tmp_path: Path):
    file = tmp_path / "denials.jsonl"
    entries = [
        {"time": "2026-01-01T00:00:03Z", **ENTRY},
        {"time": "2026-01-01T00:00:01Z", **ENTRY, "action": "sqs:SendMessage"},
        {"time": "2026-01-01T00:00:02Z", **ENTRY},
    ]
    file.write_text("\n".join(map(json.dumps, entries)) + '\n{"half":')
    assert [(denial.action, denial.count, denial.last) for denial in denials(file)] == [
        ("sqs:SendMessage", 1, "2026-01-01T00:00:01Z"),
        ("s3:PutObject", 2, "2026-01-01T00:00:03Z"),
    ]


def test_without_a_file_there_are_no_denials(tmp_path: Path):
    assert denials(tmp_path / "none") == []


def test_the_report_names_who_what_where_which_policy_and_how_often():
    result = {
        "state": "running",
        "version": "4.14.0",
        "port": 4566,
        "pid": 7,
        "uptime_s": 61,
        "iam_enforced": True,
        "backends": {"dynamodb": "moto"},
        "log": "server.log",
        "refusals": 3,
        "denials": [{**ENTRY, "count": 3, "last": "2026-01-01T00:00:03Z"}],
    }
    report = text(result)
    for part in (
        "4.14.0 runs on http://127.0.0.1:4566 (process 7, for 1 min 1 s)",
        "enforced",
        *ENTRY.values(),
        "3x, last 2026",
    ):
        assert part in report
