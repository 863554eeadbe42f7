"""The ways a digest goes out: mail by Amazon SES, a notice by Amazon SNS."""

from collections.abc import Callable

from digest import letters
from digest.settings import Settings
from digest.summary import Summary
from shared.clients import client

type Channel = Callable[[Summary, Settings], None]


def channels(settings: Settings) -> dict[str, Channel]:
    """The ones that are set up, by name."""
    wanted: dict[str, tuple[str, Channel]] = {"mail": (settings.sender, _mail), "notice": (settings.topic_arn, _notice)}
    return {name: channel for name, (address, channel) in wanted.items() if address}


def _mail(summary: Summary, settings: Settings) -> None:
    body = {"Text": _utf8(letters.text(summary)), "Html": _utf8(letters.html(summary))}
    message = {"Subject": _utf8(letters.subject(summary, settings.environment)), "Body": body}
    client("ses").send_email(Source=settings.sender, Destination={"ToAddresses": settings.mail_recipients}, Message=message)


def _notice(summary: Summary, settings: Settings) -> None:
    client("sns").publish(
        TopicArn=settings.topic_arn,
        Subject=letters.subject(summary, settings.environment),
        Message=letters.text(summary),
        # For subscriptions that want images alone, or digests alone
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "digest"}},
    )


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
