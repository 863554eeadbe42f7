"""Test how the Powertools layer is built, with the test's wheels instead of PyPI's."""

import zipfile
from pathlib import Path

import pytest

from embedded_localstack import cli, powertools

SITE = "aws_lambda_powertools"


def wheel(folder: Path, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> None:
    """Write a wheel with one module into a folder."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    files = {
        f"{module}/__init__.py": f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: all\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{module}-{version}-{tag}.whl", "w") as archive:
        for file, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, content)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH, which is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def index(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of wheels, which is the only index of pip."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_layer_has_what_the_runtime_lacks(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wheel(index, "aws-lambda-powertools", powertools.VERSION, 'boto3 ; extra == "all"', 'compiled ; extra == "all"')
    wheel(index, "boto3", "1.0")
    for machine in ("x86_64", "aarch64"):
        wheel(index, "compiled", "2.0", tag=f"cp312-cp312-manylinux2014_{machine}")
    output = tmp_path / "powertools.zip"
    arguments = ["layer", "powertools", "--python", "3.12", "--architecture", "arm64", str(output)]
    assert cli.main(arguments) == 0
    pattern = "arn:aws:lambda:*:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-arm64:*"
    assert f"LAMBDA_LAYERS='{pattern}={output}' embedded-localstack up" in capsys.readouterr().out
    with zipfile.ZipFile(output) as archive:
        files = {name.split("/", 1)[1].split("/")[0] for name in archive.namelist()}
        tag = archive.read("python/compiled-2.0.dist-info/WHEEL").decode()
    assert files == {SITE, f"{SITE}-{powertools.VERSION}.dist-info", "compiled", "compiled-2.0.dist-info"}
    assert "aarch64" in tag


def test_without_a_network_it_says_what_to_do(programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    uv, called = programs / "uv", tmp_path / "called"
    uv.write_text(f'#!/bin/sh\necho "$*" > {called}\necho "error: dns error" >&2\nexit 2\n')
    uv.chmod(0o755)
    output = tmp_path / "powertools.zip"
    arguments = ["--version", "3.1.0", "--architecture", "arm64", "--python", "3.11", str(output)]
    assert cli.main(["layer", "powertools", *arguments]) == 1
    error = capsys.readouterr().err
    assert "aws-lambda-powertools[all]==3.1.0 could not be installed from PyPI (error: dns error)" in error
    assert "connect to the network, name your own index with PIP_INDEX_URL or UV_INDEX_URL" in error
    asked = called.read_text()
    assert "--python-platform aarch64-manylinux2014" in asked
    assert "--python-version 3.11 aws-lambda-powertools[all]==3.1.0" in asked
    assert sorted(tmp_path.iterdir()) == [programs, called]


def test_a_folder_that_is_not_there_is_reported_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["layer", "powertools", str(tmp_path / "nowhere" / "a.zip")]) == 1
    assert f"{tmp_path / 'nowhere'} is not a folder that can be written to" in capsys.readouterr().err
