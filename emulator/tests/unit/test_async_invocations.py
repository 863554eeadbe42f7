"""Test which configuration applies to an asynchronous invocation."""

from types import SimpleNamespace

from embedded_localstack.patches.lambda_async import Seen, qualifier

ARN = "arn:aws:lambda:us-east-1:000000000000:function:name"


def test_the_qualifier_is_what_follows_the_name() -> None:
    assert [qualifier(ARN), qualifier(f"{ARN}:live"), qualifier(f"{ARN}:$LATEST")] == ["", "live", "$LATEST"]


def test_a_view_overrides_an_attribute_without_changing_the_object() -> None:
    original = SimpleNamespace(name="one", configs={})
    seen = Seen(original, configs={"1": "live's"})
    assert (seen.name, seen.configs) == ("one", {"1": "live's"})
    assert original.configs == {}
