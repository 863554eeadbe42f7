"""Configure all tests in this folder. They start an emulator on a separate port."""

import json
import os
import subprocess
from typing import Any

import pytest

os.environ.setdefault("EMBEDDED_PORT", "4598")

from eventloom import clouds
from tests.iam import decisions, documents, matrix
from tests.iam.environments import plan_all
from tests.iam.proof import Grant, Judge
from tests.iam.reasons import reasons
from tests.integration import evidence

PYTHON = str(clouds.BUILD / "venv/dev/bin/python")


@pytest.fixture(scope="session")
def plans() -> dict[str, dict[str, Any]]:
    """Return the plans of all environments, by name."""
    return {name: json.loads(path.read_text()) for name, path in plan_all().items()}


@pytest.fixture(scope="session")
def gathered() -> None:
    """Ensure that there is evidence of whole runs. test_taken_away.py reuses the deployment of such a run."""
    for session in evidence.missing():
        log = clouds.BUILD / "iam" / f"{session}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = {name: value for name, value in os.environ.items() if name != "EMBEDDED_PORT"}
        options = []
        if session == "integration":
            variables["EMBEDDED_PORT"] = os.environ["EMBEDDED_PORT"]
            options = ["--keep"]
        command = [PYTHON, "-m", "pytest", "-q", f"tests/{session}", *options]
        with log.open("w") as file:
            process = subprocess.run(
                command, cwd=clouds.ROOT, env=variables, check=False, stdout=file, stderr=subprocess.STDOUT
            )
        assert process.returncode == 0, f"the tests failed: {log}\n{log.read_text()[-2000:]}"
    assert evidence.missing() == []


def judge_of(all_documents: list[documents.Document]) -> Judge:
    """Return a judge with all recorded decisions and these documents."""
    folders = [clouds.ROOT / "tests" / name for name in ("browser", *evidence.SESSIONS)]
    modules = [path for folder in folders for path in sorted(folder.glob("test_*.py"))]
    return Judge(all_documents, decisions.recorded(), decisions.declared_proofs(), modules, reasons())


@pytest.fixture(scope="session")
def judge(gathered: None) -> Judge:
    """Return a judge with all deployed documents and all recorded decisions."""
    roots = [evidence.state(name) for name in ("root", "probe")]
    return judge_of([document for root in roots for document in documents.policies(root)])


@pytest.fixture(scope="session")
def judged(judge: Judge) -> list[Grant]:
    """Return every grant with its proofs, and write the report."""
    judged_grants = judge.judge()
    counts = matrix.write(judged_grants)
    print(f"\n{counts}: build/iam/report.html")
    return judged_grants


def pytest_sessionfinish() -> None:
    """Add the proofs of test_taken_away.py, which runs after the grants were judged, to the report."""
    matrix.write_page()
