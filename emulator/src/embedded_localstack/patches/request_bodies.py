"""Hand the bodies of requests on as they arrived, byte for byte.

LocalStack builds the body for a function URL, a REST API or a proxy from the parsed form, so that `a=%20&&b` becomes
`a=+&b`. It also decompresses every body, and AWS hands a compressed body on unchanged.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any

# The services whose data plane passes bodies on. At this place of the chain, only a Host can have named a service.
PASSED_ON = ("lambda", "apigateway")
PATHS = ("/_aws/execute-api/", "/restapis/")


def install() -> None:
    """Replace LocalStack's `restore_payload` in each module that imports it, and skip the decompression."""
    from localstack.aws.handlers import logging  # noqa: PLC0415 - only a running server has it
    from localstack.aws.handlers.codec import ContentDecoder  # noqa: PLC0415
    from localstack.services.apigateway.legacy import router_asf  # noqa: PLC0415
    from localstack.services.apigateway.next_gen.execute_api.handlers import parse  # noqa: PLC0415
    from localstack.services.lambda_ import urlrouter  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415
    from rolo import client, proxy  # noqa: PLC0415

    for module in (logging, router_asf, parse, urlrouter, client, proxy):
        Patch(module, "restore_payload", keeping(module.restore_payload)).apply()

    @patch(ContentDecoder.__call__)
    def decode(original: Callable[..., None], self: Any, chain: Any, context: Any, response: Any) -> None:
        if not is_passed_on(context.service.service_name if context.service else "", context.request.path):
            original(self, chain, context, response)


def is_passed_on(service: str, path: str) -> bool:
    """Return whether a request to a service's host name or to a path reaches a function or an integration as it is."""
    return service in PASSED_ON or path.startswith(PATHS)


def keeping(restore: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Return a `restore_payload` that returns the raw body, unless the form was parsed before."""

    def restore_payload(request: Any) -> bytes:
        if request.shallow or "form" in vars(request):
            return restore(request)
        # Werkzeug remembers this body, and parses a form from it later.
        return bytes(request.get_data())

    return restore_payload
