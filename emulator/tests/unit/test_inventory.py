import json
from pathlib import Path

import pytest

from embedded_localstack.inventory import lines, load, short


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("arn:aws:sns:us-east-1:000000000000:orders", "orders"),
        ("http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/orders", "orders"),
        ("/aws/lambda/orders", "/aws/lambda/orders"),
    ],
)
def test_an_arn_is_shortened_to_its_name(name: str, expected: str):
    assert short(name) == expected


def test_a_line_names_a_few_and_counts_all():
    assert lines({"sqs": ["a"], "s3": list("abcdefghij")}) == [
        "  s3              10  a, b, c, d, e, f, g, h and 2 more",
        "  sqs              1  a",
    ]


def test_names_that_were_never_written_down_are_none(tmp_path: Path):
    assert load(tmp_path / "none.json") == {}
    (tmp_path / "some.json").write_text(json.dumps({"s3": ["a"]}))
    assert load(tmp_path / "some.json") == {"s3": ["a"]}
