"""Refuse a permissions boundary that does not exist, and the deletion of a policy that is in use, as IAM does.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
"""
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator"

from collections.abc import Callable
from typing import Any


def install() -> None:
    """Add the checks to moto's IAM."""
    from localstack.services.iam.iam_patches import apply_iam_patches  # noqa: PLC0415 - only a running server has it
    from localstack.services.iam.provider import (  # noqa: PLC0415
        DeleteConflictException,
        IamProvider,
        get_iam_backend,
    )
    from localstack.utils.patch import patch  # noqa: PLC0415
    from moto.iam.exceptions import NotFoundException  # noqa: PLC0415
    from moto.iam.models import IAMBackend  # noqa: PLC0415

    apply_iam_patches()  # LocalStack's own patch of create_role must be applied first

    def require(backend: Any, boundary: str | None) -> None:
        valid = boundary and backend.policy_arn_regex.match(boundary)
        if valid and boundary not in backend.managed_policies:
            raise NotFoundException(f"Scope ARN: {boundary} does not exist or is not attachable.")

    @patch(IAMBackend.put_role_permissions_boundary)
    def put(original: Callable[..., Any], self: Any, role_name: str, permissions_boundary: str) -> Any:
        require(self, permissions_boundary)
        return original(self, role_name, permissions_boundary)

    @patch(IAMBackend.create_role)
    def create(original: Callable[..., Any], self: Any, *arguments: Any, **named: Any) -> Any:
        boundary = named.get("permissions_boundary", arguments[3] if len(arguments) > 3 else None)
        require(self, boundary)
        return original(self, *arguments, **named)

    @patch(IamProvider.delete_policy)
    def delete(original: Callable[..., Any], self: Any, context: Any, policy_arn: str, **options: Any) -> Any:
        backend = get_iam_backend(context)
        if any(policy_arn in _policies_of(entity) for entity in _entities(backend)):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        return original(self, context, policy_arn=policy_arn, **options)


def _entities(backend: Any) -> list[Any]:
    return [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]


def _policies_of(entity: Any) -> set[str]:
    """Return the ARNs of the managed policies of a role, user or group, and of its permissions boundary."""
    # moto stores the boundary of a role, and LocalStack stores a user's boundary in another attribute.
    boundaries = (getattr(entity, name, None) for name in ("permissions_boundary_arn", "permissions_boundary"))
    return {*entity.managed_policies, *(boundary for boundary in boundaries if isinstance(boundary, str))}
