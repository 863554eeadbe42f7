"""Limit the duration of role sessions, and keep the policies, role and service of AssumeRole, which LocalStack drops.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any

SHORTEST, CHAINED = 900, 3600
DEFAULT = 3600


def install() -> None:
    """Add the limits to the provider of STS."""
    from localstack.services.sts.provider import StsProvider, ValidationError  # noqa: PLC0415 - only a running server has it
    from localstack.utils.aws.arns import extract_account_id_from_arn  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415
    from moto.iam.models import iam_backends  # noqa: PLC0415

    from embedded_localstack.iam import callers  # noqa: PLC0415
    from embedded_localstack.iam.sessions import PARTITION, TEMPORARY, session_of  # noqa: PLC0415

    @patch(StsProvider.assume_role)
    def assume_role(original: Callable[..., Any], self: Any, context: Any, role_arn: str, **options: Any) -> Any:
        account = extract_account_id_from_arn(role_arn) or context.account_id
        roles = list(iam_backends[account][PARTITION].roles.values())
        role = next((role for role in roles if role.arn == role_arn), None)
        of_service = bool((context.internal_request_params or {}).get("service_principal"))
        if not of_service:
            chained = callers.access_key(context.request.headers, context.request.url).startswith(TEMPORARY)
            longest = getattr(role, "max_session_duration", None) or DEFAULT
            if problem := refusal(options.get("duration_seconds"), int(longest), chained=chained):
                raise ValidationError(problem)
        response = original(self, context, role_arn=role_arn, **options)
        session = session_of(response["Credentials"]["AccessKeyId"], account)
        if session:
            session.role_id = role.id if role else ""
            session.policy_arns = [entry.get("arn") for entry in options.get("policy_arns") or []]
            session.of_service = of_service
        return response


def refusal(seconds: int | None, longest: int, *, chained: bool) -> str | None:
    """Return why a session may not last this long, or None.

    Args:
        seconds: the duration in the request, if it has one.
        longest: the role's MaxSessionDuration in seconds.
        chained: whether the caller is itself a role's session.
    """
    if seconds is None:
        return None
    if seconds < SHORTEST:
        return (
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value greater than or equal to {SHORTEST}"
        )
    if chained and seconds > CHAINED:
        return "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    if seconds > longest:
        return "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    return None
