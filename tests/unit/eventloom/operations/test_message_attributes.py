"""Attributes of messages keep their names, types and values through redrive, discard and replay."""

import json
from typing import Any

import pytest

from eventloom.errors import UserError
from eventloom.operations import message_attributes
from tests.unit.eventloom.operations.failing_cloud import FailingCloud

ATTRIBUTES = {
    "event_type": {"DataType": "String", "StringValue": "사진.created"},
    "label": {"DataType": "String.title", "StringValue": "a"},
    "size": {"DataType": "Number", "StringValue": "5"},
    "version": {"DataType": "Number.int", "StringValue": "7"},
    "blob": {"DataType": "Binary", "BinaryValue": b"\x00\x01\xff"},
    "picture": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG"},
}


def test_redrive_keeps_attributes(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "{}", attributes=ATTRIBUTES)
    assert cloud.run("dlq", "redrive", "--all").exit_code == 0
    assert cloud.attributes(cloud.url) == ATTRIBUTES


def test_a_discarded_message_is_replayed_with_its_attributes(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "{}", attributes=ATTRIBUTES)
    assert cloud.run("dlq", "discard", "--all", "--reason", "r", "--yes").exit_code == 0
    path = cloud.target.folder / "discarded-embedded-local.jsonl"
    attributes = json.loads(path.read_text())["attributes"]
    assert attributes["blob"] == {"DataType": "Binary", "BinaryValue": "AAH/"}
    assert attributes["version"] == ATTRIBUTES["version"]
    assert cloud.count(cloud.dlq_url) == 0
    assert cloud.run("replay", "--file", str(path)).exit_code == 0
    assert cloud.attributes(cloud.url) == ATTRIBUTES


def test_inspect_prints_attributes_with_their_types(cloud: FailingCloud) -> None:
    (message_id,) = cloud.send(cloud.dlq_url, "{}", attributes=ATTRIBUTES)
    printed = json.loads(cloud.run("dlq", "inspect", message_id, "--json").stdout)["attributes"]
    assert message_attributes.from_json(printed) == ATTRIBUTES


def test_the_cause_is_read_from_the_attributes_that_aws_adds(cloud: FailingCloud) -> None:
    attributes = {name: {"DataType": "String", "StringValue": name.lower()} for name in ("ERROR_CODE", "ERROR_MESSAGE")}
    cloud.send(cloud.dlq_url, "{}", attributes=attributes)
    assert json.loads(cloud.run("dlq", "list", "--no-logs", "--json").stdout)["cause"] == "error_code: error_message"


def test_a_record_of_an_earlier_version_has_text_for_attributes() -> None:
    assert message_attributes.from_json({"event_type": "created", "blob": ""}) == {
        "event_type": {"DataType": "String", "StringValue": "created"}
    }


@pytest.mark.parametrize(
    "content",
    [
        [],
        "text",
        {"a": 5},
        {"a": None},
        {"a": {}},
        {"a": {"DataType": "String"}},
        {"a": {"DataType": 5, "StringValue": "x"}},
        {"a": {"DataType": "String", "StringValue": 5}},
        {"a": {"DataType": "Binary", "BinaryValue": "no base64"}},
        {"a": {"DataType": "Binary", "StringValue": "x"}},
    ],
)
def test_damaged_attributes_of_a_record_are_an_error(content: Any) -> None:
    with pytest.raises(UserError, match="of a discarded message"):
        message_attributes.from_json(content)
