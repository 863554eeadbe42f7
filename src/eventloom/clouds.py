"""Define the clouds that commands and tests can use, and the environment variables that each cloud needs.

The option --cloud or the variable CLOUD chooses one of three: `embedded` (LocalStack on this machine without Docker),
`compose` (LocalStack in docker-compose.yml) or `aws`. By default, the environment `local` is in the embedded LocalStack
and every other environment is on AWS.
Only this module handles endpoints and dummy credentials.
"""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from eventloom.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
REGION = "us-east-1"
DEFAULT_PORT = 4566
ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}
HOST_ARCHITECTURE = ARCHITECTURES.get(platform.machine().lower(), "x86_64")


@dataclass(frozen=True)
class Cloud:
    """A cloud that Terraform deploys to. `port` is the port of an emulator, or None for AWS."""

    name: str
    port: int | None
    about: str

    @property
    def endpoint(self) -> str | None:
        """Return the address of the emulator, or None for AWS."""
        return f"http://127.0.0.1:{self.port}" if self.port else None

    @property
    def key(self) -> str:
        """Return the cloud's name for paths in build/. A port other than the default is part of the name."""
        return self.name if self.port in {None, DEFAULT_PORT} else f"{self.name}-{self.port}"

    @property
    def architecture(self) -> str:
        """Return Lambda's architecture: the variable ARCH, or x86_64 on AWS and this machine's in an emulator."""
        return os.environ.get("ARCH") or (HOST_ARCHITECTURE if self.port else "x86_64")

    def environment(self) -> dict[str, str]:
        """Return the environment variables for Terraform, boto3 and pytest.

        For an emulator, dummy credentials replace those of the caller's environment, so that no test can reach an AWS
        account.
        """
        environment = dict(os.environ)
        environment.update(tool_environment())
        environment["TF_VAR_architecture"] = self.architecture
        if not self.port:
            return environment
        for variable in [name for name in environment if name.startswith("AWS_")]:
            if variable != "AWS_CA_BUNDLE":
                del environment[variable]
        return environment | {
            "AWS_ENDPOINT_URL": str(self.endpoint),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "TF_VAR_s3_use_path_style": "true",
            **no_proxy(environment),
        }


def _port(variable: str) -> int:
    """Return the port in an environment variable, or -1 if it is not a number. chosen_cloud() refuses -1."""
    text = os.environ.get(variable) or str(DEFAULT_PORT)
    return int(text) if text.isdecimal() else -1


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud("embedded", _port("EMBEDDED_PORT"), "LocalStack on this machine, without Docker, IAM enforced"),
        Cloud("compose", _port("COMPOSE_PORT"), "LocalStack in docker-compose"),
        Cloud("aws", None, "a real account"),
    )
}


def tool_environment() -> dict[str, str]:
    """Return environment variables with which tools find what bootstrap.sh installed and write only in the checkout."""
    config = os.environ.get("TF_CLI_CONFIG_FILE", "")
    return {
        "PATH": f"{BUILD / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TF_CLI_CONFIG_FILE": config if config and Path(config).is_file() else str(BUILD / "terraform.tfrc"),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "UV_CACHE_DIR": str(BUILD / "cache" / "uv"),
    }


def no_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that exclude emulators from the proxy."""
    others = environment.get("no_proxy") or environment.get("NO_PROXY")
    return dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost" + (f",{others}" if others else ""))


_choice: str | None = None


def choose(name: str | None) -> None:
    """Use this cloud from now on. None leaves the choice to the variable CLOUD."""
    global _choice  # noqa: PLW0603 - one process works with one cloud; tests choose another between two commands
    _choice = name


def choose_for(environment: str) -> None:
    """Choose the default cloud of an environment, unless --cloud or CLOUD names one.

    The environment `local` is in the embedded LocalStack, and every other environment is on AWS.
    """
    if not _choice and not os.environ.get("CLOUD"):
        choose("embedded" if environment == "local" else "aws")


def default_environment() -> str | None:
    """Return the default of --env: `local` in an emulator, or None on AWS, where users must name an environment."""
    return "local" if chosen_cloud().port else None


def use_port(port: int) -> None:
    """Set the port of the embedded LocalStack, like EMBEDDED_PORT."""
    CLOUDS["embedded"] = replace(CLOUDS["embedded"], port=port)


def chosen_cloud(name: str | None = None) -> Cloud:
    """Return the cloud with this name, or the chosen cloud by default.

    Raises UserError for an unknown name and for an invalid port.
    """
    name = name or _choice or os.environ.get("CLOUD") or "embedded"
    if name not in CLOUDS:
        raise UserError(f"no cloud is named '{name}' (--cloud or CLOUD); choose one of: {', '.join(CLOUDS)}")
    cloud = CLOUDS[name]
    if cloud.port is not None and not 0 < cloud.port < 65536:
        raise UserError(f"set {name.upper()}_PORT to a port from 1 to 65535, or unset it for {DEFAULT_PORT}")
    return cloud


def client(service: str, cloud_name: str | None = None, *, only_attempt_s: float | None = None) -> Any:
    """Return a boto3 client for the chosen or named cloud. Raises botocore's NoRegionError on AWS without a region.

    With `only_attempt_s`, the client waits this many seconds for a response and never retries.
    """
    return _client(service, chosen_cloud(cloud_name), only_attempt_s)


@cache
def _client(service: str, cloud: Cloud, only_attempt_s: float | None) -> Any:
    import boto3  # noqa: PLC0415 - packaging runs without it, in a tenth of a second
    from botocore.config import Config  # noqa: PLC0415

    once = Config(read_timeout=only_attempt_s, retries={"total_max_attempts": 1}) if only_attempt_s else Config()
    if not cloud.port:
        return boto3.client(service, region_name=_region(), config=once)  # type: ignore[call-overload]
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - what every emulator takes
        config=Config(
            s3={"addressing_style": "path"}, retries={"max_attempts": 2}, max_pool_connections=64, proxies={}
        ).merge(once),
    )


def forget_clients() -> None:
    """Clear the cache of clients, after a change of the credentials or the region."""
    _client.cache_clear()


def _region() -> str:
    """Return the AWS region that Terraform would use. Raises botocore's NoRegionError if none is set.

    boto3 does not read AWS_REGION, and it uses us-east-1 for S3 if no region is set.
    """
    import boto3  # noqa: PLC0415 - as above
    from botocore.exceptions import NoRegionError  # noqa: PLC0415

    region: str | None = os.environ.get("AWS_REGION") or boto3.Session().region_name
    if not region:
        raise NoRegionError
    return region
