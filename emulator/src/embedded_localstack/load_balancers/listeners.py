"""Choose the listener and the rule for a request.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from embedded_localstack.load_balancers.requests import Request

Condition = Mapping[str, Any]


def choose_listener[T](listeners: Mapping[int, T], port: int | None) -> T | None:
    """Return the listener for the port of the request.

    All listeners share LocalStack's port. If the port does not identify a listener, the listener on port 80 or else on
    the lowest port is returned.
    """
    return next(
        (listeners[candidate] for candidate in (port or 80, 80, *sorted(listeners)) if candidate in listeners), None
    )


def choose_rule(rules: Iterable[Any], request: Request) -> Any:
    """Return the first rule by priority that matches. The default rule has no conditions and comes last."""
    ordered = sorted(
        rules, key=lambda rule: (rule.priority == "default", 0 if rule.priority == "default" else int(rule.priority))
    )
    return next(rule for rule in ordered if all(holds(condition, request) for condition in rule.conditions))


def choose_target_group(action: Mapping[str, Any]) -> str:
    """Return the ARN of the target group for a forward action. Weights determine the choice between groups."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups:
        return str(action["TargetGroupArn"])
    weights = [int(group.get("Weight", 1)) for group in groups]
    return str(random.choices(groups, weights if any(weights) else None)[0]["TargetGroupArn"])  # noqa: S311 - not for a secret


def holds(condition: Condition, request: Request) -> bool:
    """Return whether a condition of a rule holds for a request. An unknown condition never holds."""
    check = CONDITIONS.get(condition.get("Field", ""))
    return bool(check and check(condition, request))


def names_host(conditions: Iterable[Condition], request: Request) -> bool:
    """Return whether a rule has a host condition that matches the request."""
    return any(condition.get("Field") == "host-header" and holds(condition, request) for condition in conditions)


def _values(condition: Condition, kind: str) -> list[Any]:
    return list((condition.get(kind) or {}).get("Values") or condition.get("Values") or [])


def _like(pattern: str, text: str, *, case: bool = False) -> bool:
    """Return whether the text matches the pattern. `*` matches any text and `?` matches any character."""
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return bool(re.fullmatch(expression, text, re.DOTALL | (0 if case else re.IGNORECASE)))


def _host(condition: Condition, request: Request) -> bool:
    return any(_like(pattern, request.host) for pattern in _values(condition, "HostHeaderConfig"))


def _path(condition: Condition, request: Request) -> bool:
    return any(_like(pattern, request.path, case=True) for pattern in _values(condition, "PathPatternConfig"))


def _method(condition: Condition, request: Request) -> bool:
    return request.method in _values(condition, "HttpRequestMethodConfig")


def _header(condition: Condition, request: Request) -> bool:
    given = request.values(str((condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName", "")).lower())
    return any(_like(pattern, value) for pattern in _values(condition, "HttpHeaderConfig") for value in given)


def _query(condition: Condition, request: Request) -> bool:
    return any(
        ("Key" not in pair or _like(pair["Key"], name)) and _like(pair["Value"], value)
        for pair in _values(condition, "QueryStringConfig")
        for name, value in request.parameters()
    )


def _source(condition: Condition, request: Request) -> bool:
    return any(ip_address(request.client) in ip_network(block) for block in _values(condition, "SourceIpConfig"))


CONDITIONS: dict[str, Callable[[Condition, Request], bool]] = {
    "host-header": _host,
    "http-header": _header,
    "http-request-method": _method,
    "path-pattern": _path,
    "query-string": _query,
    "source-ip": _source,
}
