"""Decide whether to act, without side effects.

These limits hold for each target, for any sequence of alarms. There are at most `per_day` actions in any 24 hours, and
at least `cooldown_s` seconds between two of them. Concurrency stays between its value before the first raise and the
ceiling. A version is rolled back at most once, and never to a version that was rolled back before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from recoverer.alarms import Alarm
from recoverer.rules import Redrive, Relieve, Rollback, Rule

DAY_S = 86_400


@dataclass(frozen=True)
class Limits:
    """The limits of all rules. `per_day` contains the daily limit by kind of rule."""

    per_day: Mapping[str, int]
    cooldown_s: int
    deploy_window_s: int
    max_alarm_age_s: int


@dataclass(frozen=True)
class State:
    """The stored state of a target. `revision` is for optimistic locking."""

    revision: int = 0
    # The times of the actions within the last day, in seconds since the epoch
    acted_at: tuple[int, ...] = ()
    # Relieve: the concurrency before the first raise, before the last raise, and after the last raise. The last raise
    # may have been interrupted.
    baseline: int | None = None
    raised_from: int | None = None
    raised_to: int | None = None
    # Rollback: the versions that were rolled back
    abandoned: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Queue:
    """The facts about a dead-letter queue."""

    messages: int
    is_moving: bool


@dataclass(frozen=True)
class EventSource:
    """The facts about an event source mapping. `concurrency` is None if it has no limit."""

    concurrency: int | None


@dataclass(frozen=True)
class Release:
    """The facts about an alias.

    The version `canary` gets a part of the traffic. `published_at` is the time of publication of the newer version.
    """

    version: int
    canary: int | None
    published_at: float
    versions: tuple[int, ...]
    # It changes with every change of the alias
    revision_id: str = ""

    @property
    def newest(self) -> int:
        """Return the newest version of the alias."""
        return max(self.version, self.canary or 0)


@dataclass(frozen=True)
class Unversioned:
    """The fact that an alias points to $LATEST, so that there is no version to roll back."""


type Facts = Queue | EventSource | Release | Unversioned


@dataclass(frozen=True)
class Action:
    """An action to take.

    Store the state `after` before acting, `if_failed` after a failure, and `when_done`, if any, after a success.
    """

    verb: str
    value: int
    why: str
    after: State
    if_failed: State
    # Act only if the target still has this revision; "" if targets of this kind have no revision
    only_at: str = ""
    when_done: State | None = None


@dataclass(frozen=True)
class Refusal:
    """A decision not to act, with the reason."""

    why: str


type Decision = Action | Refusal


def decide(  # noqa: PLR0913, PLR0917 - all that a decision depends on, and nothing else
    alarm: Alarm, rule: Rule, facts: Facts, state: State, limits: Limits, now: float
) -> Decision:
    """Decide what to do about `alarm` by `rule`. `facts` and `state` describe the rule's target."""
    if now - alarm.seen_at > limits.max_alarm_age_s:
        return Refusal(f"the alarm is {now - alarm.seen_at:.0f} s old")
    if alarm.state == "OK" and isinstance(rule, Relieve) and isinstance(facts, EventSource):
        return _lower(facts, state)
    if alarm.state != "ALARM":
        return Refusal(f"the alarm is in state {alarm.state}")
    decision = _wanted(alarm, rule, facts, state, limits)
    return decision if isinstance(decision, Refusal) else _within_limits(decision, rule, limits, now)


def _wanted(alarm: Alarm, rule: Rule, facts: Facts, state: State, limits: Limits) -> Decision:
    match rule, facts:
        case Redrive(), Queue():
            return _redrive(rule, facts, state)
        case Relieve(), EventSource():
            return _raise(rule, facts, state)
        case Rollback(), Release():
            return _roll_back(alarm, facts, state, limits)
        case Rollback(), Unversioned():
            return Refusal("the alias points to $LATEST, which is not a version; publish one and point the alias to it")
    raise TypeError(f"{type(facts).__name__} are not the facts of a {rule.kind} rule")


def _within_limits(action: Action, rule: Rule, limits: Limits, now: float) -> Decision:
    recent = tuple(moment for moment in action.after.acted_at if moment > now - DAY_S)
    if recent and now - max(recent) < limits.cooldown_s:
        return Refusal(f"it was acted on {now - max(recent):.0f} s ago; the cool-down is {limits.cooldown_s} s")
    if len(recent) >= limits.per_day[rule.kind]:
        return Refusal(f"it was acted on {len(recent)} times within a day, which is the limit")
    acted_at = (*recent, int(now))
    return replace(
        action, after=replace(action.after, acted_at=acted_at), if_failed=replace(action.if_failed, acted_at=acted_at)
    )


def _redrive(rule: Redrive, queue: Queue, state: State) -> Decision:
    if queue.is_moving:
        return Refusal("a redrive is under way")
    if not queue.messages:
        return Refusal("the queue is empty")
    why = f"redrive about {queue.messages} messages at {rule.per_second} a second"
    return Action("redrive", rule.per_second, why, state, state)


def _raise(rule: Relieve, source: EventSource, state: State) -> Decision:
    current = source.concurrency
    if current is None:
        return Refusal("the mapping has no limit that could be raised")
    if current >= rule.ceiling:
        return Refusal(f"concurrency is {current} and the ceiling {rule.ceiling}")
    value = min(current + rule.step, rule.ceiling)
    # If someone else has changed the concurrency since then, the current value is the new baseline.
    baseline = state.baseline if _is_own(current, state) else current
    after = replace(state, baseline=baseline, raised_from=current, raised_to=value)
    # The state after a failure is the same, because a request that timed out may have succeeded.
    return Action("raise", value, f"raise concurrency from {current} to {value}", after, after)


def _is_own(concurrency: int | None, state: State) -> bool:
    return concurrency is not None and concurrency in (state.raised_from, state.raised_to)


def _lower(source: EventSource, state: State) -> Decision:
    """Lower concurrency to the baseline.

    This happens at most once per series of raises, so it needs no separate limit.

    The state keeps the raises until the concurrency is lowered. An interrupted step is repeated, which is safe.
    """
    if state.baseline is None or source.concurrency == state.baseline:
        return Refusal("nothing was raised")
    if not _is_own(source.concurrency, state):
        return Refusal(f"concurrency was set to {source.concurrency} by someone else")
    why = f"lower concurrency from {source.concurrency} back to {state.baseline}"
    return Action(
        "lower",
        state.baseline,
        why,
        state,
        state,
        when_done=replace(state, baseline=None, raised_from=None, raised_to=None),
    )


def _roll_back(alarm: Alarm, release: Release, state: State, limits: Limits) -> Decision:
    suspect, since = release.newest, alarm.changed_at - release.published_at
    if suspect in state.abandoned:
        # The alias points to this version after an interrupted rollback, but also after a new deployment of it.
        return Refusal(
            f"a rollback of version {suspect} was started before, and interrupted or undone since; a person must "
            f"decide what to do"
        )
    if not 0 <= since <= limits.deploy_window_s:
        return Refusal(f"version {suspect} was not published in the {limits.deploy_window_s} s before the alarm")
    candidates = (release.version, release.canary) if release.canary else release.versions
    earlier = [version for version in candidates if version and version < suspect and version not in state.abandoned]
    if not earlier:
        return Refusal(f"there is no version before {suspect} that was not rolled back itself")
    after = replace(state, abandoned=state.abandoned | {suspect})
    why = f"roll back from version {suspect}, published {since:.0f} s before the alarm, to {max(earlier)}"
    return Action("rollback", max(earlier), why, after, state, release.revision_id)
