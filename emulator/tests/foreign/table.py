"""Write the table of other people's projects: which ones run, with which tool, and why the others do not."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

HEAD = """# Other people's projects

`make compatibility PROJECTS=FOLDER` writes this page. It deploys each project on the emulator with IAM enforced, uses
it and removes it. Nothing in the projects is changed, except where the table says so.

| project | commit | tool | result | what was changed, or why it does not run |
|---|---|---|---|---|
"""
TAIL = """
`FOLDER` has git repositories, named OWNER+NAME or NAME. The files are those of the commit in the table. A project
without a commit is made by the tool's own template, or is a small one of ours in `tests/foreign/examples`.
"""
STAND_INS = """
Terraform had only the AWS provider {aws} in a mirror. The providers archive, external, local, null and random were
stand-ins (`tests/foreign/stand_ins.py`). That provider knows the runtimes up to nodejs22.x and python3.13, so that
`override.tf.json`, beside the project's files, names another runtime or provider for some.
"""


@dataclass(frozen=True)
class Row:
    """A project in the table. `result` is one of "runs", "does not run" and "not tried"."""

    project: str
    commit: str
    tool: str
    result: str
    remark: str = ""


def page(rows: Iterable[Row], aws: str = "") -> str:
    """Return the page. If providers other than the AWS provider were stand-ins, `aws` is the AWS provider's version."""
    lines = [
        f"| {row.project} | {row.commit[:10]} | {row.tool} | {row.result} | {_cell(row.remark)} |\n" for row in rows
    ]
    return HEAD + "".join(lines) + TAIL + (STAND_INS.format(aws=aws) if aws else "")


def save(rows: Iterable[Row], file: Path) -> None:
    """Save rows, so that a later `merged` can read them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def merged(rows: Iterable[Row], file: Path) -> list[Row]:
    """Return `rows` and the rows that an earlier run saved. A new row replaces the saved row of the same project."""
    earlier = [Row(**each) for each in json.loads(file.read_text())] if file.exists() else []
    by_project = {(row.project, row.commit): row for row in [*earlier, *rows]}
    return sorted(by_project.values(), key=lambda row: (not row.commit, row.project))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
