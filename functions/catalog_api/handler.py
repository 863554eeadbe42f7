"""The catalog's HTTP API behind API Gateway (REST API v1) or an ALB."""

from typing import Any, cast

from catalog_api.app import request_id, resolver_for
from catalog_api.responses import finish
from shared.deadline import LambdaContext
from shared.observability import logger


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one proxy event; every failure is an RFC 9457 problem, none escapes."""
    answer = resolver_for(event).resolve(event, cast(Any, context))
    answered_as = request_id()
    fields = {"method": event["httpMethod"], "path": event["path"], "status": answer["statusCode"], "request_id": answered_as}
    logger.info("answered", extra=fields)
    return finish(event, answer, answered_as)
