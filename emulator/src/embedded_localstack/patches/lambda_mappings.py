"""Show event source mappings as Lambda does while they are deleted, and after their settings are removed.

https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html,
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

# The required setting of each object. Lambda does not return an object without it.
_REQUIRED = {"FilterCriteria": "Filters", "ScalingConfig": "MaximumConcurrency"}


def install() -> None:
    """Replace the provider's answers about mappings."""
    from localstack.aws.api.lambda_ import InvalidParameterValueException  # noqa: PLC0415 - only a running server
    from localstack.services.lambda_.invocation.models import lambda_stores  # noqa: PLC0415 - only a running server
    from localstack.services.lambda_.provider import LambdaProvider  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    def mappings(context: Any) -> MutableMapping[str, Any]:
        stored: MutableMapping[str, Any] = lambda_stores[context.account_id][context.region].event_source_mappings
        return stored

    @patch(LambdaProvider.get_event_source_mapping)
    def get_event_source_mapping(
        original: Callable[..., Any], self: Any, context: Any, uuid: str, **options: Any
    ) -> Any:
        # While a mapping is being deleted, LocalStack answers that it does not exist, but refuses a new mapping for the
        # same source.
        mapping = mappings(context).get(uuid)
        if mapping and uuid not in self.esm_workers:
            return mapping | {"State": "Deleting"}
        return original(self, context, uuid, **options)

    @patch(LambdaProvider.delete_event_source_mapping)
    def delete_event_source_mapping(
        original: Callable[..., Any], self: Any, context: Any, uuid: str, **options: Any
    ) -> Any:
        worker = self.esm_workers.get(uuid)
        answer = original(self, context, uuid, **options)
        if not worker.enabled:  # The worker's thread does not run, so it does not remove the mapping.
            mappings(context).pop(uuid, None)
        return answer

    @patch(LambdaProvider.create_event_source_mapping)
    def create_event_source_mapping(original: Callable[..., Any], self: Any, context: Any, request: Any) -> Any:
        refuse_windows(request, InvalidParameterValueException)
        return original(self, context, request)

    @patch(LambdaProvider.update_event_source_mapping)
    def update_event_source_mapping(original: Callable[..., Any], self: Any, context: Any, request: Any) -> Any:
        refuse_windows(request, InvalidParameterValueException)
        answer = original(self, context, request)
        drop_empty_settings(mappings(context).get(request["UUID"], {}))
        drop_empty_settings(answer)
        return answer


def refuse_windows(request: Mapping[str, Any], error: Callable[..., Exception]) -> None:
    """Refuse a tumbling window. Without the window's state, a function would calculate wrong results.

    Raises:
        Exception: `error`, for a mapping with a window.
    """
    if request.get("TumblingWindowInSeconds"):
        raise error(
            "TumblingWindowInSeconds is not supported by the embedded LocalStack. "
            "Set it to 0, or test this mapping on AWS.",
            Type="User",
        )


def drop_empty_settings(mapping: MutableMapping[str, Any]) -> None:
    """Remove the objects that an update emptied."""
    for name, setting in _REQUIRED.items():
        if name in mapping and not (mapping[name] or {}).get(setting):
            del mapping[name]
