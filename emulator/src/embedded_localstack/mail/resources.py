"""Implement the parts of SES v2 that moto lacks: templates, the suppression list, and the account."""
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localstack.services.moto import call_moto
from localstack.services.ses.provider import get_ses_backend

from embedded_localstack.mail.errors import AlreadyExistsError, BadRequestError, NotFoundError

Input = Mapping[str, Any]
_REASONS = ("BOUNCE", "COMPLAINT")
# moto's names of the parts of a template, by their names in SES v2.
_PARTS = {"Subject": "subject_part", "Text": "text_part", "Html": "html_part"}


def create_identity(context: Any, request: Input) -> Any:
    """Create an identity. It is verified at once, as in SES v1 here, because nobody reads the mail with the link."""
    backend, name = get_ses_backend(context), request["EmailIdentity"]
    if name in backend.email_identities:
        raise AlreadyExistsError(f"Email identity {name} already exist.")
    answer = call_moto(context) | {"VerifiedForSendingStatus": True}
    # moto stores the tags under an ARN that AWS does not have.
    arn = f"arn:{context.partition}:ses:{context.region}:{context.account_id}:identity/{name}"
    backend.tagger.tag_resource(arn, request.get("Tags") or [])
    return answer


def get_identity(context: Any, request: Input) -> dict[str, Any]:
    """Return an identity."""
    return {**_identity(context, request).get_response_object, "VerifiedForSendingStatus": True}


def delete_identity(context: Any, request: Input) -> dict[str, Any]:
    """Delete an identity."""
    _identity(context, request)
    del get_ses_backend(context).email_identities[request["EmailIdentity"]]
    return {}


def create_policy(context: Any, request: Input) -> dict[str, Any]:
    """Add a policy to an identity."""
    policies, name = _identity(context, request).policies, request["PolicyName"]
    if name in policies:
        raise AlreadyExistsError(f"Policy {name} already exists.")
    policies[name] = request["Policy"]
    return {}


def update_policy(context: Any, request: Input) -> dict[str, Any]:
    """Replace a policy of an identity."""
    policies, name = _identity(context, request).policies, request["PolicyName"]
    if name not in policies:
        raise NotFoundError(f"Policy {name} does not exist.")
    policies[name] = request["Policy"]
    return {}


def delete_policy(context: Any, request: Input) -> dict[str, Any]:
    """Delete a policy of an identity."""
    _identity(context, request).policies.pop(request["PolicyName"], None)
    return {}


def get_policies(context: Any, request: Input) -> dict[str, Any]:
    """Return the policies of an identity."""
    return {"Policies": _identity(context, request).policies}


def _identity(context: Any, request: Input) -> Any:
    """Return an identity by the name in a request. moto's own operations do not decode the `@` in the path."""
    name = request["EmailIdentity"]
    identity = get_ses_backend(context).email_identities.get(name)
    if identity is None:
        raise NotFoundError(f"Email identity {name} does not exist.")
    return identity


def create_set(context: Any, request: Input) -> Any:
    """Create a configuration set."""
    name = request["ConfigurationSetName"]
    if name in get_ses_backend(context).config_sets:
        raise AlreadyExistsError(f"Configuration set <{name}> already exists.")
    return call_moto(context)


def get_set(context: Any, request: Input) -> Any:
    """Return a configuration set."""
    _set(context, request)
    return call_moto(context)


def delete_set(context: Any, request: Input) -> dict[str, Any]:
    """Delete a configuration set and its event destination."""
    _set(context, request)
    backend = get_ses_backend(context)
    backend.config_sets.pop(request["ConfigurationSetName"])
    backend.config_set_event_destination.pop(request["ConfigurationSetName"], None)
    return {}


def _set(context: Any, request: Input) -> None:
    if (name := request["ConfigurationSetName"]) not in get_ses_backend(context).config_sets:
        raise NotFoundError(f"Configuration set <{name}> does not exist.")


def create_template(context: Any, request: Input) -> dict[str, Any]:
    """Create a template, which SES v1 can use too."""
    templates, name = get_ses_backend(context).templates, request["TemplateName"]
    if name in templates:
        raise AlreadyExistsError(f"Template {name} already exists.")
    templates[name] = _stored(name, request["TemplateContent"])
    return {}


