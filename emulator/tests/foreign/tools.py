"""Install the pinned tools that deploy other people's projects, each at its first use."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_SECONDS = 500
STAND_INS = {"archive": "2.7.1", "external": "2.3.5", "local": "2.5.3", "null": "3.2.4", "random": "3.7.2"}
"""The providers that stand_ins.py stands in for, and the versions that it says it has."""


class ToolError(Exception):
    """Raised if a tool cannot be installed here. The text says why."""


@dataclass(frozen=True)
class Tools:
    """The installed tools, in a folder that is kept between runs."""

    folder: Path

    def npm(self) -> Path:
        """Return the folder with the packages of npm/package.json in `node_modules`.

        Raises:
            ToolError: npm is missing, or cannot install the packages.
        """
        lock, folder = HERE / "npm" / "package-lock.json", self.folder / "npm"
        if not shutil.which("npm"):
            raise ToolError("npm is not on the PATH")
        if self._is_current(folder, lock):
            return folder
        self._begin(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(lock.with_name(name), folder / name)
        self._install(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
        return self._finish(folder, lock)

    def python(self, name: str) -> Path:
        """Return the folder `bin` of an environment with the packages of requirements/NAME.txt.

        Raises:
            ToolError: the packages cannot be installed.
        """
        requirements, folder = HERE / "requirements" / f"{name}.txt", self.folder / name
        if not self._is_current(folder, requirements):
            self._begin(folder)
            self._install([sys.executable, "-m", "venv", str(folder)], folder)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
            self._install([*pip, "-r", str(requirements)], folder)
            self._finish(folder, requirements)
        return folder / "bin"

    def terraform(self) -> Path:
        """Return the program that TERRAFORM names, or the one on the PATH.

        Raises:
            ToolError: Terraform is missing.
        """
        program = shutil.which(os.environ.get("TERRAFORM") or "terraform")
        if not program:
            raise ToolError("terraform is not on the PATH; name it with TERRAFORM")
        return Path(program)

    def provider_settings(self) -> Path:
        """Write Terraform's settings, and return the file.

        TF_PROVIDER_MIRROR is a folder with the AWS provider, for a machine that cannot reach the registry. The other
        providers are then stand-ins (stand_ins.py).
        """
        settings, mirror = self.folder / "terraform.tfrc", os.environ.get("TF_PROVIDER_MIRROR")
        self.folder.mkdir(parents=True, exist_ok=True)
        if not mirror:
            settings.write_text("")
            return settings
        aws, stand_ins = '["registry.terraform.io/hashicorp/aws"]', self._stand_ins()
        settings.write_text(
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path = "{mirror}"\n    include = {aws}\n  }}\n'
            f'  filesystem_mirror {{\n    path = "{stand_ins}"\n    exclude = {aws}\n  }}\n}}\n'
        )
        return settings

    def _stand_ins(self) -> Path:
        """Make a provider mirror of the stand-ins. Each stand-in is a script that starts stand_ins.py."""
        python, mirror = self.python("providers") / "python", self.folder / "stand-ins"
        machine = "arm64" if os.uname().machine in ("aarch64", "arm64") else "amd64"
        for name, version in STAND_INS.items():
            folder = mirror / "registry.terraform.io/hashicorp" / name / version / f"linux_{machine}"
            folder.mkdir(parents=True, exist_ok=True)
            program = folder / f"terraform-provider-{name}_v{version}"
            program.write_text(f'#!/bin/sh\nexec "{python}" "{HERE / "stand_ins.py"}" {name}\n')
            program.chmod(0o755)
        return mirror

    @staticmethod
    def _is_current(folder: Path, pins: Path) -> bool:
        stamp = folder / ".pins"
        return stamp.exists() and stamp.read_text() == hashlib.sha256(pins.read_bytes()).hexdigest()

    @staticmethod
    def _begin(folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    @staticmethod
    def _finish(folder: Path, pins: Path) -> Path:
        (folder / ".pins").write_text(hashlib.sha256(pins.read_bytes()).hexdigest())
        return folder

    @staticmethod
    def _install(command: list[str], folder: Path) -> None:
        try:
            subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            output = getattr(error, "stderr", None) or error
            raise ToolError(f"{command[0]} could not install it: {' '.join(str(output).split())[-300:]}") from error
