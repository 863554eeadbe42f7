"""Verify the signatures of presigned S3 requests that a session signs, and check HTML forms as S3 does.

LocalStack does not find the secret keys of sessions, so it accepts every presigned URL of a function. It does not check
a form's signature, and it accepts fields that the form's policy does not allow.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""
# mypy: disable-error-code="import-not-found"

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from embedded_localstack.iam.request import text

UNCHECKED = {"policy", "x-amz-signature", "file", "awsaccesskeyid", "signature"}


class RefusedError(Exception):
    """A form that S3 refuses, with the status, code and message of the response."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def install() -> None:
    """Give LocalStack the secret keys of sessions, and check forms before LocalStack handles them."""
    from localstack.aws.api import CommonServiceException  # noqa: PLC0415 - only a running server has it
    from localstack.services.s3 import presigned_url, provider  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    from embedded_localstack.iam.sessions import session_of  # noqa: PLC0415

    original_secret, original_validate = (
        presigned_url.get_secret_access_key_from_access_key_id,
        provider.validate_post_policy,
    )
    original_credentials = presigned_url.get_credentials_from_parameters

    def secret_of_session(key: str) -> str | None:
        session = session_of(key, presigned_url.get_account_id_from_access_key_id(key))
        return str(session.secret_access_key) if session else None

    def secret(access_key_id: str, region: str) -> Any:
        return secret_of_session(access_key_id) or original_secret(access_key_id, region)

    def credentials(parameters: Any, region: str) -> Any:
        result = original_credentials(parameters, region)
        # URLs with Signature Version 2 use this name for the token.
        return result._replace(security_token=result.security_token or parameters.get("x-amz-security-token"))

    def validate(request_form: Any, metadata: Any) -> None:
        try:
            check({name.lower(): value for name, value in request_form.items()}, secret_of_session)
        except RefusedError as error:
            raise CommonServiceException(error.code, str(error), status_code=error.status, sender_fault=True) from error
        original_validate(request_form, metadata)

    Patch(presigned_url, "get_secret_access_key_from_access_key_id", secret).apply()
    Patch(presigned_url, "get_credentials_from_parameters", credentials).apply()
    Patch(provider, "validate_post_policy", validate).apply()


def check(form: Mapping[str, str], secret_of_session: Callable[[str], str | None]) -> None:
    """Check a form that a session signed. The field names of `form` are in lower case.

    Raises:
        RefusedError: the form is not signed by the session, or its policy does not allow a field.
    """
    credential = text(form.get("x-amz-credential"))
    secret = secret_of_session(text(form.get("awsaccesskeyid")) or credential.partition("/")[0])
    if secret is None:
        return
    policy = form.get("policy")
    if not policy:
        message = (
            "Bucket POST must contain a field named 'policy'.  If it is specified, please check the order of the "
            "fields."
        )
        raise RefusedError(400, "InvalidArgument", message)
    if "awsaccesskeyid" in form:
        message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        raise RefusedError(400, "InvalidRequest", message)
    if not hmac.compare_digest(
        signature(secret, credential, policy).encode(), text(form.get("x-amz-signature")).encode()
    ):
        message = (
            "The request signature we calculated does not match the signature you provided. Check your key and "
            "signing method."
        )
        raise RefusedError(403, "SignatureDoesNotMatch", message)
    allowed = _fields(json.loads(base64.b64decode(policy)))
    if extra := [name for name in form if name not in allowed | UNCHECKED and not name.startswith("x-ignore-")]:
        raise RefusedError(403, "AccessDenied", f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def signature(secret: str, credential: str, policy: str) -> str:
    """Return the Signature Version 4 of a form's base64-encoded policy."""
    key = f"AWS4{secret}".encode()
    for part in credential.split("/")[1:]:
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.digest(key, policy.encode(), hashlib.sha256).hex()


def _fields(policy: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that a policy allows, in lower case."""
    names: set[str] = set()
    for condition in policy.get("conditions") or []:
        names |= set(condition) if isinstance(condition, dict) else {text(condition[1]).removeprefix("$")}
    return {name.lower() for name in names}
