"""Texts, times, DynamoDB's values and S3's sequencers."""

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
def test_items_come_back_as_they_were(item: dict[str, Any]) -> None:
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
def test_values(typed: dict[str, Any], value: Any) -> None:
    converted = plain({"a": typed})["a"]
    assert (converted, type(converted)) == (value, type(value))


def test_only_the_condition_of_a_write_is_a_conditional_failure() -> None:
    codes = {"ConditionalCheckFailedException": True, "ThrottlingException": False}
    assert {code: is_conditional_failure(ClientError({"Error": {"Code": code}}, "PutItem")) for code in codes} == codes


@given(st.text())
def test_subjects_are_short_printable_ascii(text: str) -> None:
    subject = sns.subject(text)
    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) == min(len(text), 99)


def test_printable_texts_stay_on_one_line() -> None:
    assert printable("a\r\nb\u202ec d é") == "a??b?c d é"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 23, 9, 30, 0, 1999, UTC),
        datetime(2026, 11, 23, 9, 30, 0, 1999),
        datetime(2026, 11, 23, 11, 30, 0, 1999, timezone(timedelta(hours=2))),
    ],
)
def test_times_are_utc_with_milliseconds(moment: datetime) -> None:
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
def test_sequencers_compare_as_texts_padded_with_zeros(first: str, second: str | None, order: int | None) -> None:
    assert compare(first, second) == order


def test_no_sequencer_is_the_smallest() -> None:
    assert padded(None) == "0" * 32 < padded("01")


def test_pure_modules_load_nothing_of_boto3() -> None:
    """A cold start pays for what a module imports."""
    modules = "shared.deadline, shared.identity, shared.sequencers, shared.settings, shared.sns, shared.text"
    code = f"import sys, {modules}; print('botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(FUNCTIONS)}, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
