"""Test layers of other accounts. The user provides their content in a file."""

import json
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from support import SOON, Cloud, package

CODE = """
import os
import public

def handler(event, context):
    return [public.VERSION, sorted(os.listdir("/opt"))]
"""
POWERTOOLS = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7"


@pytest.fixture
def layer(public_layer: tuple[str, Path]) -> tuple[str, Path]:
    """Return a pattern of layer ARNs of another account, and the file with the content of these layers."""
    write(public_layer[1], "one")
    return public_layer


def write(file: Path, version: str) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("python/public.py", f"VERSION = {version!r}")


def answer(cloud: Cloud, name: str) -> list[object]:
    cloud.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
    return list(json.loads(cloud.lambda_.invoke(FunctionName=name)["Payload"].read()))


def test_a_function_has_the_content_of_the_file(cloud: Cloud, name: str, layer: tuple[str, Path]):
    pattern, file = layer
    first, second = pattern.replace("*", "3"), pattern.replace("*", "4")
    cloud.function(name, Layers=[first], Code={"ZipFile": package(CODE)})
    assert answer(cloud, name) == ["one", ["python"]]
    (shown,) = cloud.lambda_.get_function(FunctionName=name)["Configuration"]["Layers"]
    assert shown == {"Arn": first, "CodeSize": file.stat().st_size}
    assert cloud.lambda_.get_layer_version_by_arn(Arn=first)["Version"] == 3
    write(file, "two")
    cloud.lambda_.update_function_configuration(FunctionName=name, Layers=[second])
    assert answer(cloud, name) == ["two", ["python"]]
    cloud.lambda_.update_function_configuration(FunctionName=name, Layers=[first])
    assert answer(cloud, name) == ["two", ["python"]], "the file has changed since the first time"


@pytest.mark.parametrize("content", ["", "text"])
def test_a_file_that_cannot_be_read_is_named(cloud: Cloud, name: str, layer: tuple[str, Path], content: str):
    pattern, file = layer
    file.unlink()
    if content:
        file.write_text(content)
    reason = "File is not a zip file" if content else "No such file or directory"
    message = f"LAMBDA_LAYERS names {file} for the layer {pattern.replace('*', '5')}, but it cannot be read"
    with pytest.raises(ClientError) as refused:
        cloud.function(name, Layers=[pattern.replace("*", "5")])
    assert f"{message} ({reason}); make the file again" in refused.value.response["Error"]["Message"]


def test_a_layer_without_a_file_is_refused(cloud: Cloud, name: str):
    with pytest.raises(ClientError) as refused:
        cloud.function(name, Layers=[POWERTOOLS])
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "embedded-localstack layer powertools --python 3.13" in refused.value.response["Error"]["Message"]
    cloud.function(f"{name}-yet")
    with pytest.raises(ClientError, match="start it with LAMBDA_LAYERS='arn:aws:lambda:us-east-1:017000801446:layer:"):
        cloud.lambda_.update_function_configuration(FunctionName=f"{name}-yet", Layers=[POWERTOOLS])


def test_a_layer_of_another_region_is_refused_as_on_aws(cloud: Cloud, name: str, layer: tuple[str, Path]):
    arn = layer[0].replace("*", "3").replace("us-east-1", "eu-west-1")
    with pytest.raises(ClientError, match=f"not authorized to perform: lambda:GetLayerVersion on resource: {arn}"):
        cloud.function(name, Layers=[arn])
