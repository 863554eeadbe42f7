"""A fake Terraform. It records its calls, and answers from the files in FAKE_TERRAFORM."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

FOLDER = Path(os.environ["FAKE_TERRAFORM"])
# `terraform -chdir=FOLDER SUBCOMMAND OPTION...`
SUBCOMMAND, *OPTIONS = sys.argv[2:]
OPTIONS = [option for option in OPTIONS if option != "-no-color"]
WORKSPACE = os.environ.get("TF_WORKSPACE")


def note(kind: str) -> None:
    """Add a line to the file of calls."""
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"kind": kind, "arguments": [SUBCOMMAND, *OPTIONS], "workspace": WORKSPACE}) + "\n")


def interrupted(_signal: int, _frame: FrameType | None) -> None:
    """Finish, then exit with 1, as Terraform does."""
    note("interrupted")
    time.sleep(0.5)
    note("saved")
    sys.exit(1)


note("called")
if (FOLDER / f"fail-{SUBCOMMAND}").exists():
    print((FOLDER / f"fail-{SUBCOMMAND}").read_text())
    sys.exit(1)
if (FOLDER / f"wait-{SUBCOMMAND}").exists():
    signal.signal(signal.SIGINT, interrupted)
    print("working", flush=True)
    if (FOLDER / f"{SUBCOMMAND}.txt").exists():
        print((FOLDER / f"{SUBCOMMAND}.txt").read_text(), end="", flush=True)
    time.sleep(60)
if SUBCOMMAND == "output":
    outputs = json.loads((FOLDER / f"{WORKSPACE}.json").read_text())
    print(json.dumps({name: {"value": value} for name, value in outputs.items()}))
elif SUBCOMMAND == "state" and (FOLDER / "state.txt").exists():
    print((FOLDER / "state.txt").read_text(), end="")
elif SUBCOMMAND == "show":
    print((FOLDER / "plan.json").read_text())
elif SUBCOMMAND == "apply":
    (FOLDER / "errored.tfstate").touch()  # what Terraform writes if S3 refuses the state
elif SUBCOMMAND == "plan":
    file = next(option.removeprefix("-out=") for option in OPTIONS if option.startswith("-out="))
    Path(file).write_text("a plan")
    if "-detailed-exitcode" in OPTIONS and not (FOLDER / "unchanged").exists():
        sys.exit(2)
