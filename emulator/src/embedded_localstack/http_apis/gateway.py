"""Take the requests for HTTP APIs from LocalStack's request chain, and answer them.

A client calls an API at its endpoint, `http://API.execute-api.localhost.localstack.cloud:PORT/path`, or with any other
host name of this form (`curl -H "Host: API.execute-api.us-east-1.amazonaws.com"`). Clients that cannot set a host name
use LocalStack's path `http://127.0.0.1:PORT/_aws/execute-api/API/path`.
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import logging
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from localstack.http.request import get_full_raw_path
from localstack.utils.urls import localstack_host
from moto.apigatewayv2.models import apigatewayv2_backends

from embedded_localstack.http_apis import answers, cors, integrations, monitoring
from embedded_localstack.http_apis.access_logs import Result
from embedded_localstack.http_apis.authorization import Authorization, RefusedError
from embedded_localstack.http_apis.deployments import content_of_stage
from embedded_localstack.http_apis.events import Invocation
from embedded_localstack.http_apis.routes import Match, choose_route, choose_stage
from embedded_localstack.iam.records import Records
from embedded_localstack.load_balancers.answers import Answer
from embedded_localstack.load_balancers.requests import Request, trace
from embedded_localstack.settings import iam_enforced

LOG = logging.getLogger(__name__)
HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\..+")
PATH = re.compile(r"/_aws/execute-api/(?P<api>[a-z0-9]+)(?P<path>/.*|)")


@dataclass(frozen=True)
class Address:
    """The id and host name of the API that a request names, and the request's path within the API."""

    api_id: str
    path: str
    domain: str


def address_of(host: str, path: str, own_domain: str) -> Address | None:
    """Return the address of the API that a request names, or None.

    Args:
        host: the host name of the request, in lower case.
        path: the encoded path of the request.
        own_domain: LocalStack's host name, for requests that name the API in their path.
    """
    if match := HOST.fullmatch(host):
        return Address(match["api"], path, host)
    if match := PATH.fullmatch(path):
        return Address(match["api"], match["path"] or "/", f"{match['api']}.execute-api.{own_domain}")
    return None


def install() -> None:
    """Add the handler to the chain, before LocalStack decides which AWS service a request is for."""
    from localstack.aws.handlers import preprocess_request  # noqa: PLC0415 - only a running server has it

    preprocess_request.append(Gateway(Authorization(Records.from_environment(), enforced=iam_enforced())))


class Gateway:
    """A handler in LocalStack's request chain that answers the requests for HTTP APIs."""

    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization

    def __call__(self, chain: Any, context: Any, response: Any) -> None:
        """Answer a request to an HTTP API, and leave all others, such as those to REST APIs, to LocalStack."""
        host = (context.request.headers.get("Host") or "").partition(":")[0].lower()
        path, _, query = get_full_raw_path(context.request).partition("?")
        address = address_of(host, path, localstack_host().host)
        if address is None or (owner := _find(address.api_id)) is None:
            return
        backend, api = owner
        # The body is read only for an HTTP API, because LocalStack cannot parse or decompress it afterwards.
        request = _received(context.request, address.path, query)
        answer = self._answer(backend, api, request, address.domain, context.request)
        response.status_code = answer.status
        response.headers.clear()
        for name, value in answer.headers:
            response.headers.add(name, value)
        response.set_data(b"" if request.method == "HEAD" else answer.body)
        # Skip the handlers that would add LocalStack's own headers, such as those for CORS.
        chain.terminate()

    def _answer(self, backend: Any, api: Any, request: Request, domain: str, web: Any) -> Answer:
        began, identifier = time.time(), str(uuid.uuid4())
        header = ("Apigw-Requestid", identifier)
        place = None if api.disable_execute_api_endpoint else choose_stage(list(api.stages), request.path)
        stage = api.stages.get(place[0]) if place else None
        content = content_of_stage(api, stage) if stage else None
        if place is None or stage is None or content is None:
            return answers.own(404, header)
        invocation = Invocation(
            request,
            backend.account_id,
            backend.region_name,
            api.api_id,
            place[0],
            place[1],
            domain,
            identifier,
            began,
            variables=dict(stage.stage_variables or {}),
        )
        result = self._routed(content, stage, invocation, web)
        monitoring.record(stage, result, (time.time() - began) * 1000)
        return replace(result.answer, headers=(*result.answer.headers, header))

    def _routed(self, content: Mapping[str, Any], stage: Any, invocation: Invocation, web: Any) -> Result:
        request = invocation.request
        match = choose_route(content["routes"], request.method, invocation.path)
        if content["cors"] and cors.is_preflight(request) and _is_open(match):
            return Result(cors.preflight(content["cors"], request), invocation)
        if match is None:
            result = Result(answers.own(404), replace(invocation, route_key=""))
        elif len(request.body) > answers.MOST_BYTES:
            result = Result(answers.own(413), invocation)
        else:
            key, parameters = str(match.route["routeKey"]), match.parameters
            invocation = replace(invocation, route_key=key, parameters=parameters)
            result = self._called(match.route, content, stage, invocation, web)
        return replace(result, answer=cors.covered(content["cors"], request, result.answer))

    def _called(
        self, route: Mapping[str, Any], content: Mapping[str, Any], stage: Any, invocation: Invocation, web: Any
    ) -> Result:
        """Return the answer of a route's integration, if the caller is allowed to call the route."""
        authorizer = content["authorizers"].get(route.get("authorizerId") or "")
        key = f"{vars(stage).get('deployment_id')}/{vars(stage).get('cache_number', 0)}"
        try:
            caller = self._authorization.check(route, authorizer, invocation, web, key)
        except RefusedError as error:
            return Result(error.answer, invocation, authorizer_error=str(error))
        invocation = replace(invocation, authorizer=caller)
        integration = content["integrations"].get(str(route.get("target") or "").removeprefix("integrations/"))
        if integration is None:
            LOG.warning("%s: the route %s has no integration", invocation.api_id, invocation.route_key)
            return Result(answers.own(500), invocation, "the route has no integration")
        answer, error_message = integrations.call(integration, invocation)
        return Result(answer, invocation, error_message)


def _received(web: Any, path: str, query: str) -> Request:
    """Return the request with the trace header that API Gateway adds if a request has none."""
    headers = tuple((name.lower(), value) for name, value in web.headers)
    request = Request(web.method, path, query, headers, web.get_data(), web.remote_addr or "127.0.0.1")
    if request.values("x-amzn-trace-id"):
        return request
    return replace(request, headers=(*headers, ("x-amzn-trace-id", trace(request))))


def _find(api_id: str) -> tuple[Any, Any] | None:
    for regions in list(apigatewayv2_backends.values()):
        for backend in list(regions.values()):
            if api_id in backend.apis:
                return backend, backend.apis[api_id]
    return None


def _is_open(match: Match | None) -> bool:
    """Return whether the API answers a preflight request itself, because the route requires no authorization."""
    return match is None or (match.route.get("authorizationType") or "NONE") == "NONE"
