"""How every command ends: what can be mended is told in a line that says how, not with a traceback."""

import sys
from collections.abc import Callable
from typing import NoReturn

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from eventloom.clouds import chosen_cloud

_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.LoginError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
# What AWS's services call credentials that have expired or are wrong
_REFUSED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
# What a region answers to credentials of an account that has not enabled it
_UNKNOWN_THERE = {"InvalidClientTokenId", "UnrecognizedClientException"}
_UNREACHABLE = (exceptions.ConnectionError, exceptions.ConnectionClosedError)
_START = {"embedded": "make up starts one, make demo deploys to it as well", "compose": "docker compose up -d starts one"}


class PipelineError(Exception):
    """Something the user can mend: nothing deployed, no such file, no result in time."""


def run(name: str, main: Callable[[], int | None], *, resumes: bool = False) -> NoReturn:
    """Run a command's `main` and exit with its code: 1 for what is told here, 130 for Ctrl-C.

    A command that `resumes` goes on where it was interrupted.
    """
    try:
        sys.exit(main())
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"{name}: {told(error)}")
    except (PipelineError, OSError) as error:
        sys.exit(f"{name}: {error}")
    except KeyboardInterrupt:
        if resumes:
            print(f"{name}: interrupted; the same command goes on where it stopped", file=sys.stderr)
        sys.exit(130)


def told(error: ClientError | BotoCoreError) -> str:
    """What boto3's error means for who typed the command."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if isinstance(error, _NO_CREDENTIALS) or code in _REFUSED:
        region = " Has the account enabled the region in AWS_REGION?" if code in _UNKNOWN_THERE else ""
        how = "Give credentials as to any AWS tool (AWS_PROFILE, AWS_ACCESS_KEY_ID); without ENV it is the embedded LocalStack."
        return f"{error}\n{how}{region}"
    if isinstance(error, exceptions.NoRegionError):
        return f"{error} Set AWS_REGION."
    if isinstance(error, _UNREACHABLE) and not chosen_cloud().endpoint:
        return f"{error} Is there a network, and is AWS_REGION a region?"
    if isinstance(error, _UNREACHABLE):
        return f"no LocalStack answers at {chosen_cloud().endpoint}; {_START[chosen_cloud().name]}"
    return f"AWS said: {error}"
