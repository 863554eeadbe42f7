"""An action is recorded before it is applied: races, failures and dry runs."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from recoverer.decisions import DAY_S, Limits, State
from recoverer.ledger import Ledger
from recoverer.recovery import Recovery
from recoverer.rules import Redrive, Relieve, Rollback
from shared.clients import client

NOW = 1_795_426_200.0
RULES: dict[str, Any] = {
    "dlq": Redrive("arn:aws:sqs:us-east-1:123456789012:dlq", dimensions={"QueueName": "dlq"}),
    "a": Redrive("arn:aws:sqs:us-east-1:123456789012:dlq"),
    "age": Relieve("mapping", ceiling=50),
    "errors": Rollback("function"),
}


@pytest.fixture
def ledger(aws: None) -> Ledger:
    return Ledger(client("dynamodb"), "state")


@pytest.fixture
def recovery(ledger: Ledger, world: Any, limits: Limits) -> Any:
    """Return `recovery(at=now, dry_run=False)`, which makes a Recovery."""

    return lambda at=NOW, dry_run=False: Recovery(RULES, limits, ledger, world, dry_run, lambda: at)


def test_an_alarm_is_acted_on_and_remembered(recovery: Any, alarm: Any, world: Any, ledger: Ledger) -> None:
    report = recovery().handle(alarm())
    assert (report.outcome, world.done) == ("acted", [("redrive", 10)])
    assert ledger.read(RULES["a"]) == State(revision=1, acted_at=(int(NOW),))
    again = recovery(NOW + 60).handle(alarm(at=NOW + 60))
    assert again.outcome == "refused"
    assert "60 s ago" in again.text


def test_only_one_of_two_simultaneous_invocations_acts(recovery: Any, alarm: Any, world: Any) -> None:
    other = recovery()
    world.before_facts = lambda: other.handle(alarm())
    report = recovery().handle(alarm())
    assert report.outcome == "refused"
    assert world.done == [("redrive", 10)]


def test_an_invocation_that_is_always_overtaken_gives_up(
    recovery: Any, alarm: Any, world: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "write", lambda *_: False)
    report = recovery().handle(alarm())
    assert (report.outcome, world.done) == ("refused", [])
    assert "others keep acting" in report.text


def test_a_write_based_on_an_old_revision_is_lost(ledger: Ledger) -> None:
    assert ledger.write(RULES["a"], State(), NOW)
    assert not ledger.write(RULES["a"], State(), NOW)


def test_the_ledger_stores_the_whole_state(ledger: Ledger) -> None:
    state = State(0, (int(NOW), int(NOW) + 5), 10, 20, 30, frozenset({4, 5}))
    ledger.write(RULES["errors"], state, NOW)
    assert ledger.read(RULES["errors"]) == State(1, state.acted_at, 10, 20, 30, state.abandoned)
    (item,) = client("dynamodb").scan(TableName="state")["Items"]
    assert int(item["expires_at"]["N"]) > NOW + 365 * DAY_S


def test_an_action_that_cannot_be_recorded_is_not_applied(
    recovery: Any, alarm: Any, world: Any, aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = recovery()

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    monkeypatch.setattr(client("dynamodb"), "put_item", refuse)
    monkeypatch.setattr(handler, "_ledger", Ledger(client("dynamodb"), "state"))
    assert handler.handle(alarm()).outcome == "failed"
    assert world.done == []


def test_a_dry_run_changes_nothing(recovery: Any, alarm: Any, world: Any, ledger: Ledger) -> None:
    report = recovery(dry_run=True).handle(alarm("errors"))
    assert report.outcome == "would act"
    assert "to 4" in report.text
    assert world.done == []
    assert ledger.read(RULES["errors"]) == State()


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, "UpdateAlias"), "not allowed"),
        (ReadTimeoutError(endpoint_url="lambda"), "timeout"),
    ],
)
def test_a_failure_is_an_outcome_and_counts(  # noqa: PLR0917
    recovery: Any, alarm: Any, world: Any, ledger: Ledger, failure: Exception, text: str
) -> None:
    world.fails = failure
    report = recovery().handle(alarm("errors"))
    assert report.outcome == "failed"
    assert text in report.text
    assert ledger.read(RULES["errors"]) == State(revision=2, acted_at=(int(NOW),))


def test_an_interrupted_rollback_is_reported_to_a_person(recovery: Any, alarm: Any, world: Any) -> None:
    world.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        recovery().handle(alarm("errors"))
    report = recovery(NOW + 60).handle(alarm("errors"))
    assert (report.outcome, world.done) == ("refused", [])
    assert "interrupted" in report.text


def test_concurrency_is_raised_and_lowered_again(recovery: Any, alarm: Any, world: Any) -> None:
    recovery().handle(alarm("age"))
    recovery(NOW + 1000).handle(alarm("age", at=NOW + 1000))
    recovery(NOW + 1100).handle(alarm("age", "OK", NOW + 1100))
    recovery(NOW + 1200).handle(alarm("age", "OK", NOW + 1200))
    assert world.done == [("raise", 20), ("raise", 30), ("lower", 10)]


def test_concurrency_is_lowered_to_the_value_before_a_failed_raise(recovery: Any, alarm: Any, world: Any) -> None:
    recovery().handle(alarm("age"))
    world.fails = ClientError(
        {"Error": {"Code": "ResourceInUseException", "Message": "updating"}}, "UpdateEventSourceMapping"
    )
    assert recovery(NOW + 1000).handle(alarm("age", at=NOW + 1000)).outcome == "failed"
    recovery(NOW + 1100).handle(alarm("age", "OK", NOW + 1100))
    assert world.done == [("raise", 20), ("lower", 10)]


@pytest.mark.parametrize("cut_off", ["raise", "lower"])
def test_an_interrupted_step_does_not_leave_concurrency_raised(
    recovery: Any, alarm: Any, world: Any, cut_off: str
) -> None:
    recovery().handle(alarm("age"))
    if cut_off == "lower":
        recovery(NOW + 1000).handle(alarm("age", at=NOW + 1000))
    world.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        recovery(NOW + 2000).handle(alarm("age", "OK" if cut_off == "lower" else "ALARM", NOW + 2000))
    world.fails = None
    recovery(NOW + 2100).handle(alarm("age", "OK", NOW + 2100))
    recovery(NOW + 2200).handle(alarm("age", "OK", NOW + 2200))
    assert world.done[-1] == ("lower", 10)
    assert [verb for verb, _ in world.done].count("lower") == 1


def test_an_alarm_without_a_rule_or_with_other_dimensions_is_ignored(recovery: Any, alarm: Any, world: Any) -> None:
    assert recovery().handle(alarm("unknown")).outcome == "no rule"
    assert recovery().handle(alarm("dlq")).outcome == "no rule"
    assert world.done == []
