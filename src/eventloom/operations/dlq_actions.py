"""The actions of the command dlq: redrive or discard messages."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import Any, Protocol

from eventloom import terminal
from eventloom.operations import failure_queues
from eventloom.operations.discards import DiscardRecord
from eventloom.operations.effects import Effects
from eventloom.operations.failures import Failure, FailureQueue
from eventloom.operations.pace import Pace
from eventloom.operations.redrive import Redriver, event_text
from eventloom.operations.stream_batches import NotRedriven


class Action(Protocol):
    """An action on messages. `name` is the subcommand, and `past` is its past participle."""

    name: str
    past: str

    def plan(self, failure: Failure) -> str:
        """Return in words what the action would do. Raises NotRedriven if it cannot be applied to the message."""

    def apply(self, failures: Sequence[Failure]) -> dict[str, str]:
        """Apply the action to up to 10 messages of a queue and delete them.

        Returns the reasons of the messages that stay in the queue, by message id.
        """


class Redrive:
    """Sends messages back to the queue, function or stream that they came from."""

    name, past = "redrive", "redriven"

    def __init__(self, redriver: Redriver, effects: Effects | None = None) -> None:
        """Take the redriver that sends messages, and optionally the effects that record what was sent."""
        self._redriver = redriver
        self._effects = effects

    def plan(self, failure: Failure) -> str:
        """Return where a message would be sent. Raises NotRedriven if it cannot be sent."""
        return f"sent to {self._redriver.target(failure)}"

    def apply(self, failures: Sequence[Failure]) -> dict[str, str]:
        """Send messages and delete them. Returns the reasons of those that stay, by message id."""
        left = self._redriver.redrive(failures)
        gone = [failure for failure in failures if failure.message_id not in left]
        if gone and self._effects:
            queue = failures[0].queue
            source = "" if queue.function else self._redriver.source(gone[0])
            self._effects.sent(queue.function, source, [event_text(failure) for failure in gone])
        return left


class Discard:
    """Records messages and then deletes them."""

    name, past = "discard", "discarded"

    def __init__(self, sqs: Any, record: DiscardRecord, reason: str) -> None:
        """Take a boto3 client, the record to write to, and the reason to record."""
        self._sqs = sqs
        self._record = record
        self._reason = reason

    def plan(self, failure: Failure) -> str:
        """Return the queue that a message would be deleted from, in words."""
        return f"deleted from {failure.queue.name} and recorded"

    def apply(self, failures: Sequence[Failure]) -> dict[str, str]:
        """Record messages and delete them. Returns the reasons of those that could not be deleted, by message id."""
        self._record.add(failures, self._reason, datetime.now(UTC).isoformat(timespec="seconds"))
        return failure_queues.delete(self._sqs, failures[0].queue, failures)


@dataclass
class Result:
    """The result of an action: how many messages it was applied to, how many stay, and the ids that were not found."""

    action: Action
    dry_run: bool
    missing: set[str]
    done: int = 0
    left: int = 0

    def add(self, failures: Sequence[Failure], left: Mapping[str, str]) -> None:
        """Count selected messages. `left` has the reasons of those that stay, by message id."""
        self.left += len(left)
        self.done += len(failures) - len(left)
        self.missing -= {
            prefix for prefix in self.missing for failure in failures if failure.message_id.startswith(prefix)
        }

    def counts(self) -> dict[str, int]:
        """Return the number of messages by outcome."""
        done = f"would {self.action.name}" if self.dry_run else self.action.past
        return dict(Counter({done: self.done}) + Counter({"left": self.left}))


@dataclass(frozen=True)
class Selection:
    """Selects messages of some queues that were sent at `before` or earlier.

    Their id begins with one of `ids`. If `ids` is empty, all of them are selected.
    """

    queues: Sequence[FailureQueue]
    ids: Sequence[str]
    before: float


def apply(  # noqa: PLR0913 - what an action needs beside the messages
    action: Action,
    selection: Selection,
    sqs: Any,
    pace: Pace,
    wait_s: int,
    *,
    dry_run: bool,
    done: Callable[[int], None],
) -> Result:
    """Apply an action to the selected messages.

    When this returns, all messages that are still in the queues are visible again.
    """
    result = Result(action, dry_run, set(selection.ids))
    # A batch has at most as many messages as may be sent in a second.
    at_once = max(1, min(failure_queues.BATCH, int(pace.per_second)))
    for queue in selection.queues:
        with failure_queues.one_pass(sqs, queue, wait_s) as messages:
            for selected in messages.select(selection.ids, selection.before):
                for failures in batched(selected, at_once, strict=False):
                    left = _plan(action, failures) if dry_run else _apply(action, failures, pace)
                    if not dry_run:
                        messages.removed(failure for failure in failures if failure.message_id not in left)
                    for failure in failures:
                        if reason := left.get(failure.message_id):
                            terminal.note(f"{_about(failure)} stays in {queue.name}: {terminal.printable(reason)}")
                    result.add(failures, left)
                    done(result.done + result.left)
        if messages.is_cut_off:
            terminal.note(
                f"{queue.name}: one pass looks at {failure_queues.MOST_HIDDEN:,} messages that stay, because SQS "
                "hides no more; redrive or discard those first, then run the command again"
            )
    return result


def _about(failure: Failure) -> str:
    return f"{failure.message_id} {terminal.printable(failure.subject)}"


def _apply(action: Action, failures: Sequence[Failure], pace: Pace) -> dict[str, str]:
    pace.wait(len(failures))
    return action.apply(failures)


def _plan(action: Action, failures: Sequence[Failure]) -> dict[str, str]:
    """Print what would happen to messages. Returns the reasons of those that would stay, by message id."""
    left = {}
    for failure in failures:
        try:
            terminal.note(f"{_about(failure)} would be {action.plan(failure)}")
        except NotRedriven as reason:
            left[failure.message_id] = str(reason)
    return left
