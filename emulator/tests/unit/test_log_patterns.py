"""Test filter patterns of CloudWatch Logs, with the examples of AWS's page.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json

import pytest

from embedded_localstack.log_patterns import InvalidPattern, metrics, parse
from embedded_localstack.patches.logs_filters import data_points

LINES = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[ERROR 500] INTERNAL SERVER ERROR",
    "[INFO] REQUEST FAILED",
)
TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "cluster.name": "c",
        "ThisFlag": True,
        "latency": 50.5,
        "errorCode": 400,
        "number": [1000],
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
LEVELS = (
    "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200",
    "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310",
    "WARNING 09/25/2014 12:00:02 Invalid user request",
    "ERROR 09/25/2014 12:00:02 Failed to process request",
)


def matches(pattern: str, *messages: str) -> list[int]:
    return [number for number, message in enumerate(messages) if parse(pattern).match(message)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ('" "', [0, 1, 2, 3, 4, 5]),
        ("ERROR", [0, 1, 2, 3, 4]),
        ("error", []),
        ("ERROR ARGUMENTS", [2, 3]),
        ("ERROR -ARGUMENTS", [0, 1, 4]),
        ("-ERROR", [5]),
        ("?UNAUTHORIZED ?MISSING", [1, 2]),
        ("?UNAUTHORIZED ?MISSING REQUEST", [0, 1, 5]),
        ('"INTERNAL SERVER ERROR"', [4]),
        ('"ERROR 4" -"[ERROR 420]"', [0, 1, 2]),
        ("%AUTHORIZED%", [1]),
        (r"%^\[ERROR 4[0-9]{2}\] [A-M]%", [0, 2, 3]),
        (r"%\x5bINFO\x5d%", [5]),
    ],
)
def test_terms(pattern: str, expected: list[int]):
    assert matches(pattern, *LINES) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "UpdateTrail" }',
        "{ $.sourceIPAddress != 123.123.* }",
        '{ $.arrayKey[0] = "value" }',
        "{ $.objectList[1].id = 2 }",
        "{ $.eventType = %Trail% }",
        "{ $.arrayKey[*] = %val.{2}% }",
        r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }",
        "{ $.['cluster.name'] = \"c\" }",
        '{$["cluster.name"]=c}',
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.latency > 50 && $.latency <= 55.5 }",
        "{ $.latency = * }",
        "{ $.errorCode = 4* }",
        "{ $.errorCode != 500}",
        "{ $.number[0] = 1e+3 }",
        "{ $.number[0] != 1e-3 }",
        '{ $.eventType = "*Trail" && ($.errorCode >= 500 || $.errorCode < +401) }',
    ],
)
def test_a_json_pattern_matches(pattern: str):
    assert matches(pattern, TRAIL, "no JSON", "12") == [0]


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "updateTrail" }',
        "{ $.arrayKey = value }",
        "{ $.arrayKey != value }",
        '{ $.ThisFlag[0] = "value" }',
        "{ $.missing = 1 }",
        "{ $.missing != 1 }",
        "{ $.missing IS NULL }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.ThisFlag IS FALSE }",
        "{ $.errorCode IS TRUE }",
        "{ $.latency > 51 }",
    ],
)
def test_a_json_pattern_does_not_match(pattern: str):
    assert matches(pattern, TRAIL) == []


def test_compound_conditions():
    patterns = {
        '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }': True,
        '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = n && $.actions[2] = n }': True,
        '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = n) && $.actions[2] = n }': False,
        '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }': False,
        "{ $.coordinates[0][1] = 1 }": True,
    }
    assert {pattern: bool(matches(pattern, USERS)) for pattern in patterns} == patterns


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[w1=ERROR, w2]", [3]),
        ("[w1=ERROR]", []),
        ("[w1=ERROR || w1=WARNING, w2]", [2, 3]),
        ("[w1!=ERROR && w1!=WARNING, w2]", [0, 1]),
        ("[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]", [0]),
        ("[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]", [1]),
        ("[..., size > 1250]", [1]),
        ("[..., verb = process, last]", [3]),
        ("[a, b, c, d, e, f, g]", [3]),
    ],
)
def test_space_delimited_fields(pattern: str, expected: list[int]):
    assert matches(pattern, *LEVELS) == expected


def test_fields_are_extracted_as_aws_shows():
    match = parse(r"[ip=%127\.0\.0\.[1-9]%, ..., request=*.html*, status_code=4*,]").match(ACCESS)
    assert match is not None
    assert match.extracted == {
        "$ip": "127.0.0.1",
        "$2": "Prod",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    }
    assert not matches("[ip, user, ..., status_code = 404 || status_code = 410, bytes < 1000]", ACCESS)


@pytest.mark.parametrize(
    "pattern",
    [
        "?Status: timeout",
        "level:error",
        "a-b",
        '"open',
        "%something!%",
        "%(a|b)%",
        "%[%",
        "{ $.a }",
        "{ $.a EXISTS }",
        "{ $.a IS NOT NULL }",
        "{ $.a == 1 }",
        '{ $.a > "text" }',
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a = 1 } more",
        '{ $."detail-type" = a }',
        "{ $.a[*].b[*] = 1 }",
        "{ $.* = 1 && $.b.* = 1 && $.c[*] = 1 && $.d[*] = 1 }",
        "{ $.a = %a% && $.b = %b% && $.c = %c% }",
        "[a, b",
        "[..., a, ...]",
        "[a = ]",
        "[a > x]",
        "[a = 1 && b = 2]",
        "x" * 1025,
    ],
)
def test_an_invalid_pattern_is_refused(pattern: str):
    with pytest.raises(InvalidPattern):
        parse(pattern)


def test_the_message_names_the_character():
    with pytest.raises(InvalidPattern, match=r"^Invalid character\(s\) in term ':'$"):
        parse("?Status: timeout")


METRIC = {"metricName": "Latency", "metricNamespace": "Shop", "metricValue": "$.latency"}


def test_a_data_point_has_the_value_unit_and_dimensions_of_the_event():
    transformation = METRIC | {"unit": "Milliseconds", "dimensions": {"Shop": "$.shop"}}
    events = [(1000, '{"latency": 7, "shop": "a"}'), (2000, '{"latency": 8}'), (3000, '{"shop": "a"}'), (4000, "x")]
    assert metrics.points(parse("{ $.latency = * || $.shop = * }"), transformation, events) == (
        True,
        [
            {
                "MetricName": "Latency",
                "Timestamp": 1.0,
                "Value": 7.0,
                "Unit": "Milliseconds",
                "Dimensions": [{"Name": "Shop", "Value": "a"}],
            }
        ],
    )


def test_a_field_can_be_the_value():
    transformation = METRIC | {"metricValue": "$bytes"}
    (point,) = metrics.points(parse("[..., bytes]"), transformation, [(1000, ACCESS)])[1]
    assert (point["Value"], point["Unit"]) == (1534.0, "None")


def test_the_default_value_is_stored_once_a_minute_without_a_match():
    transformation = METRIC | {"defaultValue": 3.0}

    def values(*events: tuple[int, str]) -> list[float]:
        return [point["Value"] for point in data_points(("default",), "{ $.latency = * }", transformation, events)]

    assert values((60_000, "x"), (61_000, "y")) == [3.0]
    assert values((62_000, "x")) == []
    assert values((62_000, '{"latency": 1}')) == [1.0]
    assert values((120_000, "x")) == [3.0]
    assert values() == []


@pytest.mark.parametrize(
    "change",
    [
        {"metricValue": "many"},
        {"dimensions": {"A": "$.a"}, "defaultValue": 0},
        {"dimensions": {name: f"$.{name}" for name in "abcd"}},
    ],
)
def test_an_invalid_transformation_is_refused(change: dict[str, object]):
    with pytest.raises(InvalidPattern):
        metrics.check(METRIC | change)


def test_an_invalid_pattern_of_a_restored_state_makes_no_data_point(caplog: pytest.LogCaptureFixture):
    assert data_points(("group", "errors"), "a:b", METRIC, [(60_000, "a:b")]) == []
    assert "the metric filter errors is not applied" in caplog.text
