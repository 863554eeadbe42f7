"""The limits hold for every sequence of alarms, and the simple cases are decided as a person would."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoverer.alarms import Alarm
from recoverer.decisions import DAY_S, Action, EventSource, Limits, Queue, Refusal, Release, State, Unversioned, decide
from recoverer.rules import Redrive, Relieve, Rollback

NOW = 1_795_426_200.0
REDRIVE = Redrive("arn:aws:sqs:us-east-1:123456789012:dlq")
RELIEVE = Relieve("mapping", ceiling=50, step=10)
ROLLBACK = Rollback("function")
WAITS = st.lists(
    st.one_of(st.integers(0, 120), st.integers(600, 7200), st.integers(20_000, 90_000)), min_size=1, max_size=60
)


def reason(decision: Any) -> str:
    return str(decision.why)


@pytest.mark.parametrize(
    ("queue", "text"),
    [(Queue(0, False), "empty"), (Queue(5, True), "under way"), (Queue(5, False), "redrive about 5 messages")],
)
def test_a_queue_is_redriven_unless_it_is_empty_or_in_redrive(
    alarm: Any, limits: Limits, queue: Queue, text: str
) -> None:
    assert text in reason(decide(alarm(), REDRIVE, queue, State(), limits, NOW))


@pytest.mark.parametrize(("concurrency", "value"), [(10, 20), (45, 50), (50, None), (60, None), (None, None)])
def test_concurrency_is_raised_in_steps_to_the_ceiling(
    alarm: Any, limits: Limits, concurrency: int | None, value: int | None
) -> None:
    decision = decide(alarm(), RELIEVE, EventSource(concurrency), State(), limits, NOW)
    assert getattr(decision, "value", None) == value


def test_concurrency_is_lowered_to_its_first_value(alarm: Any, limits: Limits) -> None:
    raised = decide(alarm(), RELIEVE, EventSource(10), State(), limits, NOW)
    again = decide(alarm(at=NOW + 1000), RELIEVE, EventSource(20), raised.after, limits, NOW + 1000)  # type: ignore[union-attr]
    lowered = decide(alarm(state="OK", at=NOW + 1001), RELIEVE, EventSource(30), again.after, limits, NOW + 1001)  # type: ignore[union-attr]
    assert isinstance(lowered, Action)
    assert (lowered.verb, lowered.value, lowered.when_done) == (
        "lower",
        10,
        replace(again.after, baseline=None, raised_from=None, raised_to=None),
    )  # type: ignore[union-attr]


def test_concurrency_that_someone_else_set_is_not_changed(alarm: Any, limits: Limits) -> None:
    state = State(baseline=10, raised_to=20)
    assert "someone else" in reason(decide(alarm(state="OK"), RELIEVE, EventSource(35), state, limits, NOW))
    raised = decide(alarm(), RELIEVE, EventSource(35), state, limits, NOW)
    assert isinstance(raised, Action)
    assert raised.after.baseline == 35


def test_concurrency_that_was_not_raised_is_not_lowered(alarm: Any, limits: Limits) -> None:
    for concurrency in (None, 10):
        assert (
            reason(decide(alarm(state="OK"), RELIEVE, EventSource(concurrency), State(), limits, NOW))
            == "nothing was raised"
        )


@pytest.mark.parametrize(
    ("release", "state", "text"),
    [
        (Release(5, None, NOW - 600, (3, 4, 5)), State(), "to 4"),
        (Release(5, None, NOW - 600, (3, 4, 5)), State(abandoned=frozenset({4})), "to 3"),
        (Release(4, 5, NOW - 600, (3, 4, 5)), State(), "to 4"),
        (Release(5, 4, NOW - 600, (3, 4, 5)), State(), "to 4"),
        (Release(4, 5, NOW - 600, (3, 4, 5)), State(abandoned=frozenset({4})), "no version before 5"),
        (Release(5, None, NOW - 600, (5,)), State(), "no version before 5"),
        (
            Release(5, None, NOW - 600, (4, 5)),
            State(abandoned=frozenset({5})),
            "started before, and interrupted or undone since",
        ),
        (Release(5, None, NOW - 1801, (4, 5)), State(), "was not published"),
        (Release(5, None, NOW + 5, (4, 5)), State(), "was not published"),
    ],
)
def test_a_release_is_rolled_back_only_within_the_limits(
    alarm: Any, limits: Limits, release: Release, state: State, text: str
) -> None:
    decision = decide(alarm(), ROLLBACK, release, state, limits, NOW)
    assert text in reason(decision)
    if isinstance(decision, Action):
        assert text == f"to {decision.value}"


def test_an_alias_without_a_version_is_not_rolled_back(alarm: Any, limits: Limits) -> None:
    assert "$LATEST" in reason(decide(alarm(), ROLLBACK, Unversioned(), State(), limits, NOW))


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_only_an_alarm_is_a_reason_to_act(alarm: Any, limits: Limits, state: str) -> None:
    for rule, facts in (
        (REDRIVE, Queue(5, False)),
        (ROLLBACK, Release(5, None, NOW - 60, (4, 5))),
        (RELIEVE, EventSource(10)),
    ):
        assert isinstance(decide(alarm(state=state), rule, facts, State(), limits, NOW), Refusal)


def test_an_old_alarm_starts_no_recovery(alarm: Any, limits: Limits) -> None:
    assert "901 s old" in reason(decide(alarm(at=NOW - 901), REDRIVE, Queue(5, False), State(), limits, NOW))


def test_a_failed_rollback_may_be_repeated_but_counts(alarm: Any, limits: Limits) -> None:
    decision = decide(alarm(), ROLLBACK, Release(5, None, NOW - 60, (4, 5)), State(), limits, NOW)
    assert isinstance(decision, Action)
    assert decision.after.abandoned == {5}
    assert decision.if_failed == State(acted_at=(int(NOW),))


def within_any_day(moments: list[float]) -> int:
    return max((sum(1 for other in moments if moment <= other < moment + DAY_S) for moment in moments), default=0)


@given(WAITS, st.integers(0, 5), st.integers(60, 4000), st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_redrives_never_exceed_the_cap_nor_the_cooldown(
    waits: list[int], per_day: int, cooldown: int, messages: list[int]
) -> None:
    limits = Limits({"redrive": per_day}, cooldown, 1800, 900)
    state, now, acted = State(), NOW, []
    for wait, waiting in zip(waits, messages, strict=False):
        now += wait
        decision = decide(Alarm("a", "ALARM", "", now, now), REDRIVE, Queue(waiting, False), state, limits, now)
        if isinstance(decision, Action):
            acted.append(now)
            state = decision.after
    assert within_any_day(acted) <= per_day
    assert all(later - earlier >= cooldown for earlier, later in itertools.pairwise(acted))


HAPPENINGS = st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA", "someone else"])
# What may happen to an action after it is recorded
FATES = st.sampled_from(["done", "refused", "timed out, and done", "cut off before", "cut off after"])


@given(WAITS, st.lists(st.tuples(HAPPENINGS, FATES), min_size=60, max_size=60))
def test_concurrency_stays_within_bounds_and_comes_back(waits: list[int], happenings: list[tuple[str, str]]) -> None:
    limits = Limits({"relieve": 4}, 900, 1800, 900)
    state, now, concurrency, own = State(), NOW, 10, 10
    raises, lowers = [], 0
    for wait, (happening, fate) in zip([*waits, 60], [*happenings[: len(waits)], ("OK", "done")], strict=True):
        now += wait
        if happening == "someone else":
            concurrency = own = 25
            continue
        decision = decide(Alarm("a", happening, "", now, now), RELIEVE, EventSource(concurrency), state, limits, now)
        if isinstance(decision, Action):
            if fate not in {"refused", "cut off before"}:
                concurrency = decision.value
                assert decision.verb == "raise" or concurrency == own
            state = {
                "done": decision.when_done or decision.after,
                "refused": decision.if_failed,
                "timed out, and done": decision.if_failed,
            }.get(fate, decision.after)
            raises += [now] if decision.verb == "raise" else []
            lowers += decision.verb == "lower" and fate == "done"
        assert 10 <= concurrency <= 50
    assert within_any_day(raises) <= 4
    assert lowers <= len(raises)
    assert concurrency == own


@given(WAITS, st.lists(st.sampled_from(["deploy", "again", "alarm"]), min_size=60, max_size=60), st.integers(1, 5))
def test_rollbacks_never_go_in_circles(waits: list[int], happenings: list[str], per_day: int) -> None:
    limits = Limits({"rollback": per_day}, 900, 1800, 900)
    state, now = State(), NOW
    versions, current, published = [1, 2], 2, {1: NOW - 99_999, 2: NOW - 60}
    rolled_back: list[int] = []
    acted = []
    for wait, happening in zip(waits, happenings, strict=False):
        now += wait
        if happening == "deploy":
            versions.append(versions[-1] + 1)
            published[versions[-1]] = now
        if happening in ("deploy", "again"):
            current = versions[-1]
            continue
        release = Release(current, None, published[current], tuple(versions))
        decision = decide(Alarm("a", "ALARM", "", now, now), ROLLBACK, release, state, limits, now)
        if isinstance(decision, Action):
            assert decision.value < current
            assert decision.value not in rolled_back
            assert current not in rolled_back
            rolled_back.append(current)
            acted.append(now)
            state, current = decision.after, decision.value
    assert within_any_day(acted) <= per_day


def test_actions_of_yesterday_are_forgotten(alarm: Any, limits: Limits) -> None:
    state = State(acted_at=tuple(int(NOW - DAY_S - number) for number in range(5)))
    decision = decide(alarm(), REDRIVE, Queue(1, False), state, limits, NOW)
    assert isinstance(decision, Action)
    assert decision.after == replace(state, acted_at=(int(NOW),))
