"""The ./eventloom command: build, deploy, watch and operate the functions and the Terraform of this repository."""

import tomllib
from importlib import metadata
from pathlib import Path


def _version(project_file: Path) -> str:
    """Return the version in `project_file`, or that of the installed package if there is no such file."""
    if project_file.is_file():
        return str(tomllib.loads(project_file.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("eventloom")


# A checkout has no package metadata, because a .pth file adds src/ to the path. So the version is in pyproject.toml.
__version__ = _version(Path(__file__).resolve().parents[2] / "pyproject.toml")
