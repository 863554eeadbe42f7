"""Any history, delivered in any order, twice, interrupted: S3 in moto tells what is right."""

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
    """Do these things to an object; the events that S3 sends."""
    events: list[ObjectEvent] = []
    for action in actions:
        if action == "put":
            events.append(aws.put([FIRST, SECOND, b"broken", THIRD][aws.ticks % 4], key))
        elif action == "delete":
            events.append(aws.delete(key))
        else:
            versions = aws.s3.list_object_versions(Bucket=UPLOADS, Prefix=key)
            existing = [found["VersionId"] for found in versions.get("Versions", []) + versions.get("DeleteMarkers", [])]
            if existing:
                events.append(aws.remove(random.Random(aws.ticks).choice(sorted(existing)), key))
    return events


ACTIONS = st.lists(st.sampled_from(["put", "put", "delete", "remove"]), min_size=1, max_size=6)


SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@given(actions=ACTIONS, seed=st.integers(0, 2**32), constant=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
def test_any_order_with_duplicates_ends_in_the_last_state(aws: Cloud, actions: list[str], seed: int, constant: bool) -> None:
    """Whatever is delivered when and how often: what S3 holds in the end is what the catalog holds."""
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
def test_events_that_arrive_while_things_happen(aws: Cloud, actions: list[str], seed: int) -> None:
    """Deliveries mixed with the history itself and with each other, some interrupted and delivered again."""
    chance, waiting, key = random.Random(seed), list[ObjectEvent](), f"{next(KEYS)}.jpg"
    last: ObjectEvent | None = None

    def another() -> None:
        """Somewhere else another event is handled from start to end."""
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
