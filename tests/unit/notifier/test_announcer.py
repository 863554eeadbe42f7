"""Each change once per channel, in order, whatever fails in between."""

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

# The table lives through all examples of a test, so that each needs images of its own.
RUNS = itertools.count()


@pytest.fixture
def claims(state: Any, clock: Any) -> Claims:
    return Claims(state, "state", "notice", lease_s=30, keep_days=8, clock=clock)


@pytest.fixture
def announcer(claims: Claims, state: Any, clock: Any) -> Any:
    """`announcer(*channels)`."""
    return lambda *channels: Announcer(claims, MalformedRecords(state, "state", 8, clock), channels, clock.sleep)


def failure(code: str = "ThrottlingException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Publish")


def test_a_batch_is_announced_in_order_once(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder()
    records = [record({"image_id": str(number)}, None, number) for number in range(3)]
    for _ in range(2):
        assert announcer(topic).process(records, deadline()) is None
    assert [notice_id.split("#")[0] for notice_id in topic.given] == ["0", "1", "2"]


def test_the_first_failure_ends_the_batch_and_names_its_record(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder(failures=[None, failure()])
    records = [record({"image_id": str(number)}, None, number) for number in range(3)]
    assert announcer(topic).process(records, deadline()) == "1"
    assert len(topic.given) == 1


def test_a_retry_goes_on_with_the_channel_that_failed(announcer: Any, clock: Any, recorder: Any, deadline: Any, record: Any) -> None:
    """At once: whoever failed has left the notice to it."""
    began = clock.now
    topic, mail = recorder(), recorder(name="ses", failures=[failure()])
    assert announcer(topic, mail).process([record({})], deadline()) == "1"
    assert announcer(topic, mail).process([record({})], deadline()) is None
    assert clock.now == began
    assert (len(topic.given), len(mail.given)) == (1, 1)


@pytest.fixture
def unable_to_note(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`unable_to_note(*failures)`: the table fails when told what was given."""
    note, left = claims.note, list[Exception]()

    def unreliable(notice_id: str, channel: str) -> None:
        if left:
            raise left.pop()
        note(notice_id, channel)

    monkeypatch.setattr(claims, "note", unreliable)
    return lambda *failures: left.extend(failures)


def test_what_was_given_is_noted_once_the_table_answers(
    announcer: Any, recorder: Any, deadline: Any, record: Any, unable_to_note: Any
) -> None:
    """Otherwise it would be given again: a fault run told three of 2,000 twice."""
    unable_to_note(failure(), failure("InternalServerError"), EndpointConnectionError(endpoint_url="x"))
    topic = recorder()
    for _ in range(2):
        assert announcer(topic).process([record({})], deadline()) is None
    assert len(topic.given) == 1


def test_noting_ends_with_the_time(announcer: Any, recorder: Any, clock: Any, record: Any, unable_to_note: Any) -> None:
    """The record comes again, before Lambda has to end the function."""
    unable_to_note(*[failure()] * 100)
    end = clock.now + 20

    class Passing:
        def allows(self, seconds: float) -> bool:
            return bool(clock.now + seconds <= end)

    assert announcer(recorder()).process([record({})], Passing()) == "1"
    assert clock.now <= end


def test_a_notice_that_a_dead_function_began_is_waited_for_and_given(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder(failures=[KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        announcer(topic).process([record({})], deadline())
    assert announcer(topic).process([record({})], deadline()) is None
    assert len(topic.given) == 1


def test_without_time_to_wait_a_begun_notice_comes_again(announcer: Any, claims: Claims, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder()
    claims.begin(f"{'a' * 32}#v1#01#READY")
    assert announcer(topic).process([record({})], deadline(10)) == "1"
    assert topic.given == []


def test_two_at_once_do_not_both_announce(claims: Claims) -> None:
    assert claims.begin("n") == frozenset()
    with pytest.raises(Busy) as busy:
        claims.begin("n")
    assert 0 < busy.value.seconds <= 30
    claims.close("n")
    assert claims.begin("n") is None


def test_what_was_given_is_remembered_longer_than_a_record_can_come_again(claims: Claims, state: Any, clock: Any) -> None:
    """A stream keeps it for a day, the failures queue for days more; then DynamoDB forgets it (TTL)."""
    claims.begin("n")
    item = state.get_item(TableName="state", Key={"pk": {"S": "notice#n"}})["Item"]
    assert int(item["expires_at"]["N"]) == int(clock.now) + 8 * 86_400


def test_what_is_refused_is_not_repeated(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    mail = recorder(name="ses", failures=[Refused("not verified")])
    topic = recorder()
    for _ in range(2):
        assert announcer(topic, mail).process([record({})], deadline()) is None
    assert (len(topic.given), len(mail.given)) == (1, 0)


def test_what_is_wrong_with_one_record_holds_up_no_other(announcer: Any, claims: Claims, recorder: Any, deadline: Any, record: Any) -> None:
    """As Lambda goes on: from the number that it is told, or with the halves of a batch that raised; what is alone is set aside."""

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


def test_what_passes_with_time_splits_no_batch(announcer: Any, claims: Claims, recorder: Any, deadline: Any, record: Any) -> None:
    batch = [record({}), record({"image_id": "later"}, None, 2)]
    claims.begin(f"{'a' * 32}#v1#01#READY")
    assert announcer(recorder()).process(batch, deadline(10)) == "1"
    assert announcer(recorder()).process(batch, deadline(1)) == "1"


def test_malformed_records_are_recorded_and_skipped(announcer: Any, recorder: Any, deadline: Any, record: Any, state: Any) -> None:
    topic = recorder()
    bad = {"eventID": "bad", "eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": {"status": {"S": "READY"}}}}
    assert announcer(topic).process([bad, record({}, None, 2)], deadline()) is None
    assert len(topic.given) == 1
    item = state.get_item(TableName="state", Key={"pk": {"S": "notice#malformed#bad"}})["Item"]
    assert item["problem"]["S"] == "KeyError: 'image_id'"
    assert "expires_at" in item


def test_nothing_is_begun_when_time_is_up(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    topic = recorder()
    assert announcer(topic).process([record({})], deadline(1)) == "1"
    assert topic.given == []


def test_channels_get_only_their_statuses(announcer: Any, recorder: Any, deadline: Any, record: Any) -> None:
    mail = recorder(name="ses", statuses=frozenset({"REJECTED"}))
    announcer(mail).process([record({}), record({"status": "REJECTED"}, {}, 2)], deadline())
    assert [notice_id.rsplit("#", 1)[-1] for notice_id in mail.given] == ["REJECTED"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(st.lists(st.sampled_from([None, failure(), failure("InternalError"), KeyboardInterrupt()]), max_size=12), st.booleans()),
)
def test_whatever_fails_every_change_is_announced_once(announcer: Any, recorder: Any, deadline: Any, record: Any, faults: Any) -> None:
    run, (failures, dies) = next(RUNS), faults
    topic = recorder(failures=failures, dies_after_giving=dies)
    batch = [record({"image_id": f"{run}-{number}"}, None, number) for number in range(3)]
    left = batch
    for _ in range(30):
        try:
            again = announcer(topic).process(left, deadline())
        except (KeyboardInterrupt, ClientError):
            continue
        if again is None:
            break
        left = batch[int(again) :]
    ids = [notice_id.split("#")[0] for notice_id in topic.given]
    assert list(dict.fromkeys(ids)) == [f"{run}-{number}" for number in range(3)]
    assert len(ids) <= 3 + dies
