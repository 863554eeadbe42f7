"""The command backfill: send existing objects of a bucket through the pipeline, at a limited rate."""

from collections.abc import Callable, Iterator
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.errors import UserError
from eventloom.monitoring.prices import photo_usd
from eventloom.operations import backfill_stepfunctions
from eventloom.operations.backfill_items import Accepts, CatalogItems, Period
from eventloom.operations.backfill_options import Options
from eventloom.operations.backfill_sources import Inventory, Listing, Source, SourceObject
from eventloom.operations.messages import Sender, notification
from eventloom.operations.pace import Checkpoint, Pace, locked
from eventloom.operations.target import Target, current_target
from eventloom.operations.thumbnail_settings import deployed_settings

_CHUNK = 100
# Sending more objects than this needs a confirmation.
ASK_ABOVE = 1000
# Seconds for a JPEG of 12 megapixels, with 1,769 MB of memory on x86_64: docs/performance.md, "Cost"
_SECONDS_PER_PHOTO = 0.0792
_MEMORY_MB = 1769

type Done = Callable[[int], None]


@arguments.command("backfill")
@arguments.environment_option
@click.option("--bucket", help="default: the uploads bucket. The thumbnailer must have permission to read another one")
@click.option("--prefix", default="", help="only keys that begin with this")
@click.option(
    "--inventory", metavar="MANIFEST", help="read the keys from an S3 Inventory: s3://.../manifest.json, or a file"
)
@click.option("--rejected", is_flag=True, help="only photos that the catalog has as REJECTED")
@click.option(
    "--reason", "reasons", multiple=True, metavar="REASON", help="only rejected for this reason; may be repeated"
)
@click.option("--remake", is_flag=True, help="photos whose thumbnails have other sizes or another format than now")
@click.option("--all", "everything", is_flag=True, help="with --remake: every photo, whatever its thumbnails are")
@click.option("--since", type=arguments.MOMENT, help="only photos that were uploaded from this time on")
@click.option("--until", type=arguments.MOMENT, help="only photos that were uploaded before this time")
@click.option(
    "--distributed", is_flag=True, help="run it in Step Functions, on the uploads bucket, at whole hundreds a second"
)
@click.option("--rate", type=arguments.POSITIVE, default=100, show_default=True, help="objects a second")
@click.option("--limit", type=arguments.COUNT, help="send at most this many objects now")
@click.option("--restart", is_flag=True, help="start from the beginning, not where an earlier run stopped")
@arguments.yes_option
@arguments.dry_run_option
@arguments.json_option
def backfill_command(environment: str, **options: Any) -> None:
    """Send existing objects of a bucket through the pipeline.

    More than 1,000 objects need a confirmation, or --yes. --dry-run says how many there are and what they cost.

    \b
      ./eventloom backfill --dry-run
      ./eventloom backfill --prefix 2025/ --rate 200 --yes
      ./eventloom backfill --rejected --reason too_large --dry-run
      ./eventloom backfill --remake --since 2026-01-01 --dry-run
      ./eventloom backfill --inventory s3://inventories/photos/manifest.json
      ./eventloom backfill --distributed --rate 5000

    Each object becomes a message on the uploads queue. It is safe to send an object twice: the thumbnailer asks S3 what
    is current, and does nothing for what the catalog has. Messages in the queue delay new uploads, so choose a rate
    below what the thumbnailer can do.

    --rejected sends rejected photos again, for example after a limit was raised. --remake makes the thumbnails of old
    photos again after the sizes or the format changed; add --all after a change of the quality. Both take photos from
    the catalog by their prefix and time of upload. The old thumbnails are shown until the new ones are there.

    If it is interrupted, the same command continues where it stopped.

    --distributed is for millions of objects: Step Functions lists and sends them without this machine, and the same
    command follows the execution again. The environment needs "backfill": true in terraform/environments.json.
    """
    settings = Options(**options)
    settings.check()
    target = current_target(environment)
    if settings.distributed and not settings.dry_run:
        backfill_by_step_functions(target, settings)
    else:
        backfill_from_here(target, settings)


def backfill_by_step_functions(target: Target, options: Options) -> None:
    """Start the execution, or find the running one, and follow it.

    Raises UserError if the environment has no state machine, or if the execution fails.
    """
    machine = target.outputs.get("backfill_state_machine_arn")
    if not machine:
        raise UserError(
            f"'{target.environment}' has no state machine for backfills; "
            "set backfill in terraform/environments.json and deploy, or leave out --distributed"
        )
    states, bucket = target.client("stepfunctions"), target.outputs["uploads_bucket"]
    execution = backfill_stepfunctions.running(states, machine, options.prefix)
    if not execution:
        confirm(target, options, Listing(target.client("s3"), bucket, options.prefix), {})
        execution = backfill_stepfunctions.start(states, machine, options.prefix, options.rate)
    terminal.note(f"{execution}: Ctrl-C leaves it running")
    with terminal.progress("backfill", None, "batches") as done:
        batches = backfill_stepfunctions.follow(states, execution, target.poll_s, done)
    facts = {"bucket": bucket, "execution": execution, "batches": batches, "finished": True}
    text = f"sent {batches:,} batches of up to {backfill_stepfunctions.BATCH} objects of {bucket}"
    terminal.report(facts, options.as_json, text)


