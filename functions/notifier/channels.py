"""Where notices go: an SNS topic, and mail by SES."""

from collections.abc import Sequence
from typing import Any, Protocol

from botocore.exceptions import ClientError

from notifier.notices import ANNOUNCED, Notice
from shared import sns

# What the same mail would meet again: an address that isn't verified, content that isn't allowed, an account that may not send
_REFUSED = {
    "AccountSendingPausedException",
    "InvalidParameterValue",
    "MailFromDomainNotVerified",
    "MailFromDomainNotVerifiedException",
    "MessageRejected",
}
# Lasts longer than a stream waits, unlike the other message of a throttling error, "Maximum sending rate exceeded":
# https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
_QUOTA = "Daily message quota exceeded"


class Refused(Exception):
    """The service doesn't take this message, now or in the time that a stream's records are kept. The text says why."""


class Channel(Protocol):
    """One way to give the notices of some statuses."""

    name: str
    statuses: frozenset[str]

    def give(self, notice: Notice) -> None:
        """Send it. Raises Refused, or botocore's errors, after which another try may help."""


class Topic:
    """Notices to an SNS topic; their attributes are there for the subscriptions' filter policies."""

    name = "sns"
    statuses = ANNOUNCED

    def __init__(self, sns: Any, topic_arn: str) -> None:
        """`sns` is a low-level client."""
        self._sns = sns
        self._topic_arn = topic_arn

    def give(self, notice: Notice) -> None:
        """Publish."""
        self._sns.publish(
            TopicArn=self._topic_arn,
            Subject=sns.subject(notice.subject),
            Message=notice.message,
            MessageStructure="json",
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in notice.attributes.items()},
        )


class Mail:
    """Notices by mail to a few people, of what they may have to look at."""

    name = "ses"
    statuses = frozenset({"REJECTED"})

    def __init__(self, ses: Any, sender: str, recipients: Sequence[str]) -> None:
        """`ses` is a low-level client of SES v1."""
        self._ses = ses
        self._sender = sender
        self._recipients = list(recipients)

    def give(self, notice: Notice) -> None:
        """Send one mail to all recipients."""
        content = {"Subject": _utf8(notice.subject), "Body": {"Text": _utf8(notice.text)}}
        try:
            self._ses.send_email(Source=self._sender, Destination={"ToAddresses": self._recipients}, Message=content)
        except ClientError as error:
            answer = error.response["Error"]
            if answer.get("Code") in _REFUSED or _QUOTA in answer.get("Message", ""):
                raise Refused(str(error)) from error
            raise


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
