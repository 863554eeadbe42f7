"""Each change is announced once per channel, in order, whatever fails in between."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.announcer import Announcer
from notifier.channels import Refused
from notifier.malformed import MalformedRecords
from shared.claims import Busy, Claims

# All examples of a test share the table, so each example needs images of its own.
RUNS = itertools.count()


@pytest.fixture
def claims(state: Any, clock: Any) -> Claims:
    return Claims(state, "state", "notice", lease_s=30, keep_days=8, clock=clock)


@pytest.fixture
def announcer(claims: Claims, state: Any, clock: Any) -> Any:
    """Return `announcer(*channels)`, which makes an announcer."""
    return lambda *channels: Announcer(claims, MalformedRecords(state, "state", 8, clock), channels, clock.sleep)


def failure(code: str = "ThrottlingException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Publish")


def test_a_batch_is_announced_in_order_once(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder()
    records = [record({"image_id": str(number)}, None, number) for number in range(3)]
    for _ in range(2):
        assert announcer(topic).process(records, deadline()) is None
    assert [notice_id.split("#")[0] for notice_id in topic.given] == ["0", "1", "2"]


def test_the_first_failure_ends_the_batch_and_names_its_record(
    announcer: Any, recorder: Any, deadline: Any, record: Any
) -> None:
    topic = recorder(failures=[None, failure()])
    records = [record({"image_id": str(number)}, None, number) for number in range(3)]
    assert announcer(topic).process(records, deadline()) == "1"
    assert len(topic.given) == 1


def test_a_retry_continues_with_the_channel_that_failed(
    announcer: Any, clock: Any, recorder: Any, deadline: Any, record: Any
) -> None:
    """The retry does not wait, because the failed attempt released the notice."""
    began = clock.now
    topic, mail = recorder(), recorder(name="ses", failures=[failure()])
    assert announcer(topic, mail).process([record({})], deadline()) == "1"
    assert announcer(topic, mail).process([record({})], deadline()) is None
    assert clock.now == began
    assert (len(topic.given), len(mail.given)) == (1, 1)


@pytest.fixture
def unable_to_note(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return `unable_to_note(*failures)`, which makes the table fail when a delivery is recorded."""
    note, remaining_failures = claims.note, list[Exception]()

    def unreliable(notice_id: str, channel: str) -> None:
        if remaining_failures:
            raise remaining_failures.pop()
        note(notice_id, channel)

    monkeypatch.setattr(claims, "note", unreliable)
    return lambda *failures: remaining_failures.extend(failures)


def test_a_delivery_is_recorded_once_the_table_answers(
    announcer: Any, recorder: Any, deadline: Any, record: Any, unable_to_note: Any
) -> None:
    """Otherwise it would be given again: in a run with faults, three of 2,000 notices were sent twice."""
    unable_to_note(failure(), failure("InternalServerError"), EndpointConnectionError(endpoint_url="x"))
    topic = recorder()
    for _ in range(2):
        assert announcer(topic).process([record({})], deadline()) is None
    assert len(topic.given) == 1


def test_recording_a_delivery_ends_when_time_is_up(
    announcer: Any, recorder: Any, clock: Any, record: Any, unable_to_note: Any
) -> None:
    """The record comes again before Lambda has to end the function."""
    unable_to_note(*[failure()] * 100)
    end = clock.now + 20

    class Passing:
        def allows(self, seconds: float) -> bool:
            return bool(clock.now + seconds <= end)

    assert announcer(recorder()).process([record({})], Passing()) == "1"
    assert clock.now <= end


