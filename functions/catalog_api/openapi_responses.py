"""The responses of each operation, for the OpenAPI document."""

from http import HTTPStatus
from typing import Any, Literal

from catalog_api import problems
from catalog_api.models import ProblemDocument

Empty = Literal[""] | None
"""The body of an answer that has none. Powertools makes None an empty text for a load balancer."""

# API Gateway authenticates and throttles before the function runs, so it sends 403 and 429 itself.
_ALWAYS = (403, 429, 500, 503)


def responses(success: dict[int, Any], *failures: int) -> dict[int, Any]:
    """Return the `responses` of an operation.

    `success` maps a status to its model, or to None if the response has no body. `failures` are statuses whose response
    is a problem document.
    """
    documented: dict[int, Any] = {}
    for status, model in success.items():
        content = {"application/json": {"model": model}} if model else {}
        documented[status] = {"description": HTTPStatus(status).phrase, "content": content}
    for status in (*failures, *_ALWAYS):
        documented[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {problems.CONTENT_TYPE: {"model": ProblemDocument}},
        }
    return documented
