"""Find the user's zip file that replaces a layer of another account, such as a public layer of AWS.

LAMBDA_LAYERS maps ARNs to files. An ARN may contain wildcards, so one file can replace all regions and versions of a
layer.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from embedded_localstack.state import LaunchError

VARIABLE = "LAMBDA_LAYERS"
EXAMPLE = "arn:aws:lambda:*:017000801446:layer:AWSLambdaPowertoolsPythonV3-*:*"
"""The layers of Powertools for AWS Lambda (Python) 3, for all runtimes.

https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/
"""
_V3 = re.compile(r":layer:AWSLambdaPowertoolsPythonV3-python3(\d+)-(x86_64|arm64):\d+$")
_V2 = re.compile(r":layer:AWSLambdaPowertoolsPythonV2(-Arm64)?:\d+$")
LAST_OF_V2 = "2.43.1"
_PARTS = 8
"""arn:PARTITION:lambda:REGION:ACCOUNT:layer:NAME:VERSION"""


def powertools(version: str, python: str, machine: str) -> str:
    """Return the ARN pattern of AWS's layers for a Powertools version, a Python version and an architecture."""
    if version.startswith("2."):
        name = "AWSLambdaPowertoolsPythonV2" + ("-Arm64" if machine == "arm64" else "")
    else:
        name = f"AWSLambdaPowertoolsPythonV3-python{python.replace('.', '')}-{machine}"
    return f"arn:aws:lambda:*:017000801446:layer:{name}:*"


def parse(setting: str, folder: Path) -> dict[str, Path]:
    """Return the file of each pattern of ARNs. Relative files are below `folder`.

    Args:
        setting: the value of LAMBDA_LAYERS: PATTERN=FILE, with commas between several.
        folder: the working directory of the command that read the variable.

    Raises:
        LaunchError: an entry is not PATTERN=FILE, or its pattern cannot match the ARN of a layer version.
    """
    files = {}
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        pattern, separator, file = (part.strip() for part in entry.partition("="))
        if not separator or not file:
            raise LaunchError(f"{VARIABLE} has the entry {entry}, which names no file; write {EXAMPLE}=FILE.zip")
        parts = pattern.split(":")
        if len(parts) != _PARTS or parts[0] != "arn" or (parts[2], parts[5]) != ("lambda", "layer"):
            raise LaunchError(
                f"{VARIABLE} has the pattern {pattern}, which is not the ARN of a layer version; write "
                f"arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION, where * stands for any text"
            )
        files[pattern] = folder / Path(file).expanduser()
    return files


def written(files: dict[str, Path]) -> str:
    """Return the value of LAMBDA_LAYERS that names these files."""
    return ",".join(f"{pattern}={file}" for pattern, file in files.items())


def file_for(arn: str, files: dict[str, Path]) -> Path | None:
    """Return the file of the first pattern that matches the ARN of a layer version, or None."""
    return next((file for pattern, file in files.items() if fnmatchcase(arn, pattern)), None)


def of_other_accounts(arns: Iterable[str], account: str) -> list[str]:
    """Return the ARNs of layer versions that another account owns."""
    return [arn for arn in arns if len(parts := arn.split(":")) == _PARTS and parts[4] != account]


def refusal(arn: str) -> str:
    """Return the error message for a layer that no file replaces."""
    why = f"the layer {arn} belongs to another account, and the embedded LocalStack downloads no layers"
    if options := _options(arn):
        make = f"make it with: embedded-localstack layer powertools {options} powertools.zip"
        return f"{why}; {make}; then stop the server, and start it with {VARIABLE}='{arn}=powertools.zip'"
    return (
        f"{why}; put its content into a zip file, stop the server, and start it with {VARIABLE}='{arn}=FILE.zip' "
        "(* in the ARN stands for any text)"
    )


def _options(arn: str) -> str:
    """Return the options of `layer powertools` for the ARN, or an empty string if the layer is another one."""
    if match := _V3.search(arn):
        return f"--python 3.{match[1]} --architecture {match[2]}"
    if match := _V2.search(arn):
        return f"--version {LAST_OF_V2} --architecture {'arm64' if match[1] else 'x86_64'}"
    return ""


def unreadable(arn: str, file: Path, reason: str) -> str:
    """Return the error message for a file that cannot be read."""
    return (
        f"{VARIABLE} names {file} for the layer {arn}, but it cannot be read ({reason}); make the file again, or "
        f"start the server with another {VARIABLE}"
    )
