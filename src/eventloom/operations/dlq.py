"""The command dlq: list, redrive or discard the messages that failed permanently."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.errors import UserError
from eventloom.operations import dlq_actions, effects, failure_causes, failure_queues, message_attributes
from eventloom.operations.discards import DiscardRecord
from eventloom.operations.dlq_actions import Action, Discard, Redrive, Selection
from eventloom.operations.failures import Failure, FailureQueue
from eventloom.operations.pace import Pace
from eventloom.operations.redrive import Redriver
from eventloom.operations.target import Target, current_target

_DEFAULT = "list"
# The listed messages are kept in memory, and their causes are looked up in the logs.
MOST_SHOWN = 10_000


class DlqGroup(arguments.Group):
    """A click group with `list` as its default subcommand. Options of a subcommand may also precede its name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the subcommand to the front. Keep --help before it for the group, and do not reorder for completion."""
        name_at = self._position_of_name(args)
        options = args[:name_at]
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if help_options := [option for option in options if option in self.get_help_option_names(ctx)]:
            return super().parse_args(ctx, help_options)
        name = args[name_at : name_at + 1] or [_DEFAULT]
        return super().parse_args(ctx, [*name, *options, *args[name_at + 1 :]])

    def _position_of_name(self, args: list[str]) -> int:
        """Return the index of the first argument that is neither an option nor an option's value."""
        parameters = [parameter for command in self.commands.values() for parameter in command.params]
        with_value = {
            name
            for option in parameters
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        position = 0
        while position < len(args) and args[position].startswith("-"):
            position += 2 if args[position] in with_value else 1
        return min(position, len(args))


class MessageId(click.ParamType[str]):
    """The type of an argument that is a message id, or at least its first 8 characters."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id. Raises click's usage error if the value is not an id."""
        if not re.fullmatch(r"[0-9a-f-]{8,36}", value):
            self.fail(f"{value!r} is not a message id, or its first 8 characters or more", param, ctx)
        return str(value)


queue_option = click.option("--queue", "part", metavar="NAME", help="only queues with this in their name")


def selection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments and options that redrive and discard share."""
    for decorator in (
        arguments.json_option,
        arguments.dry_run_option,
        click.option("--rate", type=arguments.POSITIVE, default=50, show_default=True, help="messages a second"),
        click.option("--all", "everything", is_flag=True, help="every message that is there now"),
        queue_option,
        arguments.environment_option,
        click.argument("ids", nargs=-1, metavar="[ID]...", type=MessageId()),
    ):
        function = decorator(function)
    return function


@click.group("dlq", cls=DlqGroup)
def dlq() -> None:
    """List, redrive or discard the messages that failed for good.

    They are in the dead-letter queues of the consumers and in the functions' queues of failures. Without a subcommand,
    list them.

    \b
      ./eventloom dlq
      ./eventloom dlq redrive --all --dry-run
      ./eventloom dlq discard 01234567 --reason "test data"

    An ID is a message id, or its first 8 characters or more.

    Messages are handed over in batches of ten before they are deleted. An interruption may repeat one batch, and never
    loses a message. All consumers are idempotent except the activity counters: do not repeat the redrive of a Kinesis
    batch.
    """


@dlq.command("list")
@arguments.environment_option
@queue_option
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_SHOWN),
    default=1000,
    show_default=True,
    help="messages to show of each queue; the rest is counted",
)
@click.option("--no-logs", is_flag=True, help="do not look for causes in the consumers' logs")
@arguments.json_option
def list_messages(environment: str, part: str | None, limit: int, no_logs: bool, as_json: bool) -> None:
    """List all messages, each with its object and cause. The messages stay as they are."""
    target = current_target(environment)
    queues = chosen_queues(target, part)
    total, unseen, sqs = 0, 0, target.client("sqs")
    waiting = waiting_queues(target, queues)
    for queue, failures in zip(
        waiting, failure_queues.read_all(sqs, [*waiting], target.receive_wait_s, limit), strict=True
    ):
        more = max(0, waiting[queue] - len(failures))
        if more and len(failures) == limit:
            terminal.note(f"{queue.name}: only {limit:,} are shown, and it has about {more:,} more")
            unseen += more
        logged = {} if no_logs else logged_causes(target, queue, failures)
        for failure in failures:
            show(failure, failure.cause or logged.get(failure.message_id, ""), as_json)
        total += len(failures)
    if not as_json:
        about = f", and about {unseen:,} more" if unseen else ""
        terminal.stdout.print(f"{total} message(s) in {len(queues)} queue(s) of failures{about}")


@dlq.command("inspect")
@click.argument("message_id", metavar="ID", type=MessageId())
@arguments.environment_option
@queue_option
@arguments.json_option
def inspect(message_id: str, environment: str, part: str | None, as_json: bool) -> None:
    """Show all of one message, with its attributes and body. The message stays as it is."""
    target = current_target(environment)
    queues = chosen_queues(target, part)
    for queue in waiting_queues(target, queues):
        with failure_queues.one_pass(target.client("sqs"), queue, target.receive_wait_s) as messages:
            for failure, *_ in messages.select([message_id], target.now()):
                attributes = message_attributes.to_json(failure.attributes)
                facts = failure.facts() | {"attributes": attributes, "body": failure.content or failure.body}
                lines = json.dumps(facts, ensure_ascii=False, indent=2).split("\n")
                terminal.report(facts, as_json, "\n".join(map(terminal.printable, lines)))
                return
    names = ", ".join(queue.name for queue in queues)
    raise UserError(f"no message {message_id} is in {names}; ./eventloom dlq list shows the messages that are there")


@dlq.command("redrive")
@selection_options
def redrive(environment: str, **options: Any) -> int:
    """Send messages back to where they came from: a queue, a function, or a stream.

    Redriven messages keep their attributes. At the end it waits up to half a minute and reports what became of them, as
    far as the catalog, the manifests and the queues show it.

    \b
      ./eventloom dlq redrive 01234567
      ./eventloom dlq redrive --all --queue uploads --rate 20

    The message about a stream's batch holds no records. It can be redriven as long as the stream has them, which is a
    day or two.

    Exit code 1: some messages stay in their queue; stderr says why.
    """
    target = current_target(environment)
    sent = effects.Effects(target)
    action = Redrive(Redriver(target.client, target.outputs["functions"]), sent)
    return run(target, action, sent=sent, **options)


@dlq.command("discard")
@selection_options
@click.option("--reason", required=True, help="why, for the record")
@click.option(
    "--record-bucket", default="", metavar="BUCKET", help="also keep the record in this bucket, under discarded/"
)
@arguments.yes_option
def discard(environment: str, reason: str, record_bucket: str, yes: bool, **options: Any) -> int:
    """Delete messages and keep a record of each in build/operations/, which 'replay --file' can send again.

    With --all it asks for confirmation, in every environment. Where nobody can answer, as in a script, --all needs
    --yes.

    \b
      ./eventloom dlq discard 01234567 --reason "test data"
      ./eventloom dlq discard --all --queue uploads --reason "test data" --yes
    """
    target = current_target(environment)
    record = DiscardRecord(
        target.file("discarded", ".jsonl"), target.client("s3") if record_bucket else None, record_bucket
    )
    is_confirmed = yes or options["dry_run"] or not options["everything"]
    return run(target, Discard(target.client("sqs"), record, reason), is_confirmed=is_confirmed, **options)


def run(  # noqa: PLR0913 - the options of redrive and discard
    target: Target,
    action: Action,
    *,
    ids: tuple[str, ...],
    everything: bool,
    part: str | None,
    rate: float,
    dry_run: bool,
    as_json: bool,
    is_confirmed: bool = True,
    sent: effects.Effects | None = None,
) -> int:
    """Apply an action to the messages that the options select. Returns 1 if some of them stay in their queue, else 0.

    `sent` records what the action sends, and reports the effect.
    """
    if bool(ids) == everything:
        raise click.UsageError("name messages by their ids, or use --all", click.get_current_context())
    if not is_confirmed and not target.can_ask:
        raise UserError(f"nothing was changed; add --yes to {action.name} all messages, or --dry-run to see them")
    waiting = waiting_queues(target, chosen_queues(target, part))
    total = sum(waiting.values())
    selection = Selection([*waiting], ids, target.now())
    question = f"{action.name.capitalize()} about {total} message(s) of '{target.environment}'?"
    if total and not is_confirmed and not click.confirm(question, err=True):
        raise UserError(f"nothing was changed; answer y to {action.name} all messages")
    with terminal.progress(action.name, len(ids) or total, "messages") as done:
        result = dlq_actions.apply(
            action, selection, target.client("sqs"), Pace(rate), target.receive_wait_s, dry_run=dry_run, done=done
        )
    counts, missing = result.counts(), sorted(result.missing)
    text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "nothing to do"
    facts: dict[str, Any] = counts | {"not_found": len(missing), "dry_run": dry_run}
    if sent and not dry_run:
        facts["effect"] = sent.wait()
        text += effects.text(facts["effect"])
    terminal.report(facts, as_json, text)
    if missing:
        terminal.note(f"no queue has {', '.join(missing)} now; ./eventloom dlq list shows the messages that are there")
    return 1 if result.left else 0


def chosen_queues(target: Target, part: str | None) -> list[FailureQueue]:
    """Return the queues of failures with `part` in their name. Raises UserError if there is none."""
    queues = failure_queues.list_queues(target.client("sqs"), target.outputs["prefix"], target.outputs["functions"])
    chosen = [queue for queue in queues if part is None or part in queue.name]
    if not chosen:
        names = ", ".join(queue.name for queue in queues) or "none"
        raise UserError(f"no queue of failures has '{part or ''}' in its name; there are: {names}")
    return chosen


def waiting_queues(target: Target, queues: Sequence[FailureQueue]) -> dict[FailureQueue, int]:
    """Return the approximate number of messages in each queue that has any. Prints the number of hidden ones."""
    sqs = target.client("sqs")
    depths = failure_queues.side_by_side(lambda queue: failure_queues.depth(sqs, queue), queues)
    if hidden := sum(depth.hidden for depth in depths):
        terminal.note(
            f"about {hidden} more are hidden because another command reads them, or did until it was killed; "
            f"they are visible again in {failure_queues.HIDDEN_S} s at most"
        )
    return {queue: depth.waiting for queue, depth in zip(queues, depths, strict=True) if depth.waiting}


def logged_causes(target: Target, queue: FailureQueue, failures: Sequence[Failure]) -> dict[str, str]:
    """Return the causes in the consumer's log for messages of a dead-letter queue, by message id."""
    if queue.function or not failures:
        return {}
    log_group = failure_causes.consumer_log_group(target.client, queue, target.outputs["functions"])
    return failure_causes.causes_in_log(target.client("logs"), log_group, failures) if log_group else {}


def show(failure: Failure, cause: str, as_json: bool) -> None:
    """Print one message of the list."""
    facts = failure.facts() | {"cause": cause}
    lines = [
        f"{failure.message_id[:8]}  {facts['sent_at']}  {failure.queue.name}",
        facts["object"],
        cause or "unknown: see the log",
    ]
    terminal.report(facts, as_json, "\n    ".join(map(terminal.printable, lines)))
