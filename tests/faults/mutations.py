"""Whether the checker would notice: safeguards are taken out of thumbnailer and notifier, one at a time, and a short story is played."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from eventloom import catalog
from eventloom.clouds import client
from tests.faults import checker
from tests.faults.proxy import Proxy
from tests.faults.run import drained
from tests.faults.stage import mutant, settled
from tests.faults.workload import Content, Subject, content_of
from tests.integration.support import Deployment, Listener, depth, eventually, listening, unique


@dataclass(frozen=True)
class Mutation:
    """A piece of one module of a function and what it is replaced by; `shows` is in what the checker then says."""

    module: str
    old: str
    new: str
    shows: str
    function: str = "thumbnailer"

    def package(self) -> bytes:
        """The function without the safeguard."""
        return mutant(self.function, self.module, self.old, self.new)


MUTATIONS = {
    "no sequencer condition": Mutation(
        "ordering", "if recorded is not None:\n        if _is_older", "if False:\n        if _is_older", "another version"
    ),
    "no partial-batch response": Mutation("handler", "for message_id in summary.failed]", "for message_id in ()]", "lost"),
    "transient failures taken for permanent": Mutation(
        "storage", 'Rejection("encrypted")\n    return None', 'Rejection("encrypted")\n    return Rejection("unreadable")', "not READY"
    ),
    "no claim": Mutation("announcer", "given = self._begin(notice, deadline)", "given = set()", "came again", "notifier"),
    "a notice's id tells deliveries apart": Mutation(
        "notices",
        "or '-'}#{self.status}\"",
        "or '-'}#{self.status}#{__import__('time').time()}\"",
        "announced by 2 notices",
        "notifier",
    ),
}


# The end of a file that no limit stops before it kills its process, and a thumbnailer that lets it
KILLING = b"kills its process"
_SUICIDE = f"    if data.endswith({KILLING!r}):\n        import os\n        os.kill(os.getpid(), 9)\n"
_FIRST_CHECK = "    limits.check_bytes(len(data))\n"
DEADLY = Mutation("imaging/images", _FIRST_CHECK, _SUICIDE + _FIRST_CHECK, "crashed")


def play(deployment: Deployment, proxy: Proxy) -> list[str]:
    """An overwritten photo whose first event comes once more, a damaged file whose change does, a photo while S3 is down.

    One after the other: what S3 refuses meanwhile is refused to that photo alone. Returns what the checker says.
    """
    with listening(deployment["notices_topic_arn"]) as listener:
        subjects = [_overwritten(deployment), _damaged(deployment)]
        _deliver_again(deployment, subjects[-1], listener)
        settled(lambda: depth(deployment["uploads_queue_url"]), 240)
        subjects.append(_while_s3_is_down(deployment, proxy))
        wrong = checker.violations(deployment, subjects, drained(deployment))
        images = {catalog.image_id(one.bucket, one.key) for one in subjects}
        notices = [notice for notice in listener.messages() if notice.get("image_id") in images]
    return wrong + checker.told_twice(subjects, notices) + checker.repeats(notices, Counter(), deployment["state_table"])


def _put(deployment: Deployment, subject: Subject, content: Content) -> None:
    subject.put(content, deployment.put(subject.key, content.data), "")


def _overwritten(deployment: Deployment) -> Subject:
    subject = Subject(deployment["uploads_bucket"], unique("mutant.jpg"), "late first event", [])
    _put(deployment, subject, content_of("photo", 0))
    first = _recorded(deployment, subject)
    _put(deployment, subject, content_of("photo", 1))
    _recorded(deployment, subject)
    deployment.send(deployment.record(subject.key, first["version_id"], first["sequencer"]))
    return subject


def _recorded(deployment: Deployment, subject: Subject) -> dict[str, Any]:
    return deployment.wait_for(subject.key, version_id=subject.version_id, timeout_s=120)


def _damaged(deployment: Deployment) -> Subject:
    subject = Subject(deployment["uploads_bucket"], unique("damaged.jpg"), "damaged", [])
    _put(deployment, subject, content_of("cut", 2))
    _recorded(deployment, subject)
    return subject


def _deliver_again(deployment: Deployment, subject: Subject, listener: Listener) -> None:
    """Give the notifier a change that it has announced, as a stream's trigger does after an answer that was lost."""
    image = catalog.image_id(subject.bucket, subject.key)
    listener.wait_for(image_id=image, timeout_s=120)
    item = client("dynamodb").get_item(TableName=deployment["catalog_table"], Key={"image_id": {"S": image}})["Item"]
    change = {"Keys": {"image_id": item["image_id"]}, "NewImage": item, "SequenceNumber": "1"}
    deployment.invoke("notifier", {"Records": [{"eventID": unique("again"), "eventName": "INSERT", "dynamodb": change}]})
    # What the topic gets later is heard later.
    marker = unique("marker")
    client("sns").publish(TopicArn=deployment["notices_topic_arn"], Message=json.dumps({"marker": marker}))
    listener.wait_for(marker=marker)


def _while_s3_is_down(deployment: Deployment, proxy: Proxy) -> Subject:
    subject = Subject(deployment["uploads_bucket"], unique("down.jpg"), "S3 down", [])
    # So many answers fail two deliveries.
    failing = {"service": "s3", "operation": "GetObject", "times": 2 * checker.SDK_TRIES}
    proxy.arm(failing | {"error": {"code": "ServiceUnavailable", "status": 503}})
    before = proxy.fired()["s3 ServiceUnavailable"]
    _put(deployment, subject, content_of("photo", 2))
    eventually(lambda: proxy.fired()["s3 ServiceUnavailable"] >= before + checker.SDK_TRIES, "failed answers of S3", 120)
    settled(lambda: depth(deployment["uploads_queue_url"]), 240)
    proxy.disarm()
    return subject
