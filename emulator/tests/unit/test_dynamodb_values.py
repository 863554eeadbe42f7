"""Test which values DynamoDB accepts, and how it stores them."""

from typing import Any

import pytest

from embedded_localstack.dynamodb.decimals import canonical, difference, total
from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.values import item_size, normalize

OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
PRECISION = "Attempting to store more than 38 significant digits in a Number"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("7", "7"),
        ("0001.500", "1.5"),
        ("1.0", "1"),
        ("100", "100"),
        ("1e2", "100"),
        ("15E-1", "1.5"),
        ("+3", "3"),
        (".5", "0.5"),
        ("-0.050", "-0.05"),
        ("1" * 38, "1" * 38),
        ("1" * 38 + "000", "1" * 38 + "000"),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("10.01", "10.01"),
    ],
)
def test_numbers_have_one_form(text: str, expected: str):
    assert canonical(text) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The parameter cannot be converted to a numeric value"),
        ("abc", "The parameter cannot be converted to a numeric value: abc"),
        ("1 ", "The parameter cannot be converted to a numeric value: 1 "),
        ("Infinity", "The parameter cannot be converted to a numeric value: Infinity"),
        ("1_0", "The parameter cannot be converted to a numeric value: 1_0"),
        ("1" * 39, PRECISION),
        ("1e126", OVERFLOW),
        ("1e999999999", OVERFLOW),
        ("-1e-131", UNDERFLOW),
    ],
)
def test_numbers_out_of_range_are_refused(text: str, message: str):
    with pytest.raises(InvalidRequestError) as refused:
        canonical(text)
    assert str(refused.value) == message


def test_arithmetic_is_exact():
    assert total("0.1", "0.2") == "0.3"
    assert difference("0.3", "0.1") == "0.2"
    assert total("9" * 37, "1") == "1" + "0" * 37
    with pytest.raises(InvalidRequestError, match="38 significant digits"):
        total("1e37", "0.1")


INVALID = "One or more parameter values were invalid: "
ONE_TYPE = ", must contain exactly one of the supported datatypes"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, f"Supplied AttributeValue is empty{ONE_TYPE}"),
        ({"S": "a", "N": "1"}, f"Supplied AttributeValue has more than one datatypes set{ONE_TYPE}"),
        ({"SS": []}, f"{INVALID}An string set  may not be empty"),
        ({"NS": []}, f"{INVALID}An number set  may not be empty"),
        ({"BS": []}, f"{INVALID}Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, f"{INVALID}Input collection [a, a] contains duplicates."),
        ({"BS": ["YQ==", "YQ=="]}, f"{INVALID}Input collection [YQ==, YQ==]of type BS contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"NULL": False}, f"{INVALID}Null attribute value types must have the value of true"),
        ({"L": [{"M": {"a": {"N": "x"}}}]}, "The parameter cannot be converted to a numeric value: x"),
    ],
)
def test_invalid_values_are_refused(value: dict[str, Any], message: str):
    with pytest.raises(InvalidRequestError) as refused:
        normalize(value)
    assert str(refused.value) == message


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for level in range(levels):
        value = {"M": {"a": value}} if level % 2 else {"L": [value]}
    return value


def test_documents_have_at_most_32_levels():
    normalize(nested(32))
    with pytest.raises(InvalidRequestError, match="Nesting Levels have exceeded supported limits"):
        normalize(nested(33))


def test_numbers_in_documents_get_their_form():
    value = {"M": {"a": {"L": [{"N": "1.0"}]}, "b": {"NS": ["01", "2"]}}}
    normalize(value)
    assert value == {"M": {"a": {"L": [{"N": "1"}]}, "b": {"NS": ["1", "2"]}}}


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "ü"}}, 3),
        ({"a": {"N": "0"}}, 2),
        ({"a": {"N": "-123"}}, 5),
        ({"a": {"BOOL": True}, "b": {"NULL": True}}, 4),
        ({"a": {"B": "YWI="}}, 3),
        ({"a": {"SS": ["ab", "c"]}}, 4),
        ({"a": {"L": [{"S": "b"}]}}, 6),
        ({"a": {"M": {"b": {"S": "c"}}}}, 7),
    ],
)
def test_items_have_their_size(item: dict[str, Any], size: int):
    assert item_size(item) == size
