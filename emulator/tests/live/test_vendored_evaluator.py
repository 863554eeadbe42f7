"""Test that the copied evaluator equals the evaluator in the MiniStack release that it names."""

import ast
from importlib import metadata
from pathlib import Path

import ministack.core
import pytest

from embedded_localstack.vendor import ministack_iam_evaluator

SET_BY_MATCHING = {"_fnmatch_compile", "_resolve_condition_key", "_resource_matches"}


def definitions(file: Path) -> dict[str, str]:
    """Return the source of each function, class and constant of a module, without its comments."""
    sources = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            sources[node.name] = ast.unparse(node)
        elif isinstance(node, ast.Assign):
            sources |= {target.id: ast.unparse(node) for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            sources[node.target.id] = ast.unparse(node)
    return sources


COPIED = definitions(Path(ministack_iam_evaluator.__file__))


def test_the_release_is_named():
    assert f"MiniStack {metadata.version('ministack')}" in str(ministack_iam_evaluator.__doc__)


@pytest.mark.parametrize("name", sorted(COPIED.keys() - SET_BY_MATCHING))
def test_a_definition_is_unchanged(name: str):
    released = definitions(Path(ministack.core.__path__[0]) / "iam_evaluator.py")
    assert COPIED[name] == released[name]


def test_the_licence_is_included():
    licence = Path(ministack_iam_evaluator.__file__).with_name("LICENSE").read_text()
    assert licence.startswith("MIT License\n\nCopyright (c) 2026 MiniStack Contributors")
