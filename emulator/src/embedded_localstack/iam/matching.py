"""Set up MiniStack's evaluator: how it compares texts with wildcards, resources, ARNs and condition keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from functools import lru_cache

from embedded_localstack.iam.conditions import LITERALS
from embedded_localstack.vendor import ministack_iam_evaluator as evaluator

_COMPONENTS = 6
_WILDCARDS = {"*": ".*", "?": "."} | {stand_in: re.escape(character) for stand_in, character in LITERALS.items()}
# The resource type is what comes before the first separator, except in the ARNs of these services.
_PART_OF_TYPE = re.compile(r"(?!\*[/:])[^/:]*[*?][^/:]*[/:]")
_WITHOUT_TYPE = {"apigateway", "execute-api", "s3", "sns", "sqs"}
_NOTHING = re.compile(r"(?!)")


@lru_cache(maxsize=4096)
def _compile_text(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Compile a pattern in which `*` and `?` also match line breaks, which an S3 key may contain."""
    regex = "".join(_WILDCARDS.get(character, re.escape(character)) for character in pattern)
    return re.compile(rf"{regex}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


@lru_cache(maxsize=4096)
def _compile_resource(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the Resource element.

    A wildcard stays within its component of the ARN, but "if you use the * wildcard as the last character of a resource
    ARN segment, it can expand to match beyond the colon boundaries". Components that an ARN lacks are wildcards:
    "arn:aws:sqs" stands for "arn:aws:sqs:*:*:*:*". A wildcard in a part of the resource type, as in "?able/orders",
    matches nothing: it is "incorrect wildcard usage" on
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
    """
    if not pattern.startswith("arn:"):
        return _compile_text(pattern, False)
    components = pattern.split(":", _COMPONENTS - 1)
    components += ["*"] * (_COMPONENTS - len(components))
    if components[2] not in _WITHOUT_TYPE and _PART_OF_TYPE.match(components[-1]):
        return _NOTHING
    regexes = [_component(part) for part in components[:-1]]
    return re.compile(":".join([*regexes, _compile_text(components[-1], False).pattern]), re.DOTALL)


def _component(pattern: str) -> str:
    within, last = (pattern[:-1], ".*") if pattern.endswith("*") else (pattern, "")
    wildcards = _WILDCARDS | {"*": "[^:]*", "?": "[^:]"}
    return "".join(wildcards.get(character, re.escape(character)) for character in within) + last


def _resource_matches(resource: str, resources: list[str], not_resources: list[str]) -> bool:
    if resources:
        return any(_compile_resource(pattern).match(resource) for pattern in resources)
    return not any(_compile_resource(pattern).match(resource) for pattern in not_resources)


def _arn_like(actual: str, expected: str) -> bool:
    """Compare two ARNs: "Each of the six colon-delimited components of the ARN is checked separately"."""
    components, patterns = actual.split(":", _COMPONENTS - 1), expected.split(":", _COMPONENTS - 1)
    return len(components) == len(patterns) == _COMPONENTS and all(
        _compile_text(pattern, False).match(component) for component, pattern in zip(components, patterns, strict=True)
    )


def _arn_not_like(actual: str, expected: str) -> bool:
    return not _arn_like(actual, expected)


evaluator._fnmatch_compile = _compile_text
evaluator._resolve_condition_key = lambda key, context: context.service_context.get(key.lower())
evaluator._resource_matches = _resource_matches
evaluator._CONDITION_OPS |= {"arnequals": _arn_like, "arnlike": _arn_like}
evaluator._CONDITION_OPS |= {"arnnotequals": _arn_not_like, "arnnotlike": _arn_not_like}
