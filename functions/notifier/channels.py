"""The channels for notices: an SNS topic, and mail through SES."""

from collections.abc import Sequence
from typing import Any, Protocol

from botocore.exceptions import ClientError

from notifier.notices import ANNOUNCED, Notice
from shared import sns

# Errors that another attempt would cause again: the address is not verified, or the content or the account is not
# allowed
_REFUSED = {
    "AccountSendingPausedException",
    "InvalidParameterValue",
    "MailFromDomainNotVerified",
    "MailFromDomainNotVerifiedException",
    "MessageRejected",
}
# This throttling error lasts longer than the stream keeps a record, unlike "Maximum sending rate exceeded":
# https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
_QUOTA = "Daily message quota exceeded"


class Refused(Exception):
    """The service does not accept this message, and retries would fail as long as the stream keeps the record.

    The text says why.
    """


class Channel(Protocol):
    """One way to send notices about images with certain statuses."""

    name: str
    statuses: frozenset[str]

    def give(self, notice: Notice) -> None:
        """Send a notice. Raises Refused, or botocore's errors, after which another attempt may succeed."""


class Topic:
    """A channel that publishes notices to an SNS topic, with attributes for the subscriptions' filter policies."""

    name = "sns"
    statuses = ANNOUNCED

    def __init__(self, sns: Any, topic_arn: str) -> None:
        """`sns` is a low-level client."""
        self._sns = sns
        self._topic_arn = topic_arn

    def give(self, notice: Notice) -> None:
        """See `Channel`."""
        self._sns.publish(
            TopicArn=self._topic_arn,
            Subject=sns.subject(notice.subject),
            Message=notice.message,
            MessageStructure="json",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in notice.attributes.items()
            },
        )


class Mail:
    """A channel that sends a mail for each notice that needs attention."""

    name = "ses"
    statuses = frozenset({"REJECTED"})

    def __init__(self, ses: Any, sender: str, recipients: Sequence[str]) -> None:
        """`ses` is a low-level client of SES v1."""
        self._ses = ses
        self._sender = sender
        self._recipients = list(recipients)

    def give(self, notice: Notice) -> None:
        """Send one mail to all recipients. See `Channel`."""
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
