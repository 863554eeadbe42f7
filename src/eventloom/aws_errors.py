"""Convert boto3's errors to messages that tell the user what to do."""

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

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
# Error codes of AWS's services for expired or wrong credentials
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
# A region that the account has not enabled returns these codes even for valid credentials:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
_UNKNOWN_IN_REGION = {"InvalidClientTokenId", "UnrecognizedClientException"}
_UNREACHABLE = (exceptions.ConnectionError, exceptions.ConnectionClosedError)
_HOW_TO_START = {
    "embedded": "start it with ./eventloom up, or start it and deploy with ./eventloom demo",
    "compose": "start it with docker compose up -d",
}
EXPLAINED = (BotoCoreError, ClientError, ResponseParserError)


def explain(error: ClientError | BotoCoreError | ResponseParserError) -> str:
    """Return one or two sentences that name the problem and the next step."""
    if isinstance(error, ResponseParserError):
        return _not_aws(error)
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if isinstance(error, _NO_CREDENTIALS) or code in _REFUSED:
        region = " Check that the account has enabled the region in AWS_REGION." if code in _UNKNOWN_IN_REGION else ""
        advice = (
            "Set AWS credentials as for any AWS tool (AWS_PROFILE, AWS_ACCESS_KEY_ID), or leave out --env for the "
            "embedded LocalStack."
        )
        return f"{error}\n{advice}{region}"
    if isinstance(error, exceptions.NoRegionError):
        return f"{error} Set AWS_REGION."
    if isinstance(error, _UNREACHABLE):
        cloud = chosen_cloud()
        if not cloud.endpoint:
            return f"{error} Check the network, and that AWS_REGION is a region."
        return f"no LocalStack answers at {cloud.endpoint}; {_HOW_TO_START[cloud.name]}"
    return f"AWS answered: {error}"


def _not_aws(error: ResponseParserError) -> str:
    """Explain a response that does not come from AWS."""
    cloud = chosen_cloud()
    if not cloud.port:
        return f"what answers is not AWS ({str(error).splitlines()[0]}); check the network and its proxies"
    return (
        f"the server at {cloud.endpoint} is not LocalStack; stop it, or choose another port with the variable "
        f"{cloud.name.upper()}_PORT, "
        f"such as {cloud.name.upper()}_PORT={cloud.port + 1}"
    )
