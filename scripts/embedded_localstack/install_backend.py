"""A PEP 660 build backend for this one package: an editable wheel with its entry points, and nothing to build.

LocalStack finds plugins by the entry points of installed distributions, so the package has to be installed; it is only ever
used from its checkout, so a wheel that points there is all it needs.
"""

import tomllib
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    return project


def build_editable(wheel_directory: str, _config: Any = None, _metadata_directory: str | None = None) -> str:
    """Write the wheel into `wheel_directory` and return its name (PEP 660)."""
    project = _project()
    name, version = project["name"].replace("-", "_"), project["version"]
    entry_points = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.pth": f"{HERE.parent}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\nSummary: {project['description']}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: embedded-localstack\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points,
    }
    record = f"{info}/RECORD"
    files[record] = "".join(f"{path},,\n" for path in [*files, record])
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def build_wheel(_wheel_directory: str, _config: Any = None, _metadata_directory: str | None = None) -> str:
    """Not offered: a copy in site-packages would not know its checkout."""
    raise SystemExit("embedded-localstack is installed in place: uv pip install -e scripts/embedded_localstack")
