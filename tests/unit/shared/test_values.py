"""Texts, times, DynamoDB's values and S3's sequencers are converted and compared correctly."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from shared import sns
from shared.dynamodb import is_conditional_failure, plain
from shared.sequencers import compare, padded
from shared.text import printable, utc_text

FUNCTIONS = Path(__file__).parents[3] / "functions"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=3))
def test_a_serialized_item_is_read_back_unchanged(item: dict[str, Any]) -> None:
    assert plain({name: TypeSerializer().serialize(value) for name, value in item.items()}) == item


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"N": "3.0"}, 3),
        ({"N": "1E+2"}, 100),
        ({"N": "-0.5"}, -0.5),
        ({"SS": ["a", "b"]}, {"a", "b"}),
        ({"NS": ["1", "2.5"]}, {1, 2.5}),
        ({"M": {"a": {"L": [{"NULL": True}]}}}, {"a": [None]}),
    ],
)
def test_a_dynamodb_value_becomes_a_python_value(typed: dict[str, Any], value: Any) -> None:
    converted = plain({"a": typed})["a"]
    assert (converted, type(converted)) == (value, type(value))


def test_only_a_failed_condition_is_a_conditional_failure() -> None:
    codes = {"ConditionalCheckFailedException": True, "ThrottlingException": False}
    assert {code: is_conditional_failure(ClientError({"Error": {"Code": code}}, "PutItem")) for code in codes} == codes


@given(st.text())
def test_the_subject_of_a_mail_is_short_printable_ascii(text: str) -> None:
    subject = sns.subject(text)
    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) == min(len(text), 99)


def test_control_characters_are_replaced_in_printable_text() -> None:
    assert printable("a\r\nb\u202ec d é") == "a??b?c d é"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 23, 9, 30, 0, 1999, UTC),
        datetime(2026, 11, 23, 9, 30, 0, 1999),
        datetime(2026, 11, 23, 11, 30, 0, 1999, timezone(timedelta(hours=2))),
    ],
)
def test_a_time_is_written_in_utc_with_milliseconds(moment: datetime) -> None:
    assert utc_text(moment) == "2026-11-23T09:30:00.001Z"


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        ("0A", "09", 1),
        ("0A", "0A1", -1),
        ("0a", "0A0", 0),
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", 1),
        ("", "01", None),
        ("01", None, None),
    ],
)
def test_sequencers_are_compared_as_texts_padded_with_zeros(first: str, second: str | None, order: int | None) -> None:
    assert compare(first, second) == order


def test_a_missing_sequencer_is_smaller_than_any_other() -> None:
    assert padded(None) == "0" * 32 < padded("01")


def test_pure_modules_do_not_import_boto3() -> None:
    """Imports of modules slow down cold starts."""
    modules = "shared.deadline, shared.identity, shared.sequencers, shared.settings, shared.sns, shared.text"
    command = [sys.executable, "-c", f"import sys, {modules}; print('botocore' in sys.modules)"]
    environment = {"PYTHONPATH": str(FUNCTIONS)}
    process = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert process.stdout == "False\n"
