"""Test identity sources, answers and the cache of Lambda authorizers."""

from typing import Any

import pytest

from embedded_localstack.iam.lambda_authorizers import (
    Answer,
    Answers,
    ConfigurationError,
    UnauthorizedError,
    answer_of,
    identity,
)

VALUES = {"method.request.header.Authorization": "token", "method.request.querystring.q": "1"}
POLICY = {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}]}


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        ({"type": "TOKEN"}, ("token",)),
        ({"type": "TOKEN", "identityValidationExpression": "to.*"}, ("token",)),
        ({"type": "REQUEST", "identitySource": ", ".join(VALUES)}, ("token", "1")),
        ({"type": "REQUEST", "identitySource": ""}, ()),
    ],
)
def test_identity_sources_have_their_values(authorizer: dict[str, str], expected: tuple[str, ...]):
    assert identity(authorizer, VALUES.get) == expected


@pytest.mark.parametrize(
    "authorizer",
    [
        {"type": "TOKEN", "identitySource": "method.request.header.X-Token"},
        {"type": "TOKEN", "identityValidationExpression": "to"},
        {"type": "REQUEST", "identitySource": "method.request.header.Authorization,stageVariables.none"},
    ],
)
def test_a_missing_identity_is_unauthorized(authorizer: dict[str, str]):
    with pytest.raises(UnauthorizedError):
        identity(authorizer, VALUES.get)


def test_the_answer_has_texts_as_variables():
    payload = {"principalId": "u", "policyDocument": POLICY, "context": {"a": "x", "n": 1, "b": True, "none": None}}
    answer = answer_of({**payload, "usageIdentifierKey": "key"}, None)
    assert (answer.principal, answer.api_key) == ("u", "key")
    assert answer.variables == {"a": "x", "n": "1", "b": "true", "none": "null"}


@pytest.mark.parametrize(
    ("payload", "error", "refusal"),
    [
        (None, "Unauthorized", UnauthorizedError),
        (None, "boom", ConfigurationError),
        ("Allow", None, ConfigurationError),
        ({"principalId": "u"}, None, ConfigurationError),
        ({"policyDocument": POLICY}, None, ConfigurationError),
        ({"principalId": "u", "policyDocument": POLICY, "context": {"list": []}}, None, ConfigurationError),
    ],
)
def test_other_answers_are_refused(payload: Any, error: str | None, refusal: type[Exception]):
    with pytest.raises(refusal):
        answer_of(payload, error)


def test_answers_are_kept_for_the_time_of_the_authorizer():
    now, asked = [0.0], list[str]()
    answers = Answers(lambda: now[0])

    def ask() -> Answer:
        asked.append("asked")
        return Answer(str(len(asked)), "{}", {})

    assert [answers.get(("api", "token"), 300, ask).principal for _ in range(2)] == ["1", "1"]
    assert answers.get(("api", "other"), 300, ask).principal == "2"
    now[0] = 300
    assert answers.get(("api", "token"), 300, ask).principal == "3"
    assert [answers.get(("api", "none"), 0, ask).principal for _ in range(2)] == ["4", "5"]
