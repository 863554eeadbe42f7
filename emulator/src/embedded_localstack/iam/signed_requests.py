"""Find and verify the caller of a signed request that LocalStack does not route to a service."""
# mypy: disable-error-code="import-not-found, import-untyped"

from datetime import UTC, datetime
from typing import Any

from rolo.request import get_raw_path, restore_payload

from embedded_localstack.iam.callers import Caller, Kind
from embedded_localstack.iam.sessions import CredentialsError, caller_with, refuse_in_function, secret_of
from embedded_localstack.iam.signatures import SignatureError, Signed, signature_of, verify


class UnknownKeyError(SignatureError):
    """Nobody has this access key, or the session token is not that of the key."""


def signer(request: Any, account: str, place: str) -> tuple[str, Caller] | None:
    """Return the access key and the caller of a signed request, or None if it has no signature.

    Args:
        request: the request of the web server.
        account: the account of the resource.
        place: the region and service that the signature must name, such as "us-east-1/execute-api".

    Raises:
        UnknownKeyError: nobody has the access key.
        SignatureError: the signature is not valid.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query_string.decode()
    signed = Signed(request.method, get_raw_path(request), query, headers, restore_payload(request))
    signature = signature_of(signed)
    if signature is None:
        return None
    secret = secret_of(signature.key, signature.token, account)
    if secret is None:
        raise UnknownKeyError("The security token included in the request is invalid.")
    verify(signed, signature, secret, place, datetime.now(UTC))
    try:
        caller = caller_with(signature.key, signature.token, account)
        if caller.kind is Kind.DEPLOYER and signature.seconds is None:
            refuse_in_function(request)
        return signature.key, caller
    except CredentialsError as error:
        raise UnknownKeyError(str(error)) from error
