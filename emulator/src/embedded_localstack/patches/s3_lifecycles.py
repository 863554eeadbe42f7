"""Accept lifecycle rules with a Prefix instead of a Filter, and rules without an ID, as S3 does.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
"""
# mypy: disable-error-code="import-not-found"

import uuid
from typing import Any


def install() -> None:
    """Convert such rules to rules with a Filter for LocalStack's checks. The bucket stores the original rules."""
    from localstack.services.s3 import provider  # noqa: PLC0415 - only a running server has it
    from localstack.services.s3.exceptions import MalformedXML  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    validate, match = provider.validate_lifecycle_configuration, provider.get_lifecycle_rule_from_object

    def filtered(rule: dict[str, Any]) -> dict[str, Any]:
        return {**rule, "Filter": {"Prefix": rule["Prefix"]}} if rule.get("Prefix") is not None else rule

    def checked(configuration: Any) -> None:
        rules = (configuration or {}).get("Rules") or []
        for rule in rules:
            if (rule.get("Prefix") is None) == (rule.get("Filter") is None):
                raise MalformedXML
            if not rule.get("ID"):
                rule["ID"] = uuid.uuid4().hex
        validate(configuration and {**configuration, "Rules": [filtered(rule) for rule in rules]})

    def rule_of(rules: list[dict[str, Any]], *arguments: Any, **named: Any) -> Any:
        return match([filtered(rule) for rule in rules], *arguments, **named)

    Patch(provider, "validate_lifecycle_configuration", checked).apply()
    Patch(provider, "get_lifecycle_rule_from_object", rule_of).apply()
