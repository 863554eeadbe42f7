"""What failed for good, in every queue of an environment: look, try again, or give up with a record.

    dlq.py list                                   all of them, with cause and object
    dlq.py inspect ID                             one message, whole
    dlq.py redrive ID... | --all [--rate N]       back to where it came from
    dlq.py discard ID... | --all --reason TEXT    off the queue, kept in build/operations/ (`make replay` brings it back)

An ID is a message id, or its first 8 characters or more. --queue NAME restricts it to one queue, --dry-run only says what would be done.
A message is handed over before it is deleted: what is interrupted may be done twice, and nothing is lost. Consumers here bear a second
time, but for counts of activity: a batch of a Kinesis stream is put back as new records, each once, unless the redrive is repeated.
The message about a stream's batch holds no records: they can be redriven, or replayed, as long as the stream has them (a day or two).
"""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from eventloom import errors, terminal
from eventloom.clouds import BUILD, chosen_cloud, client
from eventloom.errors import UserError
from eventloom.operations import failure_queues
from eventloom.operations.failure_queues import Failure, FailureQueue
from eventloom.operations.pace import Pace
from eventloom.operations.redrive import DiscardRecord, Redriver
from eventloom.operations.stream_batches import NotRedriven


def message_id(text: str) -> str:
    """The type of an id on the command line. Fewer characters, or none, would mean messages that were not meant."""
    if not re.fullmatch(r"[0-9a-f-]{8,36}", text):
        raise argparse.ArgumentTypeError("must be a message id, or its first 8 characters or more")
    return text


def arguments() -> argparse.Namespace:
    """The command line."""
    common = terminal.ENV | terminal.JSON | {"--queue": {"help": "one queue by its name, or a part of it"}}
    parser = terminal.parser(__doc__, common)
    subcommand = terminal.subcommands(parser, common)
    listing = subcommand("list", help="all, with cause and object")
    listing.add_argument("--limit", type=terminal.whole, default=1000, help="of each queue (default %(default)s)")
    listing.add_argument("--no-logs", action="store_true", help="do not look for causes in the consumers' logs")
    subcommand("inspect", help="one message, whole").add_argument("ids", nargs=1, metavar="ID", type=message_id)
    for name, about in (("redrive", "send back to where it came from"), ("discard", "delete, keeping a record")):
        command = subcommand(name, help=about)
        command.add_argument("ids", nargs="*", metavar="ID", type=message_id)
        command.add_argument("--all", action="store_true", help="every message that is there now")
        command.add_argument("--rate", type=terminal.positive, default=50, help="messages a second (default %(default)s)")
        command.add_argument("--dry-run", action="store_true", help="say what would be done")
        if name == "discard":
            command.add_argument("--reason", required=True, help="why, for the record")
            command.add_argument("--record-bucket", default="", help="keep the record in this bucket too, under discarded/")
    options = terminal.parse(parser, "list")
    if options.command in {"redrive", "discard"} and bool(options.ids) == options.all:
        parser.error("name the messages by their ids, or say --all")
    return options


def chosen_queues(outputs: dict[str, Any], part: str | None) -> list[FailureQueue]:
    """The queues of failures, those whose name has `part`. Raises UserError naming all if there is none."""
    found = failure_queues.queues(client("sqs"), outputs["prefix"], outputs["functions"])
    chosen = [queue for queue in found if part is None or part in queue.name]
    if not chosen:
        raise UserError(f"no queue of failures is named '{part}'; there are: {', '.join(queue.name for queue in found) or 'none'}")
    return chosen


def consumer_log(queue: FailureQueue, functions: dict[str, Any]) -> str | None:
    """The log group of the function that reads the queue whose dead-letter queue this is."""
    sqs = client("sqs")
    for url in sqs.list_dead_letter_source_queues(QueueUrl=queue.url).get("queueUrls", []):
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for mapping in client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]:
            for facts in functions.values():
                if facts["function_name"] == mapping["FunctionArn"].split(":")[6]:
                    return str(facts["log_group"])
    return None


def list_all(queues: list[FailureQueue], options: argparse.Namespace, functions: dict[str, Any]) -> int:
    """Show every message; 0."""
    sqs, total = client("sqs"), 0
    for queue in queues:
        found: list[Failure] = []
        try:
            found.extend(failure_queues.receive(sqs, queue, options.limit))
        finally:
            failure_queues.give_back(sqs, found)
        if len(found) == options.limit:
            terminal.stderr.print(f"{queue.name}: no more than {options.limit} are shown (--limit)", markup=False)
        found = sorted({failure.message_id: failure for failure in found}.values(), key=lambda failure: failure.sent_at)
        group = None if queue.function or options.no_logs or not found else consumer_log(queue, functions)
        logged = failure_queues.causes_in_log(client("logs"), group, found) if group else {}
        for failure in found:
            facts = failure.facts()
            facts["cause"] = facts["cause"] or logged.get(failure.message_id, "")
            total += 1
            about = [
                f"{failure.message_id[:8]}  {facts['sent_at']}  {queue.name}",
                facts["object"],
                facts["cause"] or "unknown: see the log",
            ]
            terminal.tell(facts, options.json, "\n    ".join(map(terminal.visible, about)))
    if not options.json:
        terminal.stdout.print(f"{total} message(s) in {len(queues)} queue(s) of failures")
    return 0


