"""The table that Athena queries has every column of the dataset, even if files arrive at the same time."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from converter.glue import Tables, table_of
from shared.clients import client

from .conftest import handle, upload

ASKED = {"DatabaseName": "eventloom", "Name": "orders"}
FIRST = table_of("orders", {"id": "BIGINT", "day": "DATE"}, "analytics")
MORE = table_of("orders", {"id": "BIGINT", "day": "DATE", "name": "VARCHAR"}, "analytics")


def creation(table: dict[str, Any]) -> dict[str, Any]:
    return {"DatabaseName": "eventloom", "TableInput": table}


def update(table: dict[str, Any], version: str) -> dict[str, Any]:
    return {**creation(table), "VersionId": version}


@pytest.fixture
def glue(cloud: None) -> Iterator[Stubber]:
    with Stubber(client("glue")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def tables() -> Tables:
    return Tables(client("glue"), "eventloom")


def test_the_table_is_created_and_extended(glue: Stubber) -> None:
    assert FIRST["StorageDescriptor"]["Columns"] == [{"Name": "id", "Type": "bigint"}, {"Name": "day", "Type": "date"}]
    assert FIRST["Parameters"]["storage.location.template"] == "s3://analytics/orders/dt=${dt}"
    glue.add_client_error("get_table", "EntityNotFoundException", expected_params=ASKED)
    glue.add_response("create_table", {}, creation(FIRST))
    handle(upload("raw/orders/a.csv", "id,day\n1,2026-11-23\n"), tables=tables())
    glue.add_response("get_table", {"Table": {**FIRST, "VersionId": "0"}}, ASKED)
    glue.add_response("update_table", {}, update(MORE, "0"))
    handle(upload("raw/orders/b.csv", "id,name\n1,x\n"), tables=tables())
    glue.add_response("get_table", {"Table": {**MORE, "VersionId": "1"}}, ASKED)
    handle(upload("raw/orders/c.csv", "id\n1\n"), tables=tables())


def test_a_table_that_another_file_just_created_gets_the_missing_columns(glue: Stubber) -> None:
    glue.add_client_error("get_table", "EntityNotFoundException", expected_params=ASKED)
    glue.add_client_error("create_table", "AlreadyExistsException", expected_params=creation(MORE))
    glue.add_response("get_table", {"Table": {**FIRST, "VersionId": "0"}}, ASKED)
    glue.add_response("update_table", {}, update(MORE, "0"))
    tables().register(MORE)


def test_columns_that_another_file_added_at_the_same_time_stay(glue: Stubber) -> None:
    glue.add_response(
        "get_table", {"Table": {**table_of("orders", {"id": "BIGINT"}, "analytics"), "VersionId": "0"}}, ASKED
    )
    glue.add_client_error("update_table", "ConcurrentModificationException", expected_params=update(FIRST, "0"))
    glue.add_response("get_table", {"Table": {**MORE, "VersionId": "1"}}, ASKED)
    tables().register(FIRST)


@pytest.mark.parametrize(("code", "attempts"), [("AccessDeniedException", 1), ("ConcurrentModificationException", 5)])
def test_an_error_of_glue_is_raised_so_that_the_event_is_retried(glue: Stubber, code: str, attempts: int) -> None:
    for _ in range(attempts):
        glue.add_response("get_table", {"Table": {**FIRST, "VersionId": "0"}}, ASKED)
        glue.add_client_error("update_table", code)
    with pytest.raises(ClientError, match=code):
        tables().register(MORE)
