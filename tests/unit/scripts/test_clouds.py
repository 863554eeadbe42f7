"""Lanes: emulators never see real credentials, AWS is never reached by accident."""

import pytest

import clouds


@pytest.mark.parametrize("name", ["embedded", "compose"])
def test_an_emulator_gets_dummy_credentials_whatever_the_environment_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.setenv(variable, "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
    environment = clouds.LANES[name].environment()
    assert "real" not in {value for key, value in environment.items() if key.startswith("AWS_")}
    assert "AWS_ENDPOINT_URL_S3" not in environment
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_aws_keeps_the_callers_credentials_and_has_no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    environment = clouds.LANES["aws"].environment()
    assert environment["AWS_PROFILE"] == "mine"
    assert "AWS_ENDPOINT_URL" not in environment


def test_an_unknown_lane_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(SystemExit, match="embedded, compose, aws"):
        clouds.lane("azure")


def test_a_set_but_missing_terraform_configuration_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/terraformrc")
    assert clouds.tool_environment()["TF_CLI_CONFIG_FILE"] == str(clouds.BUILD / "terraform.tfrc")
