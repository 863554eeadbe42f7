"""Evaluate JSONata in Python. LocalStack downloads Java for it, and lacks the functions that Step Functions adds.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import hashlib
import json
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class EvaluationError(Exception):
    """An expression that cannot be evaluated."""


def install() -> None:
    """Replace the evaluation of expressions."""
    from localstack.services.stepfunctions.asl.component.common.string import string_expression  # noqa: PLC0415 - only a running server has it
    from localstack.services.stepfunctions.asl.eval import states, variable_store  # noqa: PLC0415
    from localstack.services.stepfunctions.asl.jsonata import jsonata, validations  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def evaluated(expression: str) -> Any:
        try:
            return evaluate(expression)
        except EvaluationError as error:
            raise jsonata.JSONataException("UNKNOWN", str(error)) from error

    for module in (jsonata, string_expression, validations):
        Patch(module, "eval_jsonata_expression", evaluated).apply()
    for module in (jsonata, states, variable_store):
        Patch(module, "encode_jsonata_variable_declarations", declarations).apply()


def evaluate(expression: str) -> Any:
    """Return the value of an expression, converted to JSON types.

    Raises:
        EvaluationError: the expression is wrong, or its value is a function.
    """
    from jsonata import Jsonata  # noqa: PLC0415 - only needed by state machines with JSONata
    from jsonata.jexception import JException  # noqa: PLC0415

    try:
        parsed = Jsonata(expression)
        for name, function in FUNCTIONS.items():
            parsed.register_lambda(name, function)
        return json.loads(json.dumps(parsed.evaluate(None)))
    except (JException, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise EvaluationError(str(error)) from error


def declarations(bindings: Mapping[str, Any]) -> str:
    """Return the declarations of variables, such as `$a:="text";`. LocalStack does not escape strings."""
    return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())


def _partition(values: list[Any], size: float) -> list[list[Any]]:
    width = int(size)
    return [values[start : start + width] for start in range(0, len(values), width)]


def _range(first: float, last: float, step: float) -> list[int]:
    width = int(step)
    return list(range(int(first), int(last) + (1 if width > 0 else -1), width))


def _hash(data: str, algorithm: str) -> str:
    if algorithm not in _HASHES:
        raise ValueError(f"$hash() has no algorithm {algorithm}: use one of {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], data.encode(), usedforsecurity=False).hexdigest()


def _random(*seed: float) -> float:
    return random.Random(*seed).random()  # noqa: S311 - as Step Functions does, for no secret


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": json.loads,
}
"""The functions that Step Functions adds to JSONata."""
