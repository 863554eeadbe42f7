"""Test how answers of custom resources are read, without LocalStack."""

import json
from typing import Any

import pytest

from embedded_localstack.custom_resources import (
    TYPES,
    Answer,
    CustomResourceError,
    Mailbox,
    read_answer,
    texts,
    timeout_s,
)

SUCCESS = {"Status": "SUCCESS", "PhysicalResourceId": "p"}


def read(answer: Any, physical_id: str = "") -> Answer:
    return read_answer(json.dumps(answer).encode(), "r-1", "Thing", physical_id)


def test_an_answer_has_an_id_and_data_as_texts():
    assert read(SUCCESS | {"Data": {"A": 1, "B": [True, "x"]}}) == Answer("p", {"A": "1", "B": ["true", "x"]})
    assert read({"Status": "SUCCESS"}, physical_id="old") == Answer("old", {})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"Status": "FAILED", "Reason": "full"}, r"Message returned: full \(RequestId: r-1\)"),
        ({"Status": "FAILED"}, "Message returned: no reason was given"),
        ({"Status": "OK"}, "Status is 'OK', neither SUCCESS nor FAILED"),
        ({"Status": "SUCCESS"}, "the response for Thing has none"),
        (SUCCESS | {"PhysicalResourceId": 5}, "the response for Thing has none"),
        (SUCCESS | {"Data": "text"}, "Data is not a JSON object"),
        (["SUCCESS"], "is not a JSON object"),
        (SUCCESS | {"Data": {"A": "x" * 5000}}, r"Response object is too long: \d+ bytes, of at most 4096"),
    ],
)
def test_an_answer_that_is_not_a_success_gives_the_reason(answer: Any, reason: str):
    with pytest.raises(CustomResourceError, match=reason):
        read(answer)


def test_a_body_that_is_not_json_is_refused():
    with pytest.raises(CustomResourceError, match="is not a JSON object"):
        read_answer(b"<html>", "r-1", "Thing", "")


def test_an_address_takes_one_answer():
    mailbox = Mailbox()
    expected = mailbox.expect()
    assert not mailbox.deliver("another", b"x")
    assert mailbox.deliver(expected.token, b"first")
    assert not mailbox.deliver(expected.token, b"second")
    expected.fail("too late")
    assert expected.wait(0) == b"first"


def test_an_address_without_an_answer_gives_the_reason():
    mailbox = Mailbox()
    silent, failed = mailbox.expect(), mailbox.expect()
    with pytest.raises(CustomResourceError, match="did not receive a response from your Custom Resource within 0 s"):
        silent.wait(0)
    assert not mailbox.deliver(silent.token, b"late")
    failed.fail("the function is broken")
    with pytest.raises(CustomResourceError, match="the function is broken"):
        failed.wait(60)


def test_properties_are_texts_at_every_depth():
    assert texts({"a": [1, {"b": False}], "c": 1.5, "d": None}) == {"a": ["1", {"b": "false"}], "c": "1.5", "d": None}


@pytest.mark.parametrize("text", ["0", "3601", "-1", "1.5", "soon"])
def test_a_timeout_that_is_out_of_range_is_refused(text: str):
    assert timeout_s({}) == 3600
    assert timeout_s({"ServiceTimeout": "30"}) == 30
    with pytest.raises(CustomResourceError, match=f"ServiceTimeout is {text}; set it to a number of seconds"):
        timeout_s({"ServiceTimeout": text})


def test_both_forms_of_the_type_are_custom_resources():
    assert all(TYPES.fullmatch(name) for name in ("Custom::S3AutoDeleteObjects", "AWS::CloudFormation::CustomResource"))
    assert not TYPES.fullmatch("AWS::SQS::Queue")
