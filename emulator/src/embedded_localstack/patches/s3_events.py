"""Give S3 event notifications increasing sequencers, and encode their keys as S3 does.

LocalStack sends the same sequencer with every event, so events cannot be ordered. Here each change of a key gets the
next sequencer: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus


class Sequencer:
    """A source of strictly increasing hexadecimal numbers, also across restarts.

    All numbers have the same length, so they can be compared as strings, as on AWS.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._last = 0

    def next(self) -> str:
        """Return the next number. The caller holds `lock` until the numbered change is complete."""
        with self.lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"00{self._last:016X}"


def encoded(key: str) -> str:
    """Return a key as it appears in an event to SQS, SNS or Lambda: URL-encoded, with a plus sign for a space."""
    return quote_plus(key, safe="/")


def install() -> None:
    """Number the changes of keys, and put the numbers into the events."""
    from localstack.services.s3 import models, notifications  # noqa: PLC0415 - only a running server has it

    sequencer = Sequencer()
    for store in (models.KeyStore, models.VersionedKeyStore):
        _number_changes(store, sequencer)
    _patch_context(notifications.S3EventNotificationContext, sequencer)
    _patch_payload(notifications.BaseNotifier)
    _patch_eventbridge(notifications.EventBridgeNotifier)


def _number_changes(store: Any, sequencer: Sequencer) -> None:
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(store.set)
    def set_(original: Callable[..., None], self: Any, object_key: str, s3_object: Any) -> None:
        with sequencer.lock:
            s3_object.sequencer_created = sequencer.next()
            original(self, object_key, s3_object)

    @patch(store.pop)
    def pop(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        with sequencer.lock:
            removed = original(self, *args, **kwargs)
            if removed is not None:
                removed.sequencer_removed = sequencer.next()
            return removed


def _patch_context(context_class: Any, sequencer: Sequencer) -> None:
    from localstack.utils.patch import Patch  # noqa: PLC0415

    original = context_class.from_request_context.__func__

    def from_request_context(cls: Any, request_context: Any, s3_bucket: Any, s3_object: Any) -> Any:
        context = original(cls, request_context, s3_bucket=s3_bucket, s3_object=s3_object)
        removing = "ObjectRemoved" in context.event_type
        number = (getattr(s3_object, "sequencer_removed", None) if removing else None) or getattr(
            s3_object, "sequencer_created", None
        )
        # DeleteObjects also reports keys that never existed.
        context.sequencer = number or sequencer.next()
        context.key_name, context.plain_key = encoded(s3_object.key), s3_object.key
        return context

    Patch(context_class, "from_request_context", classmethod(from_request_context)).apply()


def _patch_payload(notifier: Any) -> None:
    from localstack.utils.patch import Patch  # noqa: PLC0415

    original = notifier._get_event_payload

    def get_event_payload(context: Any, config_id: str) -> Any:
        payload = original(context, config_id)
        item = payload["Records"][0]["s3"]["object"]
        if "sequencer" in item:
            item["sequencer"] = context.sequencer
        return payload

    Patch(notifier, "_get_event_payload", staticmethod(get_event_payload)).apply()


def _patch_eventbridge(notifier: Any) -> None:
    from localstack.utils.patch import Patch  # noqa: PLC0415

    original = notifier._get_event_payload

    def get_event_payload(context: Any, config_id: str | None = None) -> Any:
        entry = original(context, config_id)
        detail = json.loads(entry["Detail"])
        # An event to EventBridge contains the key without encoding: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        detail["object"]["key"] = context.plain_key
        if "sequencer" in detail["object"]:
            detail["object"]["sequencer"] = context.sequencer
        entry["Detail"] = json.dumps(detail)
        return entry

    Patch(notifier, "_get_event_payload", staticmethod(get_event_payload)).apply()
