"""Remove one safeguard at a time from the thumbnailer or notifier, and check that the checker notices."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from eventloom import catalog
from eventloom.clouds import client
from tests.faults import checker
from tests.faults.proxy import Proxy
from tests.faults.run import drain_dead_letters
from tests.faults.stage import mutant, settled
from tests.faults.workload import Content, Subject, content_of
from tests.integration.support import Deployment, Listener, depth, eventually, listening, unique


@dataclass(frozen=True)
class Mutation:
    """A piece of a function's module and its replacement. `shows` is a part of the checker's report about it."""

    module: str
    old: str
    new: str
    shows: str
    function: str = "thumbnailer"

    def package(self) -> bytes:
        """Return the function's package without the safeguard."""
        return mutant(self.function, self.module, self.old, self.new)


MUTATIONS = {
    "no sequencer condition": Mutation(
        "ordering",
        "if recorded is not None:\n        if _is_older",
        "if False:\n        if _is_older",
        "another version",
    ),
    "no partial-batch response": Mutation(
        "handler", "for message_id in summary.failed]", "for message_id in ()]", "lost"
    ),
    "transient failures taken for permanent": Mutation(
        "storage",
        'Rejection("encrypted")\n    return None',
        'Rejection("encrypted")\n    return Rejection("unreadable")',
        "not READY",
    ),
    "no claim": Mutation(
        "announcer",
        "finished_channels = self._begin(notice, deadline)",
        "finished_channels = set()",
        "came again",
        "notifier",
    ),
    "a notice's id tells deliveries apart": Mutation(
        "notices",
        "or '-'}#{self.status}\"",
        "or '-'}#{self.status}#{__import__('time').time()}\"",
        "announced by 2 notices",
        "notifier",
    ),
}


# A thumbnailer that kills its process when a file ends with these bytes
KILLING = b"kills its process"
_SUICIDE = f"    if data.endswith({KILLING!r}):\n        import os\n        os.kill(os.getpid(), 9)\n"
_FIRST_CHECK = "    limits.check_bytes(len(data))\n"
DEADLY = Mutation("imaging/images", _FIRST_CHECK, _SUICIDE + _FIRST_CHECK, "crashed")


def play(deployment: Deployment, proxy: Proxy) -> list[str]:
    """Run a short scenario and return the problems that the checker reports.

    An overwritten photo's first event arrives again, a damaged file's change arrives again, and a photo arrives while
    S3 is down. These steps run one after the other, so that S3's errors only affect that photo.
    """
    with listening(deployment["notices_topic_arn"]) as listener:
        subjects = [_overwritten(deployment), _damaged(deployment)]
        _deliver_again(deployment, subjects[-1], listener)
        settled(lambda: depth(deployment["uploads_queue_url"]), 240)
        subjects.append(_while_s3_is_down(deployment, proxy))
        problems = checker.violations(deployment, subjects, drain_dead_letters(deployment))
        images = {catalog.image_id(subject.bucket, subject.key) for subject in subjects}
        notices = [notice for notice in listener.messages() if notice.get("image_id") in images]
    problems += checker.announced_twice(subjects, notices)
    return problems + checker.repeats(notices, Counter(), deployment["state_table"])


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
    """Send the notifier a change that it has announced already, as a stream's trigger does after a lost answer."""
    image = catalog.image_id(subject.bucket, subject.key)
    listener.wait_for(image_id=image, timeout_s=120)
    item = client("dynamodb").get_item(TableName=deployment["catalog_table"], Key={"image_id": {"S": image}})["Item"]
    change = {"Keys": {"image_id": item["image_id"]}, "NewImage": item, "SequenceNumber": "1"}
    deployment.invoke(
        "notifier", {"Records": [{"eventID": unique("again"), "eventName": "INSERT", "dynamodb": change}]}
    )
    # The listener receives messages in the topic's order, so the marker arrives after all earlier messages.
    marker = unique("marker")
    client("sns").publish(TopicArn=deployment["notices_topic_arn"], Message=json.dumps({"marker": marker}))
    listener.wait_for(marker=marker)


def _while_s3_is_down(deployment: Deployment, proxy: Proxy) -> Subject:
    subject = Subject(deployment["uploads_bucket"], unique("down.jpg"), "S3 down", [])
    # This number of failures makes two deliveries fail.
    failing = {"service": "s3", "operation": "GetObject", "times": 2 * checker.SDK_TRIES}
    proxy.arm(failing | {"error": {"code": "ServiceUnavailable", "status": 503}})
    before = proxy.fired()["s3 ServiceUnavailable"]
    _put(deployment, subject, content_of("photo", 2))
    eventually(
        lambda: proxy.fired()["s3 ServiceUnavailable"] >= before + checker.SDK_TRIES, "failed answers of S3", 120
    )
    settled(lambda: depth(deployment["uploads_queue_url"]), 240)
    proxy.disarm()
    return subject
