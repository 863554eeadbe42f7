"""Check that Lambda can import the new code before events reach it."""

import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

IMPORTER = Path(__file__).with_name("importer.py")


class ImportCheck:
    """A process that imports a function's handler on request, with the function's dependencies and variables."""

    def __init__(self, python: Path, name: str, functions: Path, archive: Path, variables: dict[str, str]) -> None:
        """Start the process, after the dependencies in the function's zip `archive` are unpacked."""
        self._folder = Path(tempfile.mkdtemp(prefix=f"eventloom-dev-{name}-"))
        (self._folder / "tmp").mkdir()
        with zipfile.ZipFile(archive) as bundle:
            own = (f"{name}/", "shared/")
            bundle.extractall(
                self._folder / "packages", [entry for entry in bundle.namelist() if not entry.startswith(own)]
            )
        command = [str(python), "-P", str(IMPORTER), f"{name}.handler", str(functions), str(self._folder / "packages")]
        self._process = subprocess.Popen(
            command,
            env=self._environment(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            process_group=0,
        )

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "TMPDIR": str(self._folder / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # Nothing answers there.
            "AWS_EC2_METADATA_DISABLED": "true",
            **variables,
        }

    def problem(self) -> str:
        """Import the saved handler and return the traceback, or "" if the import works or the result is unknown."""
        questions, answers = self._process.stdin, self._process.stdout
        if not questions or not answers:
            return ""
        try:
            questions.write("\n")
            questions.flush()
            answer: Any = json.loads(answers.readline())
        except (OSError, ValueError):  # The process ended. Lambda reports problems when it runs the code.
            return ""
        return str(answer)

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)
