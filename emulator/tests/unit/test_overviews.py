"""Test that the overviews in the packages' docstrings match the packages."""

import ast
import fnmatch
import re
from pathlib import Path

import pytest

import embedded_localstack

ROOT = Path(embedded_localstack.__file__).parent
LISTED = re.compile(r"^    ([\w*]+\.py) ", re.MULTILINE)
IMPORTING = re.compile(r"[Oo]nly (\w+\.py(?:(?:,\s|\sand\s)\w+\.py)*)\s(?:imports?\s)?(LocalStack(?: or moto)?)")


def imports(source: str) -> set[str]:
    """Return the packages that a module imports anywhere in its code."""
    packages = set()
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        packages |= {name.partition(".")[0] for name in names}
    return packages


@pytest.mark.parametrize("package", ["executor", "iam", "load_balancers"])
def test_a_packages_overview_lists_its_modules(package: str) -> None:
    overview = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()), clean=False) or ""
    modules = {
        path.name: imports(path.read_text()) for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"
    }
    listed = {pattern: fnmatch.filter(modules, pattern) for pattern in LISTED.findall(overview)}
    assert [pattern for pattern, names in listed.items() if not names] == []
    assert {name for names in listed.values() for name in names} == set(modules)
    claims = IMPORTING.findall(overview)
    assert claims
    for files, libraries in claims:
        wanted = {name.lower() for name in libraries.split(" or ")}
        assert {name for name, packages in modules.items() if packages & wanted} == set(
            re.findall(r"\w+\.py", files)
        ), libraries
