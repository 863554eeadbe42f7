"""Accept inline and trust policies without a Version or with 2008-10-17. moto requires 2012-10-17 for all.

An omitted Version means 2008-10-17:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
"""
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator"

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_is_inline: ContextVar[bool] = ContextVar("is_inline", default=False)


def install() -> None:
    """Skip moto's check of the Version while moto stores an inline or trust policy."""
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415 - only a running server has it
    from moto.iam.models import IAMBackend  # noqa: PLC0415
    from moto.iam.policy_validation import BaseIAMPolicyValidator  # noqa: PLC0415

    @patch(BaseIAMPolicyValidator._validate_version)
    def validate_version(original: Callable[..., None], self: Any) -> None:
        if not _is_inline.get():
            original(self)

    for name in ("put_role_policy", "put_group_policy", "put_user_policy", "update_assume_role_policy"):
        Patch(IAMBackend, name, _inline(getattr(IAMBackend, name))).apply()


def _inline(put: Callable[..., Any]) -> Callable[..., Any]:
    def put_inline(*arguments: Any, **named: Any) -> Any:
        token = _is_inline.set(True)
        try:
            return put(*arguments, **named)
        finally:
            _is_inline.reset(token)

    return put_inline
