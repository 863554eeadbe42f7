"""Test API Gateway's responses to requests that it refuses itself."""

from embedded_localstack.patches.api_gateway import headers, render


def test_a_template_gets_the_values_of_the_context() -> None:
    values = {"error.messageString": '"Forbidden"', "requestId": "r1"}
    assert render('{"title":$context.error.messageString,"request_id":"$context.requestId"}', values) == (
        '{"title":"Forbidden","request_id":"r1"}'
    )


def test_an_unknown_variable_is_empty() -> None:
    assert render('"$context.nothing.such"', {}) == '""'


def test_only_constant_headers_are_returned() -> None:
    parameters = {
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
        "gatewayresponse.header.Other": "method.request.header.Origin",
    }
    assert headers(parameters) == {"Content-Type": "application/problem+json"}