def selected(queue: FailureQueue, ids: list[str], before: float, left: list[Failure]) -> Iterator[Failure]:
    """The messages with those ids (all without any) that were there at `before`.

    The others, and those that the caller puts into `left`, stay hidden until the queue was gone through; then they are given back.
    """
    sqs, seen = client("sqs"), set[str]()
    try:
        for failure in failure_queues.receive(sqs, queue):
            wanted = not ids or any(failure.message_id.startswith(wanted) for wanted in ids)
            if wanted and failure.sent_at <= before and failure.message_id not in seen:
                seen.add(failure.message_id)
                yield failure
            else:
                left.append(failure)
    finally:
        failure_queues.give_back(sqs, left)


def inspect(queues: list[FailureQueue], options: argparse.Namespace) -> int:
    """Show one message whole. Raises UserError if there is none."""
    for queue in queues:
        left: list[Failure] = []
        for failure in selected(queue, options.ids, time.time(), left):
            left.append(failure)
            body: Any = failure.content or failure.body
            facts = failure.facts() | {"attributes": failure.attributes, "body": body}
            print(json.dumps(facts, ensure_ascii=False, indent=None if options.json else 2))
            return 0
    raise UserError(f"no message {options.ids[0]} in {', '.join(queue.name for queue in queues)}")


def act(queues: list[FailureQueue], options: argparse.Namespace, outputs: dict[str, Any]) -> int:
    """Redrive or discard; 1 if something that was selected could not be."""
    sqs, pace, counts = client("sqs"), Pace(options.rate), Counter[str]()
    redriver = Redriver(client, outputs["functions"])
    record = None
    if options.command == "discard":
        path = BUILD / "operations" / f"discarded-{chosen_cloud().key}-{options.env}.jsonl"
        record = DiscardRecord(path, client("s3"), options.record_bucket)
    began = time.time()
    with terminal.progress(options.command, sum(failure_queues.depth(sqs, queue) for queue in queues), "messages") as done:
        for queue in queues:
            left: list[Failure] = []
            for failure in selected(queue, options.ids, began, left):
                try:
                    pace.wait()
                    how = handle(failure, options, redriver, record)
                except BaseException:
                    left.append(failure)
                    raise
                if how not in {"discarded", "redriven"}:
                    left.append(failure)
                counts[how] += 1
                done(counts.total())
    missing = len(options.ids) - counts.total() if options.ids else 0
    text = ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing was there"
    terminal.tell(dict(counts) | {"not_found": max(0, missing), "dry_run": options.dry_run}, options.json, text)
    if missing > 0:
        terminal.stderr.print(f"{missing} of the named messages are in no queue now (done already?)")
    return 1 if counts["left"] else 0


def handle(failure: Failure, options: argparse.Namespace, redriver: Redriver, record: DiscardRecord | None) -> str:
    """Deal with one message; in a word, how."""
    what = f"{failure.message_id} {terminal.visible(failure.subject)}"
    try:
        if options.dry_run:
            where = "discarded" if record else f"sent to {redriver.target(failure)}"
            terminal.stderr.print(f"{what} would be {where}", markup=False, soft_wrap=True)
            return f"would {options.command}"
        if record:
            record.keep(failure, options.reason, datetime.now(UTC).isoformat(timespec="seconds"))
            failure_queues.delete(client("sqs"), failure)
            return "discarded"
        redriver.redrive(failure)
    except NotRedriven as problem:
        terminal.stderr.print(f"{what} stays in {failure.queue.name}: {terminal.visible(str(problem))}", markup=False, soft_wrap=True)
        return "left"
    return "redriven"


def main() -> int:
    """Do what the command line says."""
    options = arguments()
    outputs = terminal.environment(options.env)
    queues = chosen_queues(outputs, options.queue)
    if unseen := sum(failure_queues.hidden(client("sqs"), queue) for queue in queues):
        about = (
            f"about {unseen} more are looked at elsewhere, or were by a run that was killed: "
            f"they are back in {failure_queues.HIDDEN_S} s at most"
        )
        terminal.stderr.print(about, soft_wrap=True)
    if options.command == "list":
        return list_all(queues, options, outputs["functions"])
    if options.command == "inspect":
        return inspect(queues, options)
    return act(queues, options, outputs)


if __name__ == "__main__":
    errors.run("dlq", main, resumes=True)