def update_template(context: Any, request: Input) -> dict[str, Any]:
    """Replace the content of a template."""
    name = request["TemplateName"]
    _template(context, name)
    get_ses_backend(context).templates[name] = _stored(name, request["TemplateContent"])
    return {}


def get_template(context: Any, request: Input) -> dict[str, Any]:
    """Return a template."""
    template = _template(context, request["TemplateName"])
    content = {part: template.get(key) for part, key in _PARTS.items()}
    return {
        "TemplateName": request["TemplateName"],
        "TemplateContent": {part: value for part, value in content.items() if value is not None},
    }


def delete_template(context: Any, request: Input) -> dict[str, Any]:
    """Delete a template."""
    _template(context, request["TemplateName"])
    del get_ses_backend(context).templates[request["TemplateName"]]
    return {}


def list_templates(context: Any, request: Input) -> dict[str, Any]:
    """Return the names of the templates, in pages."""
    templates = get_ses_backend(context).templates
    page, token = _page(sorted(templates), request)
    items = [{"TemplateName": name, "CreatedTimestamp": templates[name].get("Timestamp")} for name in page]
    return {"TemplatesMetadata": items} | token


def _template(context: Any, name: str) -> dict[str, Any]:
    template: dict[str, Any] | None = get_ses_backend(context).templates.get(name)
    if template is None:
        raise NotFoundError(f"Template {name} does not exist")
    return template


def _stored(name: str, content: Input) -> dict[str, Any]:
    if not content.get("Subject"):
        raise BadRequestError("The subject must be specified.")
    parts = {key: content.get(part) for part, key in _PARTS.items()}
    return {"template_name": name, **parts, "Timestamp": datetime.now(UTC)}


def put_suppressed(context: Any, request: Input) -> dict[str, Any]:
    """Add an address to the suppression list. SES accepts mail to the address, but does not deliver it."""
    if request["Reason"] not in _REASONS:
        raise BadRequestError(f"Reason must be one of {', '.join(_REASONS)}.")
    destination = {
        "EmailAddress": request["EmailAddress"],
        "Reason": request["Reason"],
        "LastUpdateTime": datetime.now(UTC),
    }
    _suppressed(context)[request["EmailAddress"]] = destination
    return {}


def get_suppressed(context: Any, request: Input) -> dict[str, Any]:
    """Return an address of the suppression list."""
    return {"SuppressedDestination": _destination(context, request)}


def delete_suppressed(context: Any, request: Input) -> dict[str, Any]:
    """Remove an address from the suppression list."""
    _destination(context, request)
    del _suppressed(context)[request["EmailAddress"]]
    return {}


def list_suppressed(context: Any, request: Input) -> dict[str, Any]:
    """Return a page of the suppression list, filtered by reasons."""
    reasons = request.get("Reasons") or _REASONS
    listed = [item for _, item in sorted(_suppressed(context).items()) if item["Reason"] in reasons]
    page, token = _page(listed, request)
    return {"SuppressedDestinationSummaries": page} | token


def _suppressed(context: Any) -> dict[str, dict[str, Any]]:
    """Return the suppression list, which is stored in the backend of SES and so part of the state."""
    attributes: dict[str, Any] = vars(get_ses_backend(context))
    suppressed: dict[str, dict[str, Any]] = attributes.setdefault("suppressed_destinations", {})
    return suppressed


def _destination(context: Any, request: Input) -> dict[str, Any]:
    address = request["EmailAddress"]
    destination = _suppressed(context).get(address)
    if destination is None:
        raise NotFoundError(f"Email address {address} does not exist on your suppression list.")
    return destination


def get_account(context: Any, _: Input) -> dict[str, Any]:
    """Return the account. It is not in the sandbox, so recipients need no verification."""
    quota = get_ses_backend(context).get_send_quota()
    return {
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "DedicatedIpAutoWarmupEnabled": False,
        "SendQuota": {
            "Max24HourSend": quota.max24_hour_send,
            "MaxSendRate": quota.max_send_rate,
            "SentLast24Hours": quota.sent_last24_hours,
        },
        "SuppressionAttributes": {"SuppressedReasons": []},
    }


def _page(items: list[Any], request: Input) -> tuple[list[Any], dict[str, str]]:
    try:
        start = int(request.get("NextToken") or 0)
    except ValueError as error:
        raise BadRequestError("NextToken is not valid.") from error
    end = start + int(request.get("PageSize") or 100)
    return items[start:end], {"NextToken": str(end)} if end < len(items) else {}
