"""Test how the expressions of state machines are evaluated."""

import re
from typing import Any

import pytest

from embedded_localstack.patches.stepfunctions_jsonata import EvaluationError, declarations, evaluate

STATES = {"$states": {"input": {"a": 1, "text": 'a "quoted"; text\n$x'}}, "$list": [1, 2, 3]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$states.input.a + 1", 2),
        ("$states.input.text", 'a "quoted"; text\n$x'),
        ("$list[$ > 1]", [2, 3]),
        ("$sum($list)", 6),
        ("$states.input.missing", None),
        ('{"x": $states.input.a, "gone": $states.input.missing}', {"x": 1}),
        ("$partition($list, 2)", [[1, 2], [3]]),
        ("$range(0, 10, 5)", [0, 5, 10]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ('$hash("x", "MD5")', "9dd4e461268c8034f5c8564e155c67a6"),
        ('$parse("{\\"a\\": [1]}").a[0]', 1),
        ("$random(7) = $random(7)", True),
    ],
)
def test_expressions_are_evaluated(expression: str, expected: Any):
    assert evaluate(f"({declarations(STATES)}{expression})") == expected


def test_uuids_differ():
    first, second = evaluate("$uuid()"), evaluate("$uuid()")
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first)


@pytest.mark.parametrize(
    "expression", ["1 +", "$nothing()", "function($x) { $x }", '"a" + 1', '$hash("x", "CRC")', '$parse("{")']
)
def test_wrong_expressions_have_a_reason(expression: str):
    with pytest.raises(EvaluationError, match=r"\w"):
        evaluate(expression)
