"""The catalog matches S3 after any history, delivered in any order, twice or interrupted."""

import dataclasses
import itertools
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.thumbnailer.cloud import STEPS, UPLOADS, Calls, Cloud, Crash, crash
from tests.unit.thumbnailer.pictures import FIRST, SECOND, THIRD
from thumbnailer.events import ObjectEvent

KEYS = itertools.count()


def history(aws: Cloud, key: str, actions: list[str]) -> list[ObjectEvent]:
    """Apply these actions to an object and return the events that S3 sends."""
    events: list[ObjectEvent] = []
    for action in actions:
        if action == "put":
            events.append(aws.put([FIRST, SECOND, b"broken", THIRD][aws.ticks % 4], key))
        elif action == "delete":
            events.append(aws.delete(key))
        else:
            versions = aws.s3.list_object_versions(Bucket=UPLOADS, Prefix=key)
            existing = [
                entry["VersionId"] for entry in versions.get("Versions", []) + versions.get("DeleteMarkers", [])
            ]
            if existing:
                events.append(aws.remove(random.Random(aws.ticks).choice(sorted(existing)), key))
    return events


ACTIONS = st.lists(st.sampled_from(["put", "put", "delete", "remove"]), min_size=1, max_size=6)


SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@given(actions=ACTIONS, seed=st.integers(0, 2**32), constant=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
def test_the_catalog_matches_s3_after_events_in_any_order(
    aws: Cloud, actions: list[str], seed: int, constant: bool
) -> None:
    """The catalog holds what S3 holds in the end, in whatever order and however often events are delivered."""
    aws.constant_sequencers = constant
    events = history(aws, f"{next(KEYS)}.jpg", actions)
    chance = random.Random(seed)
    deliveries = events + chance.choices(events, k=chance.randrange(4)) if events else []
    chance.shuffle(deliveries)
    for event in deliveries:
        aws.handle(event)
    if events:
        aws.check(events[-1])


@given(actions=ACTIONS, seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_the_catalog_matches_s3_after_simultaneous_and_interrupted_events(
    aws: Cloud, actions: list[str], seed: int
) -> None:
    """Deliveries are mixed with the history and with each other, and some are interrupted and repeated."""
    chance, waiting, key = random.Random(seed), list[ObjectEvent](), f"{next(KEYS)}.jpg"
    last: ObjectEvent | None = None

    def another() -> None:
        """Handle another event from start to end, as another execution environment would."""
        if waiting:
            aws.handle(waiting.pop(chance.randrange(len(waiting))))

    for step in [*actions, *["nothing"] * 12]:
        for event in history(aws, key, [step]) if step != "nothing" else []:
            waiting += [event] * chance.choice([1, 1, 2])
            last = event
        if waiting and (chance.random() < 0.6 or step == "nothing"):
            event = waiting.pop(chance.randrange(len(waiting)))
            s3, dynamodb = Calls(aws.s3), Calls(aws.dynamodb)
            if chance.random() < 0.7:
                client, call = chance.choice(STEPS)
                (s3 if client == "s3" else dynamodb).before[call] = chance.choice([crash, another])
            try:
                dataclasses.replace(aws, s3=s3, dynamodb=dynamodb).handle(event)
            except Crash:
                waiting.append(event)
    while waiting:
        aws.handle(waiting.pop())
    if last:
        aws.check(last)
