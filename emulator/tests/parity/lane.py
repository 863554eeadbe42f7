"""Run LocalStack's tests that were validated on AWS against the embedded LocalStack.

Usage: PYTHONPATH=emulator/tests python -m parity.lane CHECKOUT [TEST ...]

CHECKOUT is a checkout of LocalStack's repository at the pinned commit; none of its files are copied. Each TEST is a
path in the checkout; the default is SELECTION. This interpreter's environment must have the tests' requirements.
EMULATOR is the emulator's interpreter, EMBEDDED_PORT its port, and PARITY_HOME the folder for its files.
Exit code 1: an outcome differs from the list in differences.toml, or LocalStack's tests did not run.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from parity import checkout, differences

SERVICES = "tests/aws/services"
SELECTION = [
    f"{SERVICES}/{path}"
    for path in (
        "dynamodb",
        "kinesis",
        "s3/test_s3_notifications_eventbridge.py",
        "s3/test_s3_notifications_lambda.py",
        "s3/test_s3_notifications_sns.py",
        "s3/test_s3_notifications_sqs.py",
        "sqs",
    )
]
# The first test waits five minutes, because AWS keeps a subscription that long. The second repeats TestKinesis for a
# LocalStack engine that the emulator does not include.
LEFT_OUT = (
    f"{SERVICES}/kinesis/test_kinesis.py::TestKinesis::test_subscribe_to_shard_timeout",
    f"{SERVICES}/kinesis/test_kinesis.py::TestKinesisMockScala",
)
TESTS = Path(__file__).resolve().parents[1]
LIMIT_S = 300  # for one test; the longest takes a minute on an idle machine


def run_tests(folder: Path, tests: list[str], port: int, home: Path) -> dict[str, dict[str, str]]:
    """Run tests of a checkout against the server on a port, and return their outcomes."""
    outcomes = home / "outcomes.json"
    outcomes.unlink(missing_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    environment = kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "DISABLE_EVENTS": "1",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "PARITY_OUTCOMES": str(outcomes),
        "PARITY_PORT": str(port),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(folder)]),
        "TEST_SKIP_LOCALSTACK_START": "1",
    }
    options = ["-p", "parity.plugin", "-p", "no:cacheprovider", "-v", "--tb=short", "--show-capture=no"]
    options += ["-m", "aws_validated", "--continue-on-collection-errors"]
    options += [f"--deselect={test}" for test in LEFT_OUT]
    command = [sys.executable, "-m", "pytest", f"--timeout={LIMIT_S}", *options, *tests]
    with (home / "tests.log").open("w") as log:
        subprocess.run(command, cwd=folder, env=environment, check=False, stdout=log, stderr=subprocess.STDOUT)
    results: dict[str, dict[str, str]] = json.loads(outcomes.read_text()) if outcomes.exists() else {}
    return results


def main() -> int:
    """Verify the checkout, start a server, run the tests, and compare their outcomes with the list."""
    parser = argparse.ArgumentParser(description="Run LocalStack's AWS-validated tests against the emulator.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    folder = arguments.checkout.resolve()
    try:
        checkout.verify(folder)
    except checkout.WrongCheckoutError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 1
    port = int(os.environ.get("EMBEDDED_PORT") or 4592)
    home = Path(os.environ["PARITY_HOME"]).resolve()
    emulator = [os.environ["EMULATOR"], "-m", "embedded_localstack"]
    options = ["--port", str(port), "--home", str(home / "server")]
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run([*emulator, "up", *options], check=True)
    try:
        outcomes = run_tests(folder, arguments.tests or SELECTION, port, home)
    finally:
        subprocess.run([*emulator, "down", *options, "--forget"], check=True)
    known = differences.listed()
    lines = differences.deviations(outcomes, known, complete=not arguments.tests)
    print(*lines, sep="\n")
    print(f"{differences.summary(outcomes, known)}: {home / 'tests.log'}")
    return 1 if lines or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
