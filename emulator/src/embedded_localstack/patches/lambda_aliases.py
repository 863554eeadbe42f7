"""Support UpdateAlias with routing weights, which canary deployments use.

LocalStack loses the version of the alias and answers with status 500.

https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable, Mapping
from typing import Any


def install() -> None:
    """Check the weights against the version in the request or, without one, the version of the alias."""
    from localstack.services.lambda_ import provider  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    create = provider.LambdaProvider._create_routing_config_model

    @patch(provider.LambdaProvider.update_alias)
    def update_alias(
        original: Callable[..., Any], self: Any, context: Any, function_name: str, name: str, **changes: Any
    ) -> Any:
        weights = ((changes.get("routing_config") or {}).get("AdditionalVersionWeights")) or {}
        if not weights:
            return original(self, context, function_name, name, **changes)
        account, region = provider.api_utils.get_account_and_region(function_name, context)
        plain = provider.api_utils.get_function_name(function_name, context)
        function = self._get_function(function_name=plain, account_id=account, region=region)
        alias = function.aliases.get(name)
        number = changes.get("function_version") or (alias.function_version if alias else "")
        if version := function.versions.get(number):
            create(self, weights, version)  # raises the errors of AWS
        return original(self, context, function_name, name, **changes)

    def checked_before(_: Any, weights: Mapping[str, float], version: Any = None) -> Any:
        return create(_, weights, version) if version else provider.AliasRoutingConfig(version_weights=dict(weights))

    Patch(provider.LambdaProvider, "_create_routing_config_model", checked_before).apply()
