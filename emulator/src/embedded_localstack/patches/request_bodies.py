"""Pass the bodies of requests on unchanged, byte for byte.

For a function URL, a REST API or a proxy, LocalStack rebuilds the body from the parsed form, so `a=%20&&b` becomes
`a=+&b`. It also decompresses every body, but AWS passes a compressed body on unchanged.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any

# The hosts and paths whose requests reach a function or an integration.
HOSTS = (".lambda-url.", ".execute-api.")
PATHS = ("/_aws/execute-api/", "/restapis/")
RAW = "embedded_localstack.raw_body"
"""The key of the raw body in the environment of a request."""


def install() -> None:
    """Store the raw bodies, use them in each module that rebuilds bodies, and skip the decompression."""
    from localstack.aws.handlers import logging, preprocess_request  # noqa: PLC0415 - only a running server has it
    from localstack.aws.handlers.codec import ContentDecoder  # noqa: PLC0415
    from localstack.services.apigateway.legacy import router_asf  # noqa: PLC0415
    from localstack.services.apigateway.next_gen.execute_api.handlers import parse  # noqa: PLC0415
    from localstack.services.lambda_ import urlrouter  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415
    from rolo import client, proxy  # noqa: PLC0415

    def remember(_chain: Any, context: Any, _response: Any) -> None:
        if is_passed_on(context.request.headers.get("Host") or "", context.request.path):
            # Werkzeug keeps this body too, and parses a form from it later.
            context.request.environ[RAW] = context.request.get_data()

    preprocess_request.append(remember)
    for module in (logging, router_asf, parse, urlrouter, client, proxy):
        Patch(module, "restore_payload", keeping(module.restore_payload)).apply()

    @patch(ContentDecoder.__call__)
    def decode(original: Callable[..., None], self: Any, chain: Any, context: Any, response: Any) -> None:
        if RAW not in context.request.environ:
            original(self, chain, context, response)


def is_passed_on(host: str, path: str) -> bool:
    """Return whether the body of a request reaches a function or an integration unchanged."""
    return any(name in host.lower() for name in HOSTS) or path.startswith(PATHS)


def keeping(restore: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Return a `restore_payload` that returns the raw body if it was remembered."""

    def restore_payload(request: Any) -> bytes:
        raw = request.environ.get(RAW)
        return restore(request) if raw is None else bytes(raw)

    return restore_payload
