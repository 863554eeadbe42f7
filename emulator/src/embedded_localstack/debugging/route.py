"""Handle the requests that start and end the debugging of a function.

    PUT    /_localstack/debug    begin; the body is JSON (executor/debugger.py). The answer comes at once
    GET    /_localstack/debug?function=ARN    the state of the session
    DELETE /_localstack/debug?function=ARN    end; the answer comes when the function runs as before

A session also ends with the process that began it.
"""
# mypy: disable-error-code="import-not-found"

import json
import threading
from typing import Any

from embedded_localstack import processes
from embedded_localstack.debugging import visibility
from embedded_localstack.debugging.sessions import Make, Session, Sessions
from embedded_localstack.executor.debugger import RefusedError, package, parse

PATH = "/_localstack/debug"


def install(sessions: Sessions, make: Make) -> None:
    """Answer the requests before all other handlers, because a debugged event may block these for hours."""
    from localstack.aws import handlers  # noqa: PLC0415 - only a running server has it

    def answer(chain: Any, context: Any, _response: Any) -> None:
        request = context.request
        if request.path != PATH:
            return
        # A browser sends the header Origin with the requests of other sites' pages, which must not control debugging.
        if "Origin" in request.headers:
            chain.respond(403)
            return
        try:
            facts = handle(sessions, make, request.method, request.args.get("function", ""), request.get_data())
        except RefusedError as error:
            chain.respond(error.status, {"message": str(error)})
        else:
            chain.respond(200, facts)

    handlers.preprocess_request.handlers.insert(0, answer)


def handle(sessions: Sessions, make: Make, method: str, function: str, body: bytes) -> dict[str, Any]:
    """Handle a request, and return the state of the session.

    Raises:
        RefusedError: the request is invalid or cannot be fulfilled.
    """
    if method == "PUT":
        return _begin(sessions, make, body)
    session = sessions.get(function)
    if not session:
        raise RefusedError(404, "the function is not being debugged")
    if method == "DELETE":
        sessions.end(function, _timeout(function))
    return {"state": session.state(), "event": session.event}


def _begin(sessions: Sessions, make: Make, body: bytes) -> dict[str, Any]:
    try:
        version, owner, debugger = parse(json.loads(body))
    except ValueError as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if debugger.kind == "debugpy":
        package()
    check(version)
    session = Session(":".join(version.split(":")[:7]), debugger, make)
    sessions.add(session)
    session.begin(version)
    visibility.start(session)
    threading.Thread(target=_end_with, args=(owner, sessions, session), name="debugging", daemon=True).start()
    return {"state": session.state(), "event": ""}


def _end_with(owner: int, sessions: Sessions, session: Session) -> None:
    """Wait until the process `owner` has ended, and then end its session."""
    ticks = processes.start_ticks(owner)
    while processes.same(owner, ticks):
        if session.is_over.wait(1):
            return
    sessions.end(session.function, _timeout(session.function))


def _config(function: str, qualifier: str = "$LATEST") -> Any:
    from localstack.services.lambda_.invocation.models import lambda_stores  # noqa: PLC0415 - as above

    _, _, _, region, account, _, name = function.split(":")
    entry = lambda_stores[account][region].functions.get(name)
    return entry.versions[qualifier].config if entry and qualifier in entry.versions else None


def _timeout(function: str) -> float:
    config = _config(function)
    return float(config.timeout) if config else 0


def check(version: str) -> None:
    """Check that a version exists and that it can be debugged.

    Raises:
        RefusedError: the version does not exist, or is not written in Python.
    """
    function, separator, qualifier = version.rpartition(":")
    config = _config(function, qualifier) if separator and function.count(":") == 6 else None
    if not config:
        raise RefusedError(404, f"there is no function version {version}")
    if not (config.runtime or "").startswith("python"):
        raise RefusedError(400, f"only functions in Python can be debugged, not {config.runtime or 'images'}")
