"""Send the existing objects of a bucket through the pipeline, at a rate.

    backfill.py                                     all objects of the uploads bucket
    backfill.py --prefix 2025/ --rate 200           those under a prefix, 200 a second
    backfill.py --inventory s3://inventories/.../manifest.json
    backfill.py --distributed --rate 5000           by Step Functions, beyond what one machine lists and sends

Each object becomes a message on the uploads queue. It is safe to send one twice or one that was processed: the thumbnailer asks S3
what is current, and does nothing for what the catalog has. An interrupted run goes on from its checkpoint: the same command again.
Step Functions works on by itself: the same command follows the execution that runs. Its state machine is there if environments.tf says so.
What waits in the queue delays new uploads: choose a rate below what the thumbnailer can do.
"""

import argparse
import hashlib
from typing import Any

from eventloom import errors, terminal
from eventloom.clouds import BUILD, chosen_cloud, client
from eventloom.errors import UserError
from eventloom.operations import backfill_stepfunctions
from eventloom.operations.backfill_sources import Found, Inventory, Listing, Source
from eventloom.operations.messages import Sender, notification
from eventloom.operations.pace import Checkpoint, Pace, alone

_AT_ONCE = 100


def checkpoint_of(environment: str, source: Source, prefix: str) -> Checkpoint:
    """One file for each job: the same environment, source and prefix go on with each other's work."""
    digest = hashlib.sha256(f"{source.identity}|{prefix}".encode()).hexdigest()[:12]
    return Checkpoint(BUILD / "operations" / f"backfill-{chosen_cloud().key}-{environment}-{digest}.json")


def backfill(  # noqa: PLR0913 - all that it works with, so that a test can bring its own
    source: Source, send: Any, pace: Pace, checkpoint: Checkpoint, *, limit: int | None = None, done: Any = lambda _: None
) -> int:
    """Send the objects of `source` from the checkpoint on; returns how many were sent by this and earlier runs.

    The checkpoint advances with each page, when all of it is sent: an interruption sends a part of one page again.
    What is sent at once is at most what may be sent in a second.
    """
    state, at_once = checkpoint.load(), max(1, min(_AT_ONCE, int(pace.per_second)))
    sent = state.get("sent", 0)
    end = None if limit is None else sent + limit
    for page in source.pages(state.get("place", {})):
        objects = page if end is None else page[: end - sent]
        for start in range(0, len(objects), at_once):
            some = objects[start : start + at_once]
            pace.wait(len(some))
            send(_body(source.bucket, found) for found in some)
            sent += len(some)
            done(sent)
        if objects:
            checkpoint.save({"place": objects[-1].place, "sent": sent})
        if sent == end:
            return int(sent)
    checkpoint.clear()
    return int(sent)


def _body(bucket: str, found: Found) -> str:
    return notification(bucket, found.key, size=found.size, etag=found.etag)


def dry_run(source: Source, place: dict[str, Any], limit: int | None, done: Any) -> int:
    """How many objects would be sent."""
    count = 0
    for page in source.pages(place):
        count += len(page)
        done(count)
        if limit is not None and count >= limit:
            return limit
    return count


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = terminal.parser(__doc__)
    parser.add_argument("--bucket", help="default: the uploads bucket. The thumbnailer must be permitted to read any other")
    parser.add_argument("--prefix", default="", help="only keys that begin so")
    parser.add_argument("--inventory", metavar="MANIFEST", help="read the keys from an S3 Inventory: s3://.../manifest.json, or a file")
    parser.add_argument("--distributed", action="store_true", help="by Step Functions, of the uploads bucket, at whole hundreds a second")
    parser.add_argument("--rate", type=terminal.positive, default=100, help="objects a second (default %(default)s)")
    parser.add_argument("--limit", type=terminal.whole, help="send no more than so many now")
    parser.add_argument("--restart", action="store_true", help="forget how far an earlier run got")
    parser.add_argument("--dry-run", action="store_true", help="count, and send nothing")
    options = parser.parse_args()
    if options.distributed and (options.bucket or options.inventory or options.limit or options.restart):
        parser.error(
            "--distributed lists the whole uploads bucket or a --prefix of it: --bucket, --inventory, --limit and --restart are without it"
        )
    return options


def by_step_functions(options: argparse.Namespace, outputs: dict[str, Any]) -> None:
    """Have the state machine do it, and follow it to its end. Raises UserError if it is not there or fails."""
    machine = outputs.get("backfill_state_machine_arn")
    if not machine:
        raise UserError(f"'{options.env}' has no state machine for backfills: set backfill in terraform/environments.tf and deploy")
    states = client("stepfunctions")
    execution = backfill_stepfunctions.start(states, machine, options.prefix, options.rate)
    terminal.stderr.print(f"{execution}: Ctrl-C leaves it running", soft_wrap=True)
    with terminal.progress("backfill", None, "batches") as done:
        batches = backfill_stepfunctions.follow(states, execution, 0.5 if chosen_cloud().port else 5, done)
    facts = {"bucket": outputs["uploads_bucket"], "execution": execution, "batches": batches, "finished": True}
    terminal.tell(
        facts, options.json, f"sent {batches:,} batches of up to {backfill_stepfunctions.BATCH} objects of {outputs['uploads_bucket']}"
    )


def main() -> int:
    """Backfill; 0 when everything was sent."""
    options = arguments()
    outputs = terminal.environment(options.env)
    if options.distributed and not options.dry_run:
        by_step_functions(options, outputs)
    else:
        by_this_machine(options, outputs)
    return 0


def by_this_machine(options: argparse.Namespace, outputs: dict[str, Any]) -> None:
    """List and send, or only count. Raises UserError."""
    s3, bucket = client("s3"), options.bucket or outputs["uploads_bucket"]
    source: Source = Inventory(s3, options.inventory, options.prefix) if options.inventory else Listing(s3, bucket, options.prefix)
    if source.bucket != bucket:
        raise UserError(f"the inventory is of the bucket {source.bucket}, not of {bucket}; if that is meant: --bucket {source.bucket}")
    checkpoint = checkpoint_of(options.env, source, options.prefix)
    state = {} if options.restart else checkpoint.load()
    if state:
        terminal.stderr.print(f"going on after {state.get('sent', 0):,} objects (--restart begins anew): {checkpoint.path}", soft_wrap=True)
    if options.dry_run:
        with terminal.progress("backfill", None, "objects") as done:
            count = dry_run(source, state.get("place", {}), options.limit, done)
        text = f"{count:,} objects of {bucket} would be sent, in {count / options.rate:,.0f} s"
        terminal.tell({"bucket": bucket, "would_send": count, "dry_run": True}, options.json, text)
        return
    with alone(checkpoint.path), terminal.progress("backfill", None, "objects") as done:
        if options.restart:
            checkpoint.clear()
        resumed = checkpoint.load().get("sent", 0)
        sender = Sender(client("sqs"), outputs["uploads_queue_url"])
        sent = backfill(source, sender.send, Pace(options.rate), checkpoint, limit=options.limit, done=done)
    finished = not checkpoint.path.exists()
    facts = {"bucket": bucket, "sent": sent - resumed, "sent_before": resumed, "finished": finished}
    more = "" if finished else "; the same command goes on"
    terminal.tell(facts, options.json, f"sent {sent - resumed:,} objects of {bucket}{more}")


if __name__ == "__main__":
    errors.run("backfill", main, resumes=True)
