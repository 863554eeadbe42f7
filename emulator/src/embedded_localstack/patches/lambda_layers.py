"""Give functions the layers of other accounts from the files that LAMBDA_LAYERS names.

LocalStack Community answers 501 for such layers.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import base64
import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded_localstack import public_layers


def install() -> None:
    """Store the content of each such layer before LocalStack looks it up."""
    from localstack.services.lambda_.provider import LambdaProvider  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(LambdaProvider._validate_layers)
    def validate_layers(
        original: Callable[..., None], self: Any, new_layers: list[str], region: str, account_id: str
    ) -> None:
        for arn in public_layers.of_other_accounts(new_layers, account_id):
            if arn.split(":")[3] == region:  # LocalStack refuses those of other regions, as AWS does
                with self.create_layer_lock:
                    _provide(arn)
        original(self, new_layers, region, account_id)


def _provide(arn: str) -> None:
    """Store the content of the layer version's file. If the file has changed, its content replaces the stored content.

    Raises:
        InvalidParameterValueException: LAMBDA_LAYERS names no readable file for the layer.
    """
    from localstack.aws.api.lambda_ import InvalidParameterValueException  # noqa: PLC0415
    from localstack.services.lambda_.invocation.lambda_models import Layer  # noqa: PLC0415
    from localstack.services.lambda_.invocation.models import lambda_stores  # noqa: PLC0415

    _, _, _, region, account, _, name, version = arn.split(":")
    layers = lambda_stores[account][region].layers
    stored = layers[name].layer_versions.get(version) if name in layers else None
    files = public_layers.parse(os.environ.get(public_layers.VARIABLE, ""), Path())
    file = public_layers.file_for(arn, files)
    if not file and stored:
        return  # an earlier run of the server stored it from a file
    if not file:
        raise InvalidParameterValueException(public_layers.refusal(arn), Type="User")
    try:
        content = _content(file)
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidParameterValueException(public_layers.unreadable(arn, file, reason), Type="User") from error
    if not stored or stored.code.code_sha256 != _sha256(content):
        layer = layers.setdefault(name, Layer(arn=arn.rpartition(":")[0]))
        layer.layer_versions[version] = _layer_version(arn, content, file)


def _content(file: Path) -> bytes:
    """Return the bytes of a zip file.

    Raises:
        OSError: it cannot be read.
        zipfile.BadZipFile: it is not a zip file.
    """
    with zipfile.ZipFile(file):
        return file.read_bytes()


def _sha256(content: bytes) -> str:
    """Return the SHA-256 of a layer as Lambda shows it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _layer_version(arn: str, content: bytes, file: Path) -> Any:
    """Return a new layer version. Existing functions keep the earlier content."""
    from localstack.services.lambda_.api_utils import generate_lambda_date  # noqa: PLC0415
    from localstack.services.lambda_.invocation.lambda_models import LayerVersion  # noqa: PLC0415
    from localstack.services.lambda_.invocation.lambda_service import store_lambda_archive  # noqa: PLC0415

    _, _, _, region, account, _, name, version = arn.split(":")
    return LayerVersion(
        layer_version_arn=arn,
        layer_arn=arn.rpartition(":")[0],
        version=int(version),
        description=f"the content of {file.name}",
        license_info=None,
        compatible_runtimes=None,
        compatible_architectures=None,
        created=generate_lambda_date(),
        code=store_lambda_archive(content, function_name=name, region_name=region, account_id=account),
    )
