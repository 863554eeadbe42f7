"""Find the lines where pdb stops: the user's, or the first line of the handler."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from eventloom.errors import UserError

HANDLER = "lambda_handler"


def chosen(places: tuple[str, ...], name: str, functions: Path) -> list[tuple[str, int]]:
    """Return breakpoints as pairs of a file, relative to `functions`, and a line number.

    `places` are FILE:LINE as the user typed them. If there are none, the result is the first line of the handler, or
    empty if the function calls breakpoint().

    Raises UserError for a file of another function, and for a line without code.
    """
    if places:
        return [_named(place, name, functions) for place in places]
    handler = functions / name / "handler.py"
    tree = ast.parse(handler.read_bytes())
    if any(
        _calls_breakpoint(path) for folder in (name, "shared") for path in sorted((functions / folder).rglob("*.py"))
    ):
        return []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == HANDLER:
            return [(f"{name}/handler.py", _first(node).lineno)]
    raise UserError(f"functions/{name}/handler.py does not define {HANDLER}; name a line with --break FILE:LINE")


def _first(function: ast.FunctionDef) -> ast.stmt:
    """Return the first statement of a function, without its docstring."""
    is_documented = ast.get_docstring(function, clean=False) is not None and len(function.body) > 1
    return function.body[1 if is_documented else 0]


def _calls_breakpoint(path: Path) -> bool:
    text = path.read_bytes()
    return b"breakpoint" in text and any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "breakpoint"
        for node in ast.walk(ast.parse(text))
    )


def _named(place: str, name: str, functions: Path) -> tuple[str, int]:
    match = re.fullmatch(r"(.+):([1-9]\d*)", place)
    if not match:
        raise UserError(f"'{place}' is not a place in a file; write it like functions/{name}/handler.py:40")
    given, line = match[1], int(match[2])
    candidates = [Path(given), functions.parent / given, functions / given, functions / name / given]
    path = next((path for path in candidates if path.is_file()), None)
    if not path:
        raise UserError(f"there is no file {given}; write it like functions/{name}/handler.py")
    relative = Path(os.path.relpath(path.resolve(), functions.resolve()))
    if relative.parts[0] not in {name, "shared"} or relative.suffix != ".py":
        raise UserError(f"{given} is not code of {name}; choose a file of functions/{name} or functions/shared")
    lines = sorted(set(_lines(compile(path.read_bytes(), str(path), "exec"))))
    if line not in lines:
        later = next((number for number in lines if number > line), None)
        hint = f"; the next line with code is {later}" if later else f"; the last line with code is {lines[-1]}"
        raise UserError(f"{given} has no code in line {line}{hint if lines else ''}")
    return relative.as_posix(), line


def _lines(code: CodeType) -> Iterator[int]:
    """Yield the numbers of the lines that contain code."""
    yield from (line for _, _, line in code.co_lines() if line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _lines(constant)
