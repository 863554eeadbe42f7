"""The command: build, deploy, watch and operate what functions/ and terraform/ describe."""

import tomllib
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
# The one place for the version is pyproject.toml: the command runs from the checkout and is not installed.
__version__: str = tomllib.loads(_PROJECT.read_text())["project"]["version"]
