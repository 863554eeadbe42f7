"""Return the key that encrypts a function's environment variables. LocalStack drops KMSKeyArn.

Without it, each Terraform plan changes every function that has a key.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable, Mapping
from typing import Any

LATEST = "$LATEST"


def install() -> None:
    """Store the key of each version in LocalStack's function object, which is part of the saved state."""
    from localstack.services.lambda_ import provider  # noqa: PLC0415 - only a running server has it
    from localstack.services.lambda_.invocation.models import lambda_stores  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    original_mapping = provider.api_utils.map_config_out

    def function_of(account_id: str, region: str, name: str) -> Any:
        return lambda_stores[account_id][region].functions.get(name)

    def map_config_out(version: Any, *args: Any, **kwargs: Any) -> Any:
        identifier = version.id
        keys = keys_of(function_of(identifier.account, identifier.region, identifier.function_name))
        return with_key(original_mapping(version, *args, **kwargs), keys.get(identifier.qualifier))

    @patch(provider.LambdaProvider._create_version_model)
    def create_version_model(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        version, changed = original(self, *args, **kwargs)
        keys = keys_of(function_of(kwargs["account_id"], kwargs["region"], kwargs["function_name"]))
        if changed and LATEST in keys:
            keys[version.id.qualifier] = keys[LATEST]
        return version, changed

    def remember(operation: Callable[..., Any]) -> None:
        @patch(operation)
        def handle(original: Callable[..., Any], self: Any, context: Any, request: Mapping[str, Any]) -> Any:
            configuration = original(self, context, request)
            if (key := request.get("KMSKeyArn")) is None:
                return configuration
            account_id, region = provider.api_utils.get_account_and_region(request["FunctionName"], context)
            keys = keys_of(function_of(account_id, region, configuration["FunctionName"]))
            keys[LATEST] = keys[configuration["Version"]] = key
            return with_key(configuration, key)

    remember(provider.LambdaProvider.create_function)
    remember(provider.LambdaProvider.update_function_configuration)
    Patch(provider.api_utils, "map_config_out", map_config_out).apply()


def keys_of(function: Any) -> dict[str, str]:
    """Return the mutable mapping from a function's versions to their keys. An empty key means Lambda's own key."""
    if function is None:
        return {}
    if not hasattr(function, "kms_key_arns"):
        function.kms_key_arns = {}
    keys: dict[str, str] = function.kms_key_arns
    return keys


def with_key(configuration: Any, key: str | None) -> Any:
    """Return the configuration of a function with its key. Lambda leaves KMSKeyArn out for its own key."""
    others = {name: value for name, value in configuration.items() if name != "KMSKeyArn"}
    return {**others, "KMSKeyArn": key} if key else others
