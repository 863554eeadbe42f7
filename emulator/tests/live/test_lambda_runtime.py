"""Test that functions can import the packages of AWS's runtime and none of the emulator's packages."""

import os
import subprocess
from pathlib import Path

import pytest

from embedded_localstack import lambda_runtime
from embedded_localstack.state import LaunchError


def test_it_has_the_packages_of_aws_and_their_dependencies():
    assert {distribution.name.lower().replace("_", "-") for distribution in lambda_runtime.provided()} == {
        "awslambdaric",
        "boto3",
        "botocore",
        "jmespath",
        "python-dateutil",
        "s3transfer",
        "simplejson",
        "six",
        "snapshot-restore-py",
        "urllib3",
    }


def test_a_function_cannot_import_the_emulator_s_packages(interpreter: Path):
    code = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        print(importlib.import_module(name).__name__)
    except ImportError:
        print("no", name)
"""
    names = ["awslambdaric.bootstrap", "boto3", "yaml", "localstack", "moto", "embedded_localstack"]
    done = subprocess.run(
        [interpreter, "-c", code, *names], env={"PATH": os.defpath}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == [
        "awslambdaric.bootstrap",
        "boto3",
        "no yaml",
        "no localstack",
        "no moto",
        "no embedded_localstack",
    ]


def test_it_is_created_once(interpreter: Path):
    modified = interpreter.parents[1].stat().st_mtime_ns
    assert lambda_runtime.interpreter(interpreter.parents[2]) == interpreter
    assert interpreter.parents[1].stat().st_mtime_ns == modified


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lambda_runtime, "PROVIDED", ("awslambdaric", "no-such-package"))
    with pytest.raises(LaunchError, match="no-such-package is not installed; install embedded-localstack again"):
        lambda_runtime.interpreter(tmp_path)
