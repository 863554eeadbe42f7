"""The command `invoke`: call a deployed function with an event."""

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from eventloom import arguments, invoke_events, terminal
from eventloom.catalog import deployed_function
from eventloom.clouds import client
from eventloom.deployment.build import FUNCTIONS
from eventloom.deployment.outputs import current_outputs
from eventloom.errors import UserError
from eventloom.generated_events import TRIGGERS
from eventloom.monitoring.log_lines import all_option, line
from eventloom.monitoring.log_records import Record, records

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD = 6 * 1024 * 1024
# A function can run for 15 minutes. A retry of the request would run the function again.
ANSWER_WITHIN_S = 15 * 60 + 30
# Lambda returns the last 4 KB of the log: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
TAIL_BYTES = 4096


@arguments.command("invoke")
@click.argument("function", metavar="FN")
@click.option(
    "--event", metavar="FILE|NAME|-", help="a JSON file, the name of one in functions/FN/events, or - for stdin"
)
@click.option("--message", metavar="ID", help="the event of a message that failed for good; 'dlq list' shows the ids")
@click.option("--trigger", type=click.Choice([*TRIGGERS]), help="generate the event that this trigger sends")
@click.option("--key", help="with --trigger: the object's key, the partition key, or the alarm's name")
@click.option("--bucket", help="with --trigger s3: the object's bucket (default: the bucket that has it)")
@click.option("--body", help="with --trigger: the message, record, detail, new item, or body of the request")
@click.option("--path", help="with --trigger api, alb or url: the path of the request, with its query")
@click.option("--method", help="with --trigger api, alb or url: the method of the request")
@click.option("--record", metavar="NAME", help="also save the event as functions/FN/events/NAME.json")
@all_option
@arguments.environment_option
def invoke(  # noqa: PLR0913, PLR0917 - click passes options as arguments
    function: str,
    event: str | None,
    message: str | None,
    bucket: str | None,
    record: str | None,
    show_all: bool,
    environment: str,
    **request_options: str | None,
) -> None:
    """Call the function FN with an event, and wait for its answer.

    stdout gets the answer, which is JSON, and stderr the last 4 KB of the log. The exit code is 1 if the function
    fails. Without an event, a function without sample events gets an empty object: {}.

    A generated event has the names of the deployed resources, and for an object what S3 has under its key. A function
    that reads a queue gets an event of S3, SNS or EventBridge in a message. --record leaves keys and cookies of
    requests out.

    \b
    Examples:
      ./eventloom invoke catalog_api --event rest_list_images
      ./eventloom invoke thumbnailer --trigger s3 --key holiday.jpg
      ./eventloom invoke catalog_api --trigger api --path '/images?limit=2' --record two_images
      echo '{"Records": []}' | ./eventloom invoke thumbnailer --event -
    """
    if sum(option is not None for option in (event, message, request_options["trigger"])) > 1:
        raise click.UsageError("give one of --event, --message and --trigger", click.get_current_context())
    request = invoke_events.request_of(bucket, **request_options)
    outputs = current_outputs(environment)
    arn = deployed_function(outputs, function)["alias_arn"]
    samples = FUNCTIONS / function / "events"
    if message:
        payload = json.dumps(invoke_events.of_message(message, environment)).encode()
    elif request:
        payload = json.dumps(invoke_events.of_trigger(request, function, bucket, outputs, client)).encode()
    else:
        read = json.loads(read_payload(event, samples))
        payload = json.dumps(invoke_events.as_received(read, function, outputs, client)).encode()
    if record:
        terminal.note(f"recorded as {invoke_events.save(json.loads(payload), samples, record)}")
    call(function, arn, payload, show_all)


def call(function: str, arn: str, payload: bytes, show_all: bool) -> None:
    """Call a function, and print its log and its response. Raises UserError if the function fails."""
    answer = client("lambda", only_attempt_s=ANSWER_WITHIN_S).invoke(FunctionName=arn, Payload=payload, LogType="Tail")
    for record in tail_records(function, base64.b64decode(answer.get("LogResult", "")), datetime.now(UTC)):
        if show_all or not record.is_detail:
            terminal.stderr.print(line(record), soft_wrap=True)
    body = answer["Payload"].read().decode(errors="replace") or "null"
    print_answer(body)
    if "FunctionError" in answer:
        raise UserError(failure(function, body))


def read_payload(event: str | None, samples: Path) -> bytes:
    """Return the payload for Lambda.

    Args:
        event: a JSON file, the name of a file in `samples` with or without .json, "-" for stdin, or None for {}.
        samples: the folder of the function's sample events.

    Raises:
        UserError: there is no such file, it is not JSON, or it is too large for Lambda. It is also raised if `event` is
        None although there are samples.
    """
    content = b"{}" if event is None and not sample_names(samples) else read_event(event, samples)
    try:
        payload = json.dumps(json.loads(content, parse_constant=_refuse_constant)).encode()
    except (ValueError, RecursionError) as error:
        raise UserError(f"{'stdin' if event == '-' else event} is not JSON: {error}") from error
    if len(payload) > MAX_PAYLOAD:
        raise UserError(
            f"the event has {len(payload) / 1024**2:.1f} MB and Lambda accepts 6 MB in a call; put the data into S3 "
            f"and send its key"
        )
    return payload


def read_event(event: str | None, samples: Path) -> bytes:
    """Return the content of the file that `event` names.

    Raises UserError if there is no such file. The message lists the samples.
    """
    if event == "-":
        return sys.stdin.buffer.read()
    candidates = [Path(event), samples / event, samples / f"{event}.json"] if event else []
    for candidate in candidates:
        if candidate.exists() and not candidate.is_dir():
            return candidate.read_bytes()
    names = ", ".join(sample_names(samples))
    choice = f"the name of a sample event ({names})" if names else "- for stdin"
    problem = "the function needs an event" if event is None else f"there is no event '{event}'"
    raise UserError(f"{problem}; give --event a JSON file or {choice}")


def sample_names(samples: Path) -> list[str]:
    """Return the names of the sample events in a folder."""
    return sorted(path.stem for path in samples.glob("*.json"))


def tail_records(function: str, tail: bytes, now: datetime) -> list[Record]:
    """Return the records in the end of a log. If the log is longer, the first line is dropped as incomplete."""
    lines = tail.decode(errors="replace").splitlines()
    if len(tail) >= TAIL_BYTES and len(lines) > 1:
        del lines[0]
    stamp = int(now.timestamp() * 1000)
    return list(records(function, ({"message": text, "timestamp": stamp} for text in lines)))


def print_answer(body: str) -> None:
    """Print a function's response. On a terminal it is indented, otherwise it is on one line."""
    try:
        answer: Any = json.loads(body)
    except ValueError:
        terminal.stdout.print(terminal.printable(body), soft_wrap=True, markup=False)
        return
    if terminal.stdout.is_terminal:
        terminal.stdout.print_json(json.dumps(answer))
    else:
        terminal.print_json(answer)


def failure(function: str, body: str) -> str:
    """Return the error message for a failed function. It contains the type and the message of the exception."""
    try:
        error = json.loads(body)
    except ValueError:
        error = None
    facts = error if isinstance(error, dict) else {}
    reason = (
        ": ".join(str(facts[name]) for name in ("errorType", "errorMessage") if facts.get(name)) or "an unknown error"
    )
    where = f"its log is above, and ./eventloom logs {function} prints all of it"
    return f"{function} failed with {terminal.printable(reason)}; {where}"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")
