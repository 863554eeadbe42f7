"""Redrive or discard messages, as `dlq` does."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from eventloom import terminal
from eventloom.operations import failure_queues
from eventloom.operations.discards import DiscardRecord
from eventloom.operations.failures import Failure, FailureQueue
from eventloom.operations.pace import Pace
from eventloom.operations.redrive import Redriver
from eventloom.operations.stream_batches import NotRedriven


class Action(Protocol):
    """Something to do with a message. `name` is the subcommand, `past` its past participle."""

    name: str
    past: str

    def plan(self, failure: Failure) -> str:
        """Return what would happen to a message, in words. Raises NotRedriven."""

    def apply(self, failure: Failure) -> None:
        """Apply the action and delete the message. Raises NotRedriven if the message has to stay."""


class Redrive:
    """Sends messages back to where they came from."""

    name, past = "redrive", "redriven"

    def __init__(self, redriver: Redriver) -> None:
        """Take what hands messages over."""
        self._redriver = redriver

    def plan(self, failure: Failure) -> str:
        """Return where a message would go. Raises NotRedriven."""
        return f"sent to {self._redriver.target(failure)}"

    def apply(self, failure: Failure) -> None:
        """Hand a message over and delete it. Raises NotRedriven."""
        self._redriver.redrive(failure)


class Discard:
    """Deletes messages after they are recorded."""

    name, past = "discard", "discarded"

    def __init__(self, sqs: Any, record: DiscardRecord, reason: str) -> None:
        """Take a low-level client, the record, and the reason that it names."""
        self._sqs = sqs
        self._record = record
        self._reason = reason

    def plan(self, failure: Failure) -> str:
        """Return which queue a message would be deleted from."""
        return f"deleted from {failure.queue.name} and recorded"

    def apply(self, failure: Failure) -> None:
        """Record a message and delete it."""
        self._record.add(failure, self._reason, datetime.now(UTC).isoformat(timespec="seconds"))
        failure_queues.delete(self._sqs, failure)


@dataclass
class Result:
    """The ids of the messages that were done, and of those that had to stay."""

    action: Action
    dry_run: bool
    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return how many messages were selected."""
        return len(self.done) + len(self.left)

    def not_found(self, ids: Sequence[str]) -> list[str]:
        """Return those of `ids` that no selected message has."""
        return [
            prefix
            for prefix in ids
            if not any(message_id.startswith(prefix) for message_id in (*self.done, *self.left))
        ]

    def counts(self) -> dict[str, int]:
        """Return the number of messages by what happened to them."""
        done = f"would {self.action.name}" if self.dry_run else self.action.past
        return dict(Counter({done: len(self.done)}) + Counter({"left": len(self.left)}))


@dataclass(frozen=True)
class Selection:
    """Messages of some queues whose id begins with one of `ids`, or all without any, sent at `before` or earlier."""

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

    The others, and those that have to stay, are visible again when this returns.
    """
    result = Result(action, dry_run)
    for queue in selection.queues:
        with failure_queues.one_pass(sqs, queue, wait_s) as messages:
            for failure in messages.select(selection.ids, selection.before):
                about = f"{failure.message_id} {terminal.printable(failure.subject)}"
                try:
                    if dry_run:
                        terminal.note(f"{about} would be {action.plan(failure)}")
                    else:
                        pace.wait()
                        action.apply(failure)
                        messages.removed(failure)
                    result.done.append(failure.message_id)
                except NotRedriven as reason:
                    terminal.note(f"{about} stays in {queue.name}: {terminal.printable(str(reason))}")
                    result.left.append(failure.message_id)
                done(result.total)
    return result
