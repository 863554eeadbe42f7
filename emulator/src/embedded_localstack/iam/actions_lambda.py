"""Permissions that Lambda operations need on a function, version or alias.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from embedded_localstack.iam.request import Check, Request, Row, anything, each, needs, text


def function_arn(request: Request, name: str, qualifier: str | None = None) -> str:
    """Return the ARN of a function given as name, name:alias, partial ARN or full ARN."""
    parts = name.split(":")
    rest = parts[parts.index("function") + 1 :] if "function" in parts[:-1] else parts
    if len(rest) == 1 and qualifier:
        rest = [*rest, qualifier]
    prefix = ":".join(parts[:5]) if name.startswith("arn:") else f"arn:aws:lambda:{request.region}:{request.account}"
    return f"{prefix}:function:{':'.join(rest)}"


def _qualified(request: Request) -> str:
    return function_arn(request, text(request.params.get("FunctionName")) or "*", request.params.get("Qualifier"))


def unqualified(arn: str) -> str:
    """Return the ARN of the function that a version or alias belongs to."""
    return ":".join(arn.split(":")[:7])


def _function(request: Request) -> str:
    return unqualified(_qualified(request))


def _mapping(action: str) -> Row:
    def row(request: Request) -> list[Check]:
        uuid = text(request.params.get("UUID"))
        function = request.facts.mapping_function(uuid)
        keys = {"lambda:functionarn": function} if function else {}
        return [Check(action, request.arn("lambda", f"event-source-mapping:{uuid}"), keys)]

    return row


def _new_mapping(request: Request) -> list[Check]:
    return [Check("lambda:CreateEventSourceMapping", "*", {"lambda:functionarn": _qualified(request)})]


LAMBDA: dict[str, Row] = (
    {"Invoke": needs("lambda:InvokeFunction", _qualified), "InvokeAsync": needs("lambda:InvokeFunction", _qualified)}
    | {"InvokeWithResponseStream": needs("lambda:InvokeFunction", _qualified)}
    | each(
        "lambda",
        (
            "GetFunction GetFunctionConfiguration GetPolicy AddPermission RemovePermission "
            "PutFunctionEventInvokeConfig "
            "GetFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig DeleteFunction"
        ).split(),
        _qualified,
    )
    | each(
        "lambda",
        (
            "GetAlias ListAliases CreateAlias UpdateAlias DeleteAlias ListVersionsByFunction PublishVersion "
            "UpdateFunctionCode "
            "CreateFunction UpdateFunctionConfiguration PutFunctionConcurrency DeleteFunctionConcurrency "
            "GetFunctionConcurrency"
        ).split(),
        _function,
    )
    | each("lambda", ["ListEventSourceMappings", "ListFunctions", "GetAccountSettings"], anything)
    | {
        name: _mapping(f"lambda:{name}")
        for name in ("GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping")
    }
    | {"CreateEventSourceMapping": _new_mapping}
)