def backfill_from_here(target: Target, options: Options) -> None:
    """List the objects and send them, or with --dry-run only count them.

    Raises UserError for an unusable source or checkpoint, and if the user does not confirm.
    """
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
        usd = count * photo_usd(_SECONDS_PER_PHOTO, _MEMORY_MB)
        text = (
            f"{count:,} objects of {bucket} would be sent, in {count / options.rate:,.0f} s. At list prices, "
            f"photos of 12 megapixels with three thumbnails cost {usd:,.2f} USD; what is done already costs less"
        )
        facts = {"bucket": bucket, "would_send": count, "usd": round(usd, 4), "dry_run": True}
        terminal.report(facts, options.as_json, text)
        return
    confirm(target, options, source, state.get("place", {}))
    with locked(checkpoint.path), terminal.progress("backfill", None, "objects") as done:
        if options.restart:
            checkpoint.clear()
        sent_before = checkpoint.load().get("sent", 0)
        sender = Sender(target.client("sqs"), target.outputs["uploads_queue_url"])
        total = backfill(
            source,
            sender.send,
            Pace(options.rate),
            checkpoint,
            limit=options.limit,
            event=options.event,
            done=done,
        )
    sent, finished = total - sent_before, not checkpoint.path.exists()
    facts = {"bucket": bucket, "sent": sent, "sent_before": sent_before, "finished": finished}
    rest = "" if finished else "; the same command sends the rest"
    terminal.report(facts, options.as_json, f"sent {sent:,} objects of {bucket}{rest}")


def confirm(target: Target, options: Options, source: Source, place: dict[str, Any]) -> None:
    """Ask the user before more than 1,000 objects are sent. Raises UserError without a confirmation."""
    if options.yes or (options.limit or ASK_ABOVE + 1) <= ASK_ABOVE:
        return
    if count_objects(source, place, ASK_ABOVE + 1, lambda _: None) <= ASK_ABOVE:
        return
    about = f"more than {ASK_ABOVE:,} objects of {source.bucket}"
    if not target.can_ask:
        raise UserError(f"nothing was sent, because there are {about}; add --yes to send them, or --dry-run to count")
    if not click.confirm(f"Send {about} to '{target.environment}'? --dry-run says what they cost", err=True):
        raise UserError("nothing was sent; answer y to send the objects, or narrow them with --prefix or --limit")


def chosen_source(target: Target, options: Options, bucket: str) -> Source:
    """Return the source that the options select: the bucket's listing, the inventory, or photos of the catalog.

    Raises UserError if the inventory is of another bucket.
    """
    if options.rejected or options.remake:
        return catalog_photos(target, options, bucket)
    s3 = target.client("s3")
    if not options.inventory:
        return Listing(s3, bucket, options.prefix)
    inventory = Inventory(s3, options.inventory, options.prefix)
    if inventory.bucket != bucket:
        about = f"the inventory is of the bucket {inventory.bucket}, not of {bucket}"
        raise UserError(f"{about}; to use it, add --bucket {inventory.bucket}")
    return inventory


def catalog_photos(target: Target, options: Options, bucket: str) -> CatalogItems:
    """Return the rejected photos, or with --remake those whose thumbnails differ from the current settings."""
    accepts: Accepts
    if options.rejected:
        accepts = lambda item: not options.reasons or item.get("reason") in options.reasons  # noqa: E731
        identity = ",".join(sorted(options.reasons))
    elif options.everything:
        accepts, identity = lambda _: True, "all"
    else:
        settings = deployed_settings(target.client("lambda"), target.outputs)
        accepts, identity = settings.differ, repr(settings)
    return CatalogItems(
        target.client("dynamodb"),
        target.outputs["catalog_table"],
        bucket,
        "REJECTED" if options.rejected else "READY",
        prefix=options.prefix,
        period=Period(options.since, options.until),
        accepts=accepts,
        identity=identity,
    )


def checkpoint_of(target: Target, source: Source, prefix: str) -> Checkpoint:
    """Return the checkpoint of a job. Runs with the same environment, source and prefix share a checkpoint."""
    return Checkpoint(target.file("backfill", ".json", source.identity, prefix))


def backfill(  # noqa: PLR0913 - what it works with, so that a test can bring its own
    source: Source,
    send: Callable[[Iterator[str]], None],
    pace: Pace,
    checkpoint: Checkpoint,
    *,
    limit: int | None = None,
    event: str = "ObjectCreated:Backfill",
    done: Done = lambda _: None,
) -> int:
    """Send the objects of `source` from the checkpoint on. Returns the number that this and earlier runs sent.

    The checkpoint is saved after each page, so an interruption repeats at most one page. A call of `send` gets at most
    as many objects as may be sent in a second.
    """
    state, chunk_size = checkpoint.load(), max(1, min(_CHUNK, int(pace.per_second)))
    sent: int = state.get("sent", 0)
    end = None if limit is None else sent + limit
    for page in source.pages(state.get("place", {})):
        objects = page if end is None else page[: end - sent]
        for start in range(0, len(objects), chunk_size):
            chunk = objects[start : start + chunk_size]
            pace.wait(len(chunk))
            send(_body(source.bucket, item, event) for item in chunk)
            sent += len(chunk)
            done(sent)
        if objects:
            checkpoint.save({"place": objects[-1].place, "sent": sent})
        if sent == end:
            return sent
    checkpoint.clear()
    return sent


def _body(bucket: str, item: SourceObject, event: str) -> str:
    return notification(bucket, item.key, event, size=item.size, etag=item.etag)


def count_objects(source: Source, place: dict[str, Any], limit: int | None, done: Done) -> int:
    """Return the number of objects after `place`, but at most `limit`."""
    count = 0
    for page in source.pages(place):
        count += len(page)
        done(count)
        if limit is not None and count >= limit:
            return limit
    return count
