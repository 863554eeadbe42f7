"""Test the setting that names files for the layers of other accounts."""

from pathlib import Path

import pytest

from embedded_localstack import public_layers
from embedded_localstack.public_layers import file_for, of_other_accounts, parse, refusal
from embedded_localstack.settings import server_environment
from embedded_localstack.state import Home, LaunchError

V3 = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7"
KLAYERS = "arn:aws:lambda:us-east-1:770693421928:layer:Klayers-p313-numpy:4"


def test_the_first_pattern_that_matches_names_the_file():
    files = parse(f"{V3}=exact.zip, {public_layers.EXAMPLE}=/any/all.zip,", Path("/project"))
    assert files == {V3: Path("/project/exact.zip"), public_layers.EXAMPLE: Path("/any/all.zip")}
    assert file_for(V3, files) == Path("/project/exact.zip")
    assert file_for(V3.replace("eu-west-1", "us-east-1"), files) == Path("/any/all.zip")
    assert file_for(KLAYERS, files) is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (V3, f"has the entry {V3}, which names no file; write arn:aws:lambda:"),
        (f"{V3}= ", "which names no file"),
        ("powertools=a.zip", "has the pattern powertools, which is not the ARN of a layer version"),
        (f"{V3.rpartition(':')[0]}=a.zip", "is not the ARN of a layer version; write arn:aws:lambda:REGION:ACCOUNT"),
        (V3.replace(":layer:", ":function:") + "=a.zip", "is not the ARN of a layer version"),
    ],
)
def test_a_malformed_setting_is_refused_before_the_server_starts(
    setting: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LAMBDA_LAYERS", setting)
    with pytest.raises(LaunchError) as refused:
        server_environment(Home(4599, tmp_path))
    assert message in str(refused.value)


def test_the_server_finds_files_that_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMBDA_LAYERS", f"{V3}=layers/a.zip,{KLAYERS}=/b.zip")
    passed = server_environment(Home(4599, tmp_path))["LAMBDA_LAYERS"]
    assert parse(passed, Path("/elsewhere")) == {V3: tmp_path / "layers/a.zip", KLAYERS: Path("/b.zip")}


def test_only_layers_of_other_accounts_need_a_file():
    own = V3.replace("017000801446", "000000000000")
    assert of_other_accounts([own, V3, "arn:aws:lambda:::awslayer:AmazonLinux1703"], "000000000000") == [V3]


@pytest.mark.parametrize(
    ("name", "options", "made_with"),
    [
        ("V3-python312-arm64", "--python 3.12 --architecture arm64", ("3.37.0", "3.12", "arm64")),
        ("V3-python39-x86_64", "--python 3.9 --architecture x86_64", ("3.0.0", "3.9", "x86_64")),
        ("V2", "--version 2.43.1 --architecture x86_64", ("2.43.1", "3.12", "x86_64")),
        ("V2-Arm64", "--version 2.43.1 --architecture arm64", ("2.43.1", "3.12", "arm64")),
    ],
)
def test_the_refusal_of_a_powertools_layer_says_how_to_make_it(
    name: str, options: str, made_with: tuple[str, str, str]
):
    arn = f"arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPython{name}:12"
    assert f"embedded-localstack layer powertools {options} powertools.zip" in refusal(arn)
    assert f"LAMBDA_LAYERS='{arn}=powertools.zip'" in refusal(arn)
    assert file_for(arn, {public_layers.powertools(*made_with): Path("made.zip")})


def test_the_refusal_of_another_layer_names_the_setting():
    assert f"LAMBDA_LAYERS='{KLAYERS}=FILE.zip'" in refusal(KLAYERS)
    assert "powertools" not in refusal(KLAYERS)
