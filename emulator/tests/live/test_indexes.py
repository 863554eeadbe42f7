"""Test that IAM uses the partition key of every index of a table, including indexes that were added later."""

import pytest
from localstack.services.dynamodb.models import dynamodb_stores
from localstack.services.dynamodb.utils import SCHEMA_CACHE
from localstack.utils.aws.arns import dynamodb_table_arn

from embedded_localstack.iam.lookup import LocalStackFacts

ACCOUNT, REGION, TABLE = "111111111111", "eu-west-3", "catalog"
ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"


@pytest.fixture
def facts():
    """Return the facts of a table that was created with one index and got another index later."""
    keys = {"by_status": "status", "by_taken": "shelf"}
    indexes = [
        {"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]} for name, key in keys.items()
    ]
    created = {"KeySchema": [{"AttributeName": "image_id", "KeyType": "HASH"}]}
    definitions = dynamodb_stores[ACCOUNT][REGION].table_definitions
    definitions[TABLE] = created | {"GlobalSecondaryIndexes": indexes[:1]}
    SCHEMA_CACHE[dynamodb_table_arn(TABLE, ACCOUNT, REGION)] = {"Table": created | {"GlobalSecondaryIndexes": indexes}}
    yield LocalStackFacts(ACCOUNT, REGION)
    del definitions[TABLE]


@pytest.mark.parametrize(
    ("index", "key"), [(None, "image_id"), ("by_status", "status"), ("by_taken", "shelf"), ("missing", None)]
)
def test_every_index_has_its_partition_key(facts: LocalStackFacts, index: str | None, key: str | None):
    assert facts.hash_key(ARN, index) == key


def test_a_table_that_does_not_exist_has_none(facts: LocalStackFacts):
    assert facts.hash_key(f"{ARN}-missing", "by_taken") is None
