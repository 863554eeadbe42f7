"""The command backfill: send existing objects of a bucket through the pipeline, at a rate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.errors import UserError
from eventloom.operations import backfill_stepfunctions
from eventloom.operations.backfill_sources import Inventory, Listing, Source, SourceObject
from eventloom.operations.messages import Sender, notification
from eventloom.operations.pace import Checkpoint, Pace, locked
from eventloom.operations.target import Target, current_target

_CHUNK = 100

type Done = Callable[[int], None]


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    bucket: str | None
    prefix: str
    inventory: str | None
    distributed: bool
    rate: float
    limit: int | None
    restart: bool
    dry_run: bool
    as_json: bool


@arguments.command("backfill")
@arguments.environment_option
@click.option("--bucket", help="default: the uploads bucket. The thumbnailer must have permission to read another one")
@click.option("--prefix", default="", help="only keys that begin with this")
@click.option(
    "--inventory", metavar="MANIFEST", help="read the keys from an S3 Inventory: s3://.../manifest.json, or a file"
)
@click.option(
    "--distributed", is_flag=True, help="run it in Step Functions, on the uploads bucket, at whole hundreds a second"
)
@click.option("--rate", type=arguments.POSITIVE, default=100, show_default=True, help="objects a second")
@click.option("--limit", type=arguments.COUNT, help="send at most this many objects now")
@click.option("--restart", is_flag=True, help="start from the beginning, not where an earlier run stopped")
@arguments.dry_run_option
@arguments.json_option
def backfill_command(environment: str, **options: Any) -> None:
    """Send existing objects of a bucket through the pipeline.

    \b
      ./eventloom backfill --dry-run
      ./eventloom backfill --prefix 2025/ --rate 200
      ./eventloom backfill --inventory s3://inventories/photos/manifest.json
      ./eventloom backfill --distributed --rate 5000

    Each object becomes a message on the uploads queue. It is safe to send an object twice: the thumbnailer asks S3 what
    is current, and does nothing for what the catalog has. Messages in the queue delay new uploads, so choose a rate
    below what the thumbnailer can do.

    If it is interrupted, the same command continues where it stopped.

    --distributed is for millions of objects: Step Functions lists and sends them without this machine, and the same
    command follows the execution again. The environment needs "backfill": true in terraform/environments.json.
    """
    settings = Options(**options)
    if settings.distributed and (settings.bucket or settings.inventory or settings.limit or settings.restart):
        raise click.UsageError(
            "--distributed is for the uploads bucket; leave out --bucket, --inventory, --limit and --restart",
            click.get_current_context(),
        )
    target = current_target(environment)
    if settings.distributed and not settings.dry_run:
        backfill_by_step_functions(target, settings)
    else:
        backfill_from_here(target, settings)


def backfill_by_step_functions(target: Target, options: Options) -> None:
    """Start or find the execution and follow it. Raises UserError if there is no state machine, or if it fails."""
    machine = target.outputs.get("backfill_state_machine_arn")
    if not machine:
        raise UserError(
            f"'{target.environment}' has no state machine for backfills; "
            "set backfill in terraform/environments.json and deploy, or leave out --distributed"
        )
    states, bucket = target.client("stepfunctions"), target.outputs["uploads_bucket"]
    execution = backfill_stepfunctions.start(states, machine, options.prefix, options.rate)
    terminal.note(f"{execution}: Ctrl-C leaves it running")
    with terminal.progress("backfill", None, "batches") as done:
        batches = backfill_stepfunctions.follow(states, execution, target.poll_s, done)
    facts = {"bucket": bucket, "execution": execution, "batches": batches, "finished": True}
    text = f"sent {batches:,} batches of up to {backfill_stepfunctions.BATCH} objects of {bucket}"
    terminal.report(facts, options.as_json, text)


def backfill_from_here(target: Target, options: Options) -> None:
    """List the objects and send them, or only count them. Raises UserError."""
    bucket = options.bucket or target.outputs["uploads_bucket"]
    source = chosen_source(target, options, bucket)
    checkpoint = checkpoint_of(target, source, options.prefix)
    state = {} if options.restart else checkpoint.load()
    if state:
        sent_before = state.get("sent", 0)
        terminal.note(
            f"continuing after {sent_before:,} objects (--restart starts from the beginning): {checkpoint.path}"
        )
    if options.dry_run:
        with terminal.progress("backfill", None, "objects") as done:
            count = count_objects(source, state.get("place", {}), options.limit, done)
        text = f"{count:,} objects of {bucket} would be sent, in {count / options.rate:,.0f} s"
        terminal.report({"bucket": bucket, "would_send": count, "dry_run": True}, options.as_json, text)
        return
    with locked(checkpoint.path), terminal.progress("backfill", None, "objects") as done:
        if options.restart:
            checkpoint.clear()
        sent_before = checkpoint.load().get("sent", 0)
        sender = Sender(target.client("sqs"), target.outputs["uploads_queue_url"])
        total = backfill(source, sender.send, Pace(options.rate), checkpoint, limit=options.limit, done=done)
    sent, finished = total - sent_before, not checkpoint.path.exists()
    facts = {"bucket": bucket, "sent": sent, "sent_before": sent_before, "finished": finished}
    rest = "" if finished else "; the same command sends the rest"
    terminal.report(facts, options.as_json, f"sent {sent:,} objects of {bucket}{rest}")


def chosen_source(target: Target, options: Options, bucket: str) -> Source:
    """Return the bucket's listing, or the inventory. Raises UserError if the inventory is of another bucket."""
    s3 = target.client("s3")
    if not options.inventory:
        return Listing(s3, bucket, options.prefix)
    inventory = Inventory(s3, options.inventory, options.prefix)
    if inventory.bucket != bucket:
        about = f"the inventory is of the bucket {inventory.bucket}, not of {bucket}"
        raise UserError(f"{about}; to use it, add --bucket {inventory.bucket}")
    return inventory


