"""Test that SES v2 shares the identities, templates and sent mails of SES v1, and that IAM applies to its calls."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, REGION, Cloud

SIMPLE = {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "text"}, "Html": {"Data": "<b>html</b>"}}}}
TO = {"ToAddresses": ["to@example.com"], "BccAddresses": ["bcc@example.com"]}
SES = f"arn:aws:ses:{REGION}:{ACCOUNT}"


@pytest.fixture
def domain(cloud: Cloud, name: str) -> Iterator[str]:
    """Yield a domain that is an identity of SES v2."""
    domain = f"{name}.example.com"
    cloud.sesv2.create_email_identity(EmailIdentity=domain)
    yield domain
    cloud.sesv2.delete_email_identity(EmailIdentity=domain)


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def sent(cloud: Cloud, message_id: str) -> dict[str, Any]:
    """Return a mail from the page of sent mails."""
    url = f"http://127.0.0.1:{cloud.home.port}/_aws/ses?id={urllib.parse.quote(message_id)}"
    with urllib.request.urlopen(url) as answer:
        (message,) = json.load(answer)["messages"]
    return dict(message)


def send(client: Any, sender: str, content: dict[str, Any], **more: Any) -> str:
    params = {"FromEmailAddress": sender, "Destination": TO, "Content": content} | more
    return str(client.send_email(**params)["MessageId"])


def test_each_kind_of_mail_is_in_the_list_of_sent_mails(cloud: Cloud, domain: str):
    sender = f"Us <us@{domain}>"
    before = cloud.ses.get_send_quota()["SentLast24Hours"]
    simple = sent(cloud, send(cloud.sesv2, sender, SIMPLE))
    assert (simple["Source"], simple["Destination"], simple["Subject"]) == (sender, TO, "Hi")
    assert simple["Body"] == {"text_part": "text", "html_part": "<b>html</b>"}
    text = f"From: us@{domain}\r\nTo: a@example.com\r\n\r\nraw"
    raw = cloud.sesv2.send_email(Content={"Raw": {"Data": text.encode()}})["MessageId"]
    assert sent(cloud, raw)["RawData"] == text
    cloud.sesv2.create_email_template(TemplateName="greeting", TemplateContent={"Subject": "Hi {{name}}", "Text": "t"})
    templated = send(cloud.sesv2, sender, {"Template": {"TemplateName": "greeting", "TemplateData": '{"name": "a"}'}})
    assert (sent(cloud, templated)["Template"], sent(cloud, templated)["TemplateData"]) == ("greeting", '{"name": "a"}')
    inline = {"TemplateContent": {"Subject": "Hi {{name}}", "Text": "t"}, "TemplateData": '{"name": "a"}'}
    assert sent(cloud, send(cloud.sesv2, sender, {"Template": inline}))["Subject"] == "Hi a"
    assert cloud.ses.get_send_quota()["SentLast24Hours"] == before + 7
    assert cloud.sesv2.get_account()["SendQuota"]["SentLast24Hours"] == before + 7


def test_both_versions_have_the_same_identities_and_templates(cloud: Cloud, name: str, domain: str):
    assert domain in cloud.ses.list_identities()["Identities"]
    destination, body = {"ToAddresses": ["to@example.com"]}, {"Text": {"Data": "t"}}
    cloud.ses.send_email(
        Source=f"us@{domain}", Destination=destination, Message={"Subject": {"Data": "s"}, "Body": body}
    )
    address = f"{name}@example.net"
    cloud.ses.verify_email_identity(EmailAddress=address)
    assert send(cloud.sesv2, address, SIMPLE)
    assert cloud.sesv2.get_email_identity(EmailIdentity=address)["VerifiedForSendingStatus"] is True
    cloud.sesv2.create_email_template(TemplateName=name, TemplateContent={"Subject": "s", "Html": "h"})
    assert cloud.ses.get_template(TemplateName=name)["Template"]["SubjectPart"] == "s"
    cloud.ses.update_template(Template={"TemplateName": name, "SubjectPart": "new", "TextPart": "t"})
    assert cloud.sesv2.get_email_template(TemplateName=name)["TemplateContent"]["Subject"] == "new"
    cloud.sesv2.update_email_template(TemplateName=name, TemplateContent={"Subject": "s2"})
    assert name in [item["TemplateName"] for item in cloud.sesv2.list_email_templates()["TemplatesMetadata"]]
    assert name in [item["Name"] for item in cloud.ses.list_templates()["TemplatesMetadata"]]
    cloud.sesv2.delete_email_template(TemplateName=name)
    assert refusal(cloud.sesv2.get_email_template, TemplateName=name)[0] == "NotFoundException"
    cloud.ses.delete_identity(Identity=address)
    assert refusal(cloud.sesv2.delete_email_identity, EmailIdentity=address)[0] == "NotFoundException"


def test_a_mail_that_cannot_be_sent_is_refused(cloud: Cloud, domain: str):
    mail = {"FromEmailAddress": f"us@{domain}", "Destination": TO, "Content": SIMPLE}
    assert refusal(cloud.sesv2.send_email, **mail | {"FromEmailAddress": "no@example.net"}) == (
        "MessageRejected",
        "Email address is not verified. The following identities failed the check in region US-EAST-1: no@example.net",
    )
    many = {"ToAddresses": [f"{number}@example.com" for number in range(51)]}
    template = {"Template": {"TemplateName": "missing", "TemplateData": "{}"}}
    wrong = {"Template": {"TemplateContent": {"Subject": "s"}, "TemplateData": "{"}}
    for change, code, message in (
        ({"Destination": many}, "BadRequestException", "Recipient count exceeds 50."),
        ({"Destination": {}}, "BadRequestException", "The mail has no recipient."),
        ({"Destination": {"ToAddresses": ["nobody"]}}, "BadRequestException", "Missing domain"),
        ({"Content": {}}, "BadRequestException", "Content must have exactly one of Simple, Raw and Template."),
        ({"Content": template}, "NotFoundException", "Template missing does not exist"),
        ({"Content": wrong}, "BadRequestException", "TemplateData is not valid JSON."),
        ({"ConfigurationSetName": "no"}, "NotFoundException", "Configuration set <no> does not exist."),
    ):
        assert refusal(cloud.sesv2.send_email, **mail | change) == (code, message)
    assert refusal(cloud.sesv2.create_email_identity, EmailIdentity=domain)[0] == "AlreadyExistsException"


def test_an_identity_has_tags_and_policies(cloud: Cloud, name: str):
    address = f"{name}@example.com"
    identity = {"EmailIdentity": address}
    cloud.sesv2.create_email_identity(**identity, Tags=[{"Key": "k", "Value": "v"}])
    tags = cloud.sesv2.list_tags_for_resource(ResourceArn=f"{SES}:identity/{address}")["Tags"]
    assert tags == [{"Key": "k", "Value": "v"}]
    policy = {**identity, "PolicyName": "p"}
    assert refusal(cloud.sesv2.update_email_identity_policy, **policy, Policy="{}")[0] == "NotFoundException"
    cloud.sesv2.create_email_identity_policy(**policy, Policy="{}")
    assert cloud.sesv2.get_email_identity_policies(**identity)["Policies"] == {"p": "{}"}
    cloud.sesv2.delete_email_identity_policy(**policy)
    assert cloud.sesv2.get_email_identity_policies(**identity)["Policies"] == {}
    cloud.sesv2.delete_email_identity(**identity)


def test_the_size_of_a_mail_is_limited():
    from embedded_localstack.mail import sending  # noqa: PLC0415 - LocalStack takes a second to import
    from embedded_localstack.mail.errors import BadRequestError  # noqa: PLC0415

    with pytest.raises(BadRequestError, match="more than 41943040 bytes long: '41943041'"):
        sending._check_size({"Data": b"x" * (40 * 1024 * 1024 + 1)})
    sending._check_size({"Body": {"Text": {"Data": "x" * (40 * 1024 * 1024)}}})


def test_the_resources_of_the_account(cloud: Cloud, name: str):
    client, address = cloud.sesv2, f"{name}@example.com"
    client.put_suppressed_destination(EmailAddress=address, Reason="COMPLAINT")
    assert client.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]["Reason"] == "COMPLAINT"
    listed = client.list_suppressed_destinations(Reasons=["BOUNCE"])["SuppressedDestinationSummaries"]
    assert address not in [item["EmailAddress"] for item in listed]
    client.delete_suppressed_destination(EmailAddress=address)
    assert refusal(client.get_suppressed_destination, EmailAddress=address)[0] == "NotFoundException"
    client.create_configuration_set(ConfigurationSetName=name)
    assert client.get_configuration_set(ConfigurationSetName=name)["ConfigurationSetName"] == name
    assert refusal(client.create_configuration_set, ConfigurationSetName=name)[0] == "AlreadyExistsException"
    client.delete_configuration_set(ConfigurationSetName=name)
    assert refusal(client.delete_configuration_set, ConfigurationSetName=name)[0] == "NotFoundException"
    client.create_contact_list(ContactListName=name)
    client.create_contact(ContactListName=name, EmailAddress=address)
    (contact,) = client.list_contacts(ContactListName=name)["Contacts"]
    assert contact["EmailAddress"] == address
    client.delete_contact_list(ContactListName=name)


def test_a_role_sends_only_what_its_policy_allows(cloud: Cloud, name: str, domain: str):
    conditions = {
        "StringEquals": {"ses:FromAddress": f"us@{domain}", "ses:ApiVersion": "2"},
        "StringLike": {"ses:FromDisplayName": "Us*"},
        "ForAllValues:StringLike": {"ses:Recipients": "*@example.com"},
    }
    statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": f"{SES}:identity/{domain}"}
    client = cloud.as_role("sesv2", name, statement | {"Condition": conditions})
    sender = f"Us <us@{domain}>"
    assert send(client, sender, SIMPLE)
    raw = {"Raw": {"Data": f"From: us@{domain}\r\n\r\nraw".encode()}}
    for change in (
        {"FromEmailAddress": f"Us <them@{domain}>"},
        {"FromEmailAddress": f"us@{domain}"},
        {"FromEmailAddress": f"Them <us@{domain}>"},
        {"Destination": {"ToAddresses": ["to@example.net"]}},
        {"Content": raw},
        {"ConfigurationSetName": "c"},
    ):
        mail = {"FromEmailAddress": sender, "Destination": TO, "Content": SIMPLE} | change
        assert refusal(client.send_email, **mail)[0] == "AccessDeniedException", change
    assert refusal(client.delete_email_identity, EmailIdentity=domain)[0] == "AccessDeniedException"
