"""Refuse, before validation, unknown or repeated parameters, and bodies that aren't one small JSON object."""

import base64
import json
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from catalog_api.problems import Problem

MAX_BODY_BYTES = 16_384


def refuse_malformed(app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Raise a Problem for a request that no operation would accept. This is a middleware of the resolver."""
    route = app.context["_route"]
    # Only documented operations accept requests; the other routes refuse everything with 404 or 405.
    if route.responses:
        _check_query(app.current_event, {parameter.alias for parameter in route.dependant.query_params})
    if route.dependant.body_params:
        app.context["body"] = _body(app.current_event)
    return next_middleware(app)


class ValidateRequest(OpenAPIRequestValidationMiddleware):
    """A middleware that validates the body which `refuse_malformed` has parsed.

    The body is not parsed a second time, because a second parser could assume another encoding or media type.
    """

    def _get_body(self, app: ApiGatewayResolver) -> dict[str, Any]:
        body: dict[str, Any] = app.context["body"]
        return body


def _check_query(event: BaseProxyEvent, known: set[str]) -> None:
    parameters = event.resolved_query_string_parameters
    wrong = [
        {"detail": "This parameter does not exist. Remove it.", "parameter": name[:64]}
        for name in sorted(parameters.keys() - known)
    ]
    repeated = event.multi_value_query_string_parameters
    wrong += [
        {"detail": "This parameter is repeated. Send it once.", "parameter": name}
        for name in sorted(repeated)
        if name in known and len(repeated[name]) > 1
    ]
    if wrong:
        raise Problem(
            422,
            "The query string is not valid. Correct what `errors` lists and send it again.",
            "validation",
            wrong[:20],
        )


def _body(event: BaseProxyEvent) -> dict[str, Any]:
    media_type = _header(event, "content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "Send the body as application/json.", headers={"Accept-Post": "application/json"})
    body = _decoded(event)
    if len(body) > MAX_BODY_BYTES:
        raise Problem(413, f"The body is larger than {MAX_BODY_BYTES} bytes. Send a smaller one.")
    try:
        # Decode the body as UTF-8 first, because JSON is UTF-8 (RFC 8259), but json.loads also accepts UTF-16.
        value = json.loads(body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated)
        # Text with a lone surrogate can't be encoded, so storing it or sending it in a response would fail later.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not valid JSON. Send one JSON object in UTF-8.", "malformed-json") from error
    if not isinstance(value, dict):
        raise Problem(
            422,
            "The body is not a JSON object. Send one JSON object.",
            "validation",
            [{"detail": "Input should be an object", "pointer": "#"}],
        )
    return value


def _decoded(event: BaseProxyEvent) -> bytes:
    text = event.body or ""
    if not event.is_base64_encoded:
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Problem(400, "The body could not be decoded. Send one JSON object in UTF-8.", "malformed-json") from error


def _header(event: BaseProxyEvent, name: str) -> str:
    value: Any = event.resolved_headers_field.get(name, "")
    return value[0] if isinstance(value, list) and value else str(value or "")


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse repeated names, and return the object.

    Parsers differ in which value they use, so a checked value could differ from the used value.
    """
    if len(members := dict(pairs)) < len(pairs):
        raise ValueError("a name is given twice")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
