"""The command: build, deploy, watch and operate what functions/ and terraform/ describe."""

import tomllib
from importlib import metadata
from pathlib import Path


def _version(project_file: Path) -> str:
    """Return the version that `project_file` states, or that of the installed package where there is no checkout."""
    if project_file.is_file():
        return str(tomllib.loads(project_file.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("eventloom")


# A .pth file puts src/ on the path, so no package metadata exists in a checkout: pyproject.toml states the version.
__version__ = _version(Path(__file__).resolve().parents[2] / "pyproject.toml")
