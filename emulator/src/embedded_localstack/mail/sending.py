"""Implement SendEmail of SES v2. The sent mails are in the list of SES v1, at `/_aws/ses`."""
# mypy: disable-error-code="import-not-found, import-untyped"

import json
from collections.abc import Mapping
from email import message_from_bytes
from email.utils import getaddresses, parseaddr
from typing import Any

from localstack.services.ses import provider as ses
from localstack.services.ses.models import EmailType, SentEmail, SentEmailBody
from moto.ses.exceptions import MissingRenderingAttributeException
from moto.ses.models import Message, RawMessage, SESBackend, TemplateMessage
from moto.ses.template import parse_template
from moto.ses.utils import get_random_message_id, is_valid_address

from embedded_localstack.mail.errors import BadRequestError, MessageRejectedError, NotFoundError

# https://docs.aws.amazon.com/ses/latest/dg/quotas.html, "Message quotas": recipients, and bytes after the encoding.
MOST_RECIPIENTS = 50
MOST_BYTES = 40 * 1024 * 1024
_FIELDS = ("ToAddresses", "CcAddresses", "BccAddresses")
_KINDS = ("Simple", "Raw", "Template")


def send_email(context: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """Record a mail and return its message ID.

    Raises:
        BadRequestError: the content, an address, the size or the number of recipients is not valid.
        MessageRejectedError: neither the address nor the domain of the sender is an identity.
        NotFoundError: the template or the configuration set does not exist.
    """
    backend = ses.get_ses_backend(context)
    content = request["Content"]
    kinds = [kind for kind in _KINDS if content.get(kind)]
    if len(kinds) != 1:
        raise BadRequestError("Content must have exactly one of Simple, Raw and Template.")
    kind = kinds[0]
    source, recipients = _sender(request), _recipients(request)
    _check(backend, context.region, source, recipients)
    _check_size(content[kind])
    if (name := request.get("ConfigurationSetName")) and name not in backend.config_sets:
        raise NotFoundError(f"Configuration set <{name}> does not exist.")
    mail = {"Simple": _simple, "Raw": _raw, "Template": _templated}[kind](backend, content[kind])
    message_id = get_random_message_id()
    destination = request.get("Destination") or {}
    _record(backend, message_id, source, recipients, mail)
    shown = {} if kind == "Raw" else {"Destination": destination}
    ses.save_for_retrospection(SentEmail(Id=message_id, Region=context.region, Source=source, **shown, **mail))
    _notify(context, backend, request, message_id, source, recipients, kind)
    return {"MessageId": message_id}


def _sender(request: Mapping[str, Any]) -> str:
    source = str(request.get("FromEmailAddress") or "")
    if not source and (raw := request["Content"].get("Raw")):
        source = str(message_from_bytes(raw["Data"]).get("From") or "")
    if not source:
        raise BadRequestError("FromEmailAddress is missing.")
    return source


def _recipients(request: Mapping[str, Any]) -> list[str]:
    """Return all recipients. If the request names none, they are those in the header of a raw mail."""
    destination = request.get("Destination") or {}
    recipients = [address for field in _FIELDS for address in destination.get(field) or []]
    if not recipients and (raw := request["Content"].get("Raw")):
        message = message_from_bytes(raw["Data"])
        fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
        recipients = [address for _, address in getaddresses(fields)]
    return recipients


def _check(backend: SESBackend, region: str, source: str, recipients: list[str]) -> None:
    if not recipients:
        raise BadRequestError("The mail has no recipient.")
    if len(recipients) > MOST_RECIPIENTS:
        raise BadRequestError(f"Recipient count exceeds {MOST_RECIPIENTS}.")
    for address in (source, *recipients):
        if fault := is_valid_address(address):
            raise BadRequestError(fault)
    address = parseaddr(source)[1]
    if not {address, address.rpartition("@")[2].lower()} & set(backend.email_identities):
        backend.rejected_messages_count += 1
        raise MessageRejectedError(
            "Email address is not verified. The following identities failed the check in region "
            f"{region.upper()}: {source}"
        )


def _check_size(content: Mapping[str, Any]) -> None:
    size = _size(content)
    if size > MOST_BYTES:
        raise BadRequestError(f"Message length is more than {MOST_BYTES} bytes long: '{size}'.")


def _size(value: Any) -> int:
    """Return the total size of the strings and files in a part of a request, in bytes."""
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value if isinstance(value, bytes) else str(value).encode())


def _simple(_: SESBackend, content: Mapping[str, Any]) -> dict[str, Any]:
    body = content["Body"]
    html, plain = (body[part]["Data"] if body.get(part) else None for part in ("Html", "Text"))
    if html is None and plain is None:
        raise BadRequestError("Body must have Text or Html.")
    return {"Subject": content["Subject"]["Data"], "Body": SentEmailBody(text_part=plain, html_part=html)}


def _raw(_: SESBackend, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"RawData": content["Data"].decode(errors="replace")}


def _templated(backend: SESBackend, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mail from a template. As in SES v1, a stored template is only named. An inline template is rendered."""
    data = content.get("TemplateData") or "{}"
    try:
        values = json.loads(data)
    except ValueError as error:
        raise BadRequestError("TemplateData is not valid JSON.") from error
    if inline := content.get("TemplateContent"):
        parts = {part: _filled(inline.get(part), values) for part in ("Subject", "Text", "Html")}
        body = SentEmailBody(text_part=parts["Text"], html_part=parts["Html"])
        return {"Subject": parts["Subject"], "Body": body}
    name = content.get("TemplateName") or str(content.get("TemplateArn") or "").rpartition("/")[2]
    if name not in backend.templates:
        raise NotFoundError(f"Template {name} does not exist")
    return {"Template": name, "TemplateData": data}


def _filled(part: str | None, values: dict[str, Any]) -> str | None:
    try:
        return None if part is None else str(parse_template(part, values))
    except MissingRenderingAttributeException as error:
        raise BadRequestError(error.message) from error


def _record(backend: SESBackend, message_id: str, source: str, recipients: list[str], mail: dict[str, Any]) -> None:
    """Add the mail to moto's list. SES v1 computes its quota and statistics from this list."""
    to = {"ToAddresses": recipients}
    message: RawMessage | TemplateMessage | Message
    if "RawData" in mail:
        message = RawMessage(message_id, source, recipients, mail["RawData"])
    elif "Template" in mail:
        message = TemplateMessage(message_id, source, mail["Template"], mail["TemplateData"], to)
    else:
        body = mail["Body"]
        message = Message(message_id, source, mail["Subject"], body["html_part"] or body["text_part"], to)
    backend.sent_messages.append(message)
    backend.sent_message_count += len(recipients)


def _notify(  # noqa: PLR0913, PLR0917 - these are the parts of an event
    context: Any,
    backend: SESBackend,
    request: Mapping[str, Any],
    message_id: str,
    source: str,
    recipients: list[str],
    kind: str,
) -> None:
    destinations = backend.config_set_event_destination.get(str(request.get("ConfigurationSetName")))
    if not destinations:
        return
    payload = ses.EventDestinationPayload(
        message_id=message_id,
        sender_email=source,
        destination_addresses=recipients,
        tags=request.get("EmailTags"),
    )
    kinds = {"Simple": EmailType.EMAIL, "Raw": EmailType.RAW, "Template": EmailType.TEMPLATED}
    ses.notify_event_destinations(context, destinations, payload, kinds[kind])