def test_a_notice_that_a_dead_function_claimed_is_given_later(
    announcer: Any, recorder: Any, deadline: Any, record: Any
) -> None:
    topic = recorder(failures=[KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        announcer(topic).process([record({})], deadline())
    assert announcer(topic).process([record({})], deadline()) is None
    assert len(topic.given) == 1


def test_a_claimed_notice_comes_again_if_there_is_no_time_to_wait(
    announcer: Any, claims: Claims, recorder: Any, deadline: Any, record: Any
) -> None:
    topic = recorder()
    claims.begin(f"{'a' * 32}#v1#01#READY")
    assert announcer(topic).process([record({})], deadline(10)) == "1"
    assert topic.given == []


def test_two_simultaneous_functions_do_not_both_announce(claims: Claims) -> None:
    assert claims.begin("n") == frozenset()
    with pytest.raises(Busy) as busy:
        claims.begin("n")
    assert 0 < busy.value.seconds <= 30
    claims.close("n")
    assert claims.begin("n") is None


def test_a_delivery_is_remembered_longer_than_its_record_can_come_again(claims: Claims, state: Any, clock: Any) -> None:
    """A stream keeps a record for a day, and the failures queue for more days. Then DynamoDB deletes it (TTL)."""
    claims.begin("n")
    item = state.get_item(TableName="state", Key={"pk": {"S": "notice#n"}})["Item"]
    assert int(item["expires_at"]["N"]) == int(clock.now) + 8 * 86_400


def test_a_refused_notice_is_not_retried(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    mail = recorder(name="ses", failures=[Refused("not verified")])
    topic = recorder()
    for _ in range(2):
        assert announcer(topic, mail).process([record({})], deadline()) is None
    assert (len(topic.given), len(mail.given)) == (1, 0)


def test_a_failing_record_does_not_delay_others(
    announcer: Any, claims: Claims, recorder: Any, deadline: Any, record: Any
) -> None:
    """Lambda continues from the number in the answer, or halves a batch that raised.

    A single record that fails goes to the failures queue.
    """

    class Choosy(recorder):  # type: ignore[misc]
        def give(self, notice: Any) -> None:
            if notice.image_id == "5":
                raise failure("AuthorizationError")
            super().give(notice)

    topic, set_aside = Choosy(), []
    batches = [[record({"image_id": str(number)}, None, number) for number in range(5, 105)]]
    while batches:
        batch = batches.pop(0)
        try:
            again = announcer(topic).process(batch, deadline())
        except ClientError:
            half = len(batch) // 2
            batches[:0] = [batch[:half], batch[half:]]
            continue
        if again:
            set_aside += [entry["eventID"] for entry in batch]
    assert set_aside == ["event5"]
    assert [notice_id.split("#")[0] for notice_id in topic.given] == [str(number) for number in range(6, 105)]


def test_a_temporary_failure_does_not_split_the_batch(
    announcer: Any, claims: Claims, recorder: Any, deadline: Any, record: Any
) -> None:
    batch = [record({}), record({"image_id": "later"}, None, 2)]
    claims.begin(f"{'a' * 32}#v1#01#READY")
    assert announcer(recorder()).process(batch, deadline(10)) == "1"
    assert announcer(recorder()).process(batch, deadline(1)) == "1"


def test_malformed_records_are_recorded_and_skipped(
    announcer: Any, recorder: Any, deadline: Any, record: Any, state: Any
) -> None:
    topic = recorder()
    bad = {
        "eventID": "bad",
        "eventName": "INSERT",
        "dynamodb": {"SequenceNumber": "1", "NewImage": {"status": {"S": "READY"}}},
    }
    assert announcer(topic).process([bad, record({}, None, 2)], deadline()) is None
    assert len(topic.given) == 1
    item = state.get_item(TableName="state", Key={"pk": {"S": "notice#malformed#bad"}})["Item"]
    assert item["problem"]["S"] == "KeyError: 'image_id'"
    assert "expires_at" in item


def test_no_notice_is_started_when_time_is_up(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder()
    assert announcer(topic).process([record({})], deadline(1)) == "1"
    assert topic.given == []


def test_channels_get_only_their_statuses(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    mail = recorder(name="ses", statuses=frozenset({"REJECTED"}))
    announcer(mail).process([record({}), record({"status": "REJECTED"}, {}, 2)], deadline())
    assert [notice_id.rsplit("#", 1)[-1] for notice_id in mail.given] == ["REJECTED"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(
        st.lists(st.sampled_from([None, failure(), failure("InternalError"), KeyboardInterrupt()]), max_size=12),
        st.booleans(),
    ),
)
def test_every_change_is_announced_once_whatever_fails(
    announcer: Any, recorder: Any, deadline: Any, record: Any, faults: Any
) -> None:
    run, (failures, dies) = next(RUNS), faults
    topic = recorder(failures=failures, dies_after_giving=dies)
    batch = [record({"image_id": f"{run}-{number}"}, None, number) for number in range(3)]
    remaining = batch
    for _ in range(30):
        try:
            failed_position = announcer(topic).process(remaining, deadline())
        except (KeyboardInterrupt, ClientError):
            continue
        if failed_position is None:
            break
        remaining = batch[int(failed_position) :]
    ids = [notice_id.split("#")[0] for notice_id in topic.given]
    assert list(dict.fromkeys(ids)) == [f"{run}-{number}" for number in range(3)]
    assert len(ids) <= 3 + dies
