"""The overviews in the packages' docstrings are true."""

import ast
import fnmatch
import re
from pathlib import Path

import pytest

import embedded_localstack

ROOT = Path(embedded_localstack.__file__).parent
LISTED = re.compile(r"^    ([\w*]+\.py) ", re.MULTILINE)
IMPORTING = re.compile(r"[Oo]nly (\w+\.py(?:(?:, | and )\w+\.py)*) (?:imports? )?(LocalStack(?: or moto)?)")


def imports(source: str) -> set[str]:
    """The packages that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        found |= {name.partition(".")[0] for name in names}
    return found


@pytest.mark.parametrize("package", ["executor", "iam", "load_balancers"])
def test_a_package_s_overview(package: str) -> None:
    overview = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()), clean=False) or ""
    modules = {
        path.name: imports(path.read_text()) for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"
    }
    listed = {pattern: fnmatch.filter(modules, pattern) for pattern in LISTED.findall(overview)}
    assert [pattern for pattern, found in listed.items() if not found] == []
    assert {name for found in listed.values() for name in found} == set(modules)
    said = IMPORTING.findall(overview)
    assert said
    for files, libraries in said:
        wanted = {name.lower() for name in libraries.split(" or ")}
        assert {name for name, found in modules.items() if found & wanted} == set(re.findall(r"\w+\.py", files)), (
            libraries
        )
