"""Parse a function's environment variables into a frozen dataclass, once in Lambda's INIT phase.

A missing or invalid variable makes the first invocation fail.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, get_type_hints


class SettingsError(Exception):
    """An environment variable is missing or not valid. The message names the variable and what is wrong."""


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]


_PARSERS: dict[Any, Any] = {
    str: str,
    int: int,
    float: float,
    bool: _boolean,
    tuple[int, ...]: _integers,
    tuple[str, ...]: _texts,
}


def load[T](cls: type[T], environment: Mapping[str, str] | None = None) -> T:
    """Build the dataclass `cls` from variables named like its fields, in upper case.

    Fields may be `str`, `int`, `float`, `bool` ("true"/"false"), `tuple[int, ...]` ("1,2,3") or `tuple[str, ...]` ("a,
    b"). The variable of a field with a default may be absent. Raises SettingsError, which names the variable.
    """
    environment = os.environ if environment is None else environment
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        variable = field.name.upper()
        text = environment.get(variable, "")
        if text == "":
            if field.default is dataclasses.MISSING:
                raise SettingsError(
                    f"environment variable {variable} is missing; set it in the function's Terraform file"
                )
            continue
        try:
            values[field.name] = _PARSERS[hints[field.name]](text)
        except (ValueError, KeyError) as error:
            raise SettingsError(
                f"environment variable {variable}={text!r} is not a valid {hints[field.name]}"
            ) from error
    return cls(**values)