def checkpoint_of(target: Target, source: Source, prefix: str) -> Checkpoint:
    """Return the checkpoint of a job. Runs with the same environment, source and prefix continue each other."""
    return Checkpoint(target.file("backfill", ".json", source.identity, prefix))


def backfill(  # noqa: PLR0913 - what it works with, so that a test can bring its own
    source: Source,
    send: Callable[[Iterator[str]], None],
    pace: Pace,
    checkpoint: Checkpoint,
    *,
    limit: int | None = None,
    done: Done = lambda _: None,
) -> int:
    """Send the objects of `source` from the checkpoint on. Returns how many this and earlier runs sent.

    The checkpoint moves on after each page: an interruption repeats a part of one page. At most a second's worth is
    sent at once.
    """
    state, chunk_size = checkpoint.load(), max(1, min(_CHUNK, int(pace.per_second)))
    sent: int = state.get("sent", 0)
    end = None if limit is None else sent + limit
    for page in source.pages(state.get("place", {})):
        objects = page if end is None else page[: end - sent]
        for start in range(0, len(objects), chunk_size):
            chunk = objects[start : start + chunk_size]
            pace.wait(len(chunk))
            send(_body(source.bucket, item) for item in chunk)
            sent += len(chunk)
            done(sent)
        if objects:
            checkpoint.save({"place": objects[-1].place, "sent": sent})
        if sent == end:
            return sent
    checkpoint.clear()
    return sent


def _body(bucket: str, item: SourceObject) -> str:
    return notification(bucket, item.key, size=item.size, etag=item.etag)


def count_objects(source: Source, place: dict[str, Any], limit: int | None, done: Done) -> int:
    """Return how many objects would be sent."""
    count = 0
    for page in source.pages(place):
        count += len(page)
        done(count)
        if limit is not None and count >= limit:
            return limit
    return count
