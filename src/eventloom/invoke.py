"""Invoke a deployed function with an event and show its answer and log. Usage: invoke.py [--env NAME] FUNCTION EVENT

FUNCTION is a folder of functions/; EVENT is a JSON file, or the name of one in functions/FUNCTION/events/.
"""

import base64
import json
from pathlib import Path

from rich.console import Console

from eventloom import errors
from eventloom.catalog import deployed_function
from eventloom.clouds import client
from eventloom.deployment.build import FUNCTIONS
from eventloom.errors import UserError
from eventloom.terminal import ENV, environment, parser


def event_file(function: str, event: str) -> Path:
    """The file that EVENT means. Raises UserError naming the events there are."""
    own = FUNCTIONS / function / "events"
    for candidate in (Path(event), own / event, own / f"{event}.json"):
        if candidate.is_file():
            return candidate
    known = ", ".join(sorted(path.stem for path in own.glob("*.json"))) or "none"
    raise UserError(f"no event '{event}' (EVENT=...): give a JSON file, or one of functions/{function}/events: {known}")


def read_event(file: Path) -> bytes:
    """The payload for Lambda. Raises UserError if the file holds no JSON."""
    try:
        return json.dumps(json.loads(file.read_text())).encode()
    except ValueError as error:
        raise UserError(f"{file} is no JSON: {error}") from error


def main() -> None:
    """Invoke and print. Raises UserError if the function failed."""
    arguments = parser(__doc__, ENV)
    arguments.add_argument("function")
    arguments.add_argument("event")
    options = arguments.parse_args()
    console = Console(highlight=False)
    arn = deployed_function(environment(options.env), options.function)["alias_arn"]
    payload = read_event(event_file(options.function, options.event))
    answer = client("lambda").invoke(FunctionName=arn, Payload=payload, LogType="Tail")
    console.print(base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"), style="dim", markup=False, soft_wrap=True)
    body = answer["Payload"].read().decode() or "null"
    console.print_json(body)
    if "FunctionError" in answer:
        raise UserError(f"{options.function} failed ({answer['FunctionError']}); the log is above")


if __name__ == "__main__":
    errors.run("invoke", main)
