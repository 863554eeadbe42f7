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
    """The plans of all environments, by name."""
    return {name: json.loads(path.read_text()) for name, path in plan_all().items()}


@pytest.fixture(scope="session")
def gathered() -> None:
    """Ensure that there is evidence of a whole run. Its deployment is reused by test_taken_away.py."""
    if evidence.is_current():
        return
    log = clouds.BUILD / "iam" / "integration.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        command = [PYTHON, "-m", "pytest", "-q", "tests/integration", "--keep"]
        process = subprocess.run(command, cwd=clouds.ROOT, check=False, stdout=file, stderr=subprocess.STDOUT)
    assert process.returncode == 0, f"the integration tests failed: {log}\n{log.read_text()[-2000:]}"
    assert evidence.is_current()


def judge_of(all_documents: list[documents.Document]) -> Judge:
    """Return a judge that knows all recorded decisions and these documents."""
    folders = [clouds.ROOT / "tests" / name for name in ("browser", "integration")]
    modules = [path for folder in folders for path in sorted(folder.glob("test_*.py"))]
    return Judge(all_documents, decisions.recorded(), decisions.declared_proofs(), modules, reasons())


@pytest.fixture(scope="session")
def judge(gathered: None) -> Judge:
    """A judge that knows everything that was deployed and decided."""
    roots = [state(name) for name in ("root", "probe")]
    return judge_of([document for root in roots for document in documents.policies(root)])


@pytest.fixture(scope="session")
def judged(judge: Judge) -> list[Grant]:
    """Every grant with its proofs. This also writes the report."""
    judged_grants = judge.judge()
    counts = matrix.write(judged_grants)
    print(f"\n{counts}: build/iam/report.html")
    return judged_grants


def state(name: str) -> dict[str, Any]:
    """Return the root module of a deployed state."""
    values: dict[str, Any] = json.loads((evidence.FOLDER / f"state.{name}.json").read_text())["values"]
    root: dict[str, Any] = values["root_module"]
    return root


def pytest_sessionfinish() -> None:
    """Add the proofs of test_taken_away.py, which runs after the grants were judged, to the report."""
    matrix.write_page()
