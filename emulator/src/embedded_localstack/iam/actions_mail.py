"""Permissions that operations of SES need. Both versions of its API use the same actions and resources.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html (version 1) and
list_amazonsimpleemailservicev2.html, and for the condition keys
https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html.
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parseaddr
from typing import Any

from embedded_localstack.iam.request import Check, Request, Resource, Row, anything, each, request_tags, text

_RECIPIENTS = ("To", "Cc", "Bcc")
_DESTINATION = ("ToAddresses", "CcAddresses", "BccAddresses")


def _listed(destination: Mapping[str, Any] | None) -> list[str]:
    return [address for field in _DESTINATION for address in (destination or {}).get(field) or []]


def _keys(version: str, source: str, recipients: list[str], feedback: Any) -> dict[str, str | list[str]]:
    """Return the condition keys of a mail. A missing display name or feedback address has no key."""
    name, address = parseaddr(source)
    keys: dict[str, str | list[str]] = {
        "ses:apiversion": version,
        "ses:fromaddress": address,
        "ses:recipients": recipients,
    }
    optional = {"ses:fromdisplayname": name, "ses:feedbackaddress": text(feedback)}
    return keys | {key: value for key, value in optional.items() if value}


def _in_header(message: Message) -> list[str]:
    fields = [text(value) for name in _RECIPIENTS for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(fields)]


def _checks(  # noqa: PLR0913, PLR0917 - these are the parts of a mail
    request: Request, action: str, sender: str, identity: Any, template: Any, keys: Mapping[str, str | list[str]]
) -> list[Check]:
    arn = identity or request.arn("ses", f"identity/{request.facts.identity(parseaddr(sender)[1])}")
    checks = [Check(action, arn, keys)]
    if name := request.params.get("ConfigurationSetName"):
        checks.append(Check(action, request.arn("ses", f"configuration-set/{name}"), keys))
    if template:
        checks.append(Check(action, request.arn("ses", f"template/{template}"), keys))
    return checks


def _send_v1(action: str) -> Row:
    def row(request: Request) -> list[Check]:
        params = request.params
        sender = text(params.get("Source"))
        recipients = [*_listed(params.get("Destination")), *(params.get("Destinations") or [])]
        if "RawMessage" in params:  # destinations replace the recipients in the header
            message = message_from_bytes(params["RawMessage"]["Data"])
            sender = sender or text(message.get("From"))
            recipients = recipients or _in_header(message)
        keys = _keys("1", sender, recipients, params.get("ReturnPath"))
        return _checks(request, action, sender, params.get("SourceArn"), params.get("Template"), keys)

    return row


def _template_name(content: Mapping[str, Any]) -> str:
    return text(content.get("TemplateName")) or text(content.get("TemplateArn")).rpartition("/")[2]


def _send_v2(request: Request) -> list[Check]:
    """Return the permissions of SendEmail.

    The action depends on the content: a raw mail needs ses:SendRawEmail
    (https://github.com/anymail/django-anymail/commit/f86c019e1d21b445749e08cc10ffe817141e6b41).
    """
    params = request.params
    content = params.get("Content") or {}
    sender, recipients, action = text(params.get("FromEmailAddress")), _listed(params.get("Destination")), "SendEmail"
    if raw := content.get("Raw"):
        message = message_from_bytes(raw["Data"])
        sender, recipients = sender or text(message.get("From")), recipients or _in_header(message)
        action = "SendRawEmail"
    template = content.get("Template") or {}
    if template:
        action = "SendTemplatedEmail"
    keys = _keys("2", sender, recipients, params.get("FeedbackForwardingEmailAddress"))
    identity = params.get("FromEmailAddressIdentityArn")
    return _checks(request, f"ses:{action}", sender, identity, _template_name(template), keys)


def _named(kind: str, parameter: str) -> Resource:
    return lambda request: request.arn("ses", f"{kind}/{text(request.params.get(parameter))}")


def _each_v2(operations: str, resource: Resource) -> dict[str, Row]:
    """Return rows for operations of version 2. Their condition keys are the API version and the request's tags."""

    def row(operation: str) -> Row:
        return lambda request: [
            Check(
                f"ses:{operation}",
                resource(request),
                {"ses:apiversion": "2", **request_tags(request.params.get("Tags"))},
            )
        ]

    return {operation: row(operation) for operation in operations.split()}


SES: dict[str, Row] = {
    "SendEmail": _send_v1("ses:SendEmail"),
    "SendTemplatedEmail": _send_v1("ses:SendTemplatedEmail"),
    "SendRawEmail": _send_v1("ses:SendRawEmail"),
    **each(
        "ses",
        "GetSendQuota GetSendStatistics ListIdentities GetIdentityVerificationAttributes VerifyEmailIdentity".split(),
        anything,
    ),
}
SESV2: dict[str, Row] = {
    "SendEmail": _send_v2,
    **_each_v2(
        "CreateEmailIdentity DeleteEmailIdentity GetEmailIdentity CreateEmailIdentityPolicy DeleteEmailIdentityPolicy "
        "GetEmailIdentityPolicies UpdateEmailIdentityPolicy",
        _named("identity", "EmailIdentity"),
    ),
    **_each_v2(
        "CreateConfigurationSet DeleteConfigurationSet GetConfigurationSet",
        _named("configuration-set", "ConfigurationSetName"),
    ),
    **_each_v2(
        "CreateEmailTemplate DeleteEmailTemplate GetEmailTemplate UpdateEmailTemplate",
        _named("template", "TemplateName"),
    ),
    **_each_v2(
        "CreateContact CreateContactList DeleteContact DeleteContactList GetContact GetContactList ListContacts",
        _named("contact-list", "ContactListName"),
    ),
    **_each_v2(
        "CreateDedicatedIpPool DeleteDedicatedIpPool GetDedicatedIpPool", _named("dedicated-ip-pool", "PoolName")
    ),
    **_each_v2(
        "ListTagsForResource TagResource UntagResource", lambda request: text(request.params.get("ResourceArn"))
    ),
    **_each_v2(
        "GetAccount ListConfigurationSets ListContactLists ListDedicatedIpPools ListEmailIdentities "
        "ListEmailTemplates PutSuppressedDestination GetSuppressedDestination DeleteSuppressedDestination "
        "ListSuppressedDestinations",
        anything,
    ),
}
