"""Choose the stage and the route of an HTTP API for a request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

DEFAULT = "$default"
METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


@dataclass(frozen=True)
class Match:
    """The route of a request, as moto describes it, and the decoded values of its path variables."""

    route: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)


def choose_stage(stages: Collection[str], path: str) -> tuple[str, str] | None:
    """Return the stage of a request and the path without the stage's prefix, or None if no stage serves the request.

    If the first segment of the path is the name of a stage, that stage is chosen. Otherwise it is `$default`. As in
    LocalStack's paths, the segment may also be `$default`.

    Args:
        stages: the names of the API's stages.
        path: the encoded path of the request, with a leading slash.
    """
    first, slash, rest = path[1:].partition("/")
    if unquote(first) in stages:
        return unquote(first), slash + rest or "/"
    return (DEFAULT, path) if DEFAULT in stages else None


def choose_route(routes: Iterable[Mapping[str, Any]], method: str, path: str) -> Match | None:
    """Return the most specific route that matches a request, or None.

    A full match takes precedence over a greedy path variable, and `$default` comes last. In the path, a literal segment
    takes precedence over a variable. A route for the method takes precedence over a route for ANY.

    Args:
        routes: the routes, each with its `routeKey`.
        method: the method of the request.
        path: the encoded path of the request, without the stage.
    """
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    matches: list[tuple[tuple[int, list[int], bool], Match]] = []
    for route in routes:
        key = str(route["routeKey"])
        if key == DEFAULT:
            matches.append(((2, [], False), Match(route)))
            continue
        route_method, _, template = key.partition(" ")
        if route_method not in ("ANY", method):
            continue
        parts = template.split("/")[1:]
        parameters = _parameters(parts, segments)
        if parameters is not None:
            rank = (int(is_greedy(parts[-1])), [_weight(part) for part in parts], route_method == "ANY")
            matches.append((rank, Match(route, parameters)))
    return min(matches, key=lambda match: match[0])[1] if matches else None


def is_greedy(part: str) -> bool:
    """Return whether a segment of a route is a greedy path variable, such as {proxy+}."""
    return part.startswith("{") and part.endswith("+}")


def _weight(part: str) -> int:
    return 2 if is_greedy(part) else 1 if part.startswith("{") else 0


def _parameters(parts: list[str], segments: list[str]) -> dict[str, str] | None:
    """Return the values of the path variables, or None if the path does not match. A variable cannot be empty."""
    greedy = is_greedy(parts[-1])
    if len(segments) < len(parts) or (not greedy and len(segments) > len(parts)):
        return None
    values: dict[str, str] = {}
    for index, part in enumerate(parts):
        value = "/".join(segments[index:]) if is_greedy(part) else segments[index]
        if part.startswith("{"):
            if not value:
                return None
            values[part.strip("{}+")] = value
        elif part != value:
            return None
    return values
