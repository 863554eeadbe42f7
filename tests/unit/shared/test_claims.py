"""Only one invocation holds a claim, its notes are kept, and the claim of a killed invocation expires."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from shared.claims import Busy, Claims

NOW = 1_795_426_200.0


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A DynamoDB client with the state table."""
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="state",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
        yield client


@pytest.fixture
def claims(dynamodb: Any) -> Callable[..., Claims]:
    """A function that returns the claims of an invocation that runs `after_s` seconds later."""
    return lambda after_s=0.0: Claims(dynamodb, "state", "test", lease_s=30, keep_days=2, clock=lambda: NOW + after_s)


def item(dynamodb: Any) -> dict[str, Any]:
    claim: dict[str, Any] = dynamodb.get_item(TableName="state", Key={"pk": {"S": "test#a"}})["Item"]
    return claim


def test_a_second_invocation_gets_the_remaining_time_of_the_lease(claims: Any) -> None:
    assert claims().begin("a") == frozenset()
    with pytest.raises(Busy) as busy:
        claims(10).begin("a")
    assert busy.value.seconds == pytest.approx(20)


def test_another_invocation_continues_after_the_lease_expires(claims: Any) -> None:
    claims().begin("a")
    claims().note("a", "mail")
    assert claims(31).begin("a") == {"mail"}


def test_a_released_claim_can_be_continued_at_once(claims: Any) -> None:
    claims().begin("a")
    claims().release("a")
    assert claims().begin("a") == frozenset()


def test_only_the_owner_may_continue_within_the_lease(claims: Any) -> None:
    claims().begin("a", "one")
    claims().note("a", "mail")
    assert claims(1).begin("a", "one") == {"mail"}
    with pytest.raises(Busy):
        claims(2).begin("a", "another")


@pytest.mark.parametrize("owner", ["", "one", "another"])
def test_a_closed_claim_stays_closed(claims: Any, owner: str) -> None:
    claims().begin("a", "one")
    claims().close("a")
    assert claims(1000).begin("a", owner) is None


def test_a_closed_claim_stores_texts(claims: Any, dynamodb: Any) -> None:
    claims().begin("a")
    claims(5).close("a", status="SENT", document="{}")
    claim = item(dynamodb)
    assert (claim["status"], claim["document"]) == ({"S": "SENT"}, {"S": "{}"})
    assert claim["closed_at"] == {"N": str(int(NOW) + 5)}
    assert claim["expires_at"] == {"N": str(int(NOW) + 2 * 86_400)}


@pytest.mark.parametrize("closed", [{"closed": {"BOOL": True}}, {"status": {"S": "SENT"}, "owner": {"S": "one"}}])
def test_a_claim_that_an_earlier_release_closed_stays_closed(
    claims: Any,
    dynamodb: Any,
    closed: dict[str, Any],
) -> None:
    dynamodb.put_item(TableName="state", Item={"pk": {"S": "test#a"}} | closed)
    assert claims().begin("a", "one") is None


def test_other_errors_of_the_table_are_raised(claims: Any, dynamodb: Any) -> None:
    dynamodb.delete_table(TableName="state")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        claims().begin("a")
