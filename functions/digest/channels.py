"""The channels for a digest: mail through Amazon SES, and a notice through Amazon SNS."""

from collections.abc import Sequence
from typing import Any, Protocol

from digest import rendering
from digest.summary import Summary
from shared import sns


class Channel(Protocol):
    """One way to send a digest."""

    name: str

    def send(self, summary: Summary) -> None:
        """Send the summary. Raises botocore's errors."""


class Mail:
    """A channel that sends one mail to all recipients."""

    name = "mail"

    def __init__(self, ses: Any, sender: str, recipients: Sequence[str], environment: str) -> None:
        """`ses` is a low-level client of SES v1."""
        self._ses = ses
        self._sender = sender
        self._recipients = list(recipients)
        self._environment = environment

    def send(self, summary: Summary) -> None:
        """See `Channel`."""
        body = {"Text": _utf8(rendering.text(summary)), "Html": _utf8(rendering.html(summary))}
        message = {"Subject": _utf8(rendering.subject(summary, self._environment)), "Body": body}
        self._ses.send_email(Source=self._sender, Destination={"ToAddresses": self._recipients}, Message=message)


class Notice:
    """A channel that publishes the summary to an SNS topic."""

    name = "notice"

    def __init__(self, client: Any, topic_arn: str, environment: str) -> None:
        """`client` is a low-level client of SNS."""
        self._sns = client
        self._topic_arn = topic_arn
        self._environment = environment

    def send(self, summary: Summary) -> None:
        """See `Channel`."""
        self._sns.publish(
            TopicArn=self._topic_arn,
            Subject=sns.subject(rendering.subject(summary, self._environment)),
            Message=rendering.text(summary),
            # Subscriptions can filter by this attribute to receive only digests, or no digests.
            MessageAttributes={"kind": {"DataType": "String", "StringValue": "digest"}},
        )


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
