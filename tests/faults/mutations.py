"""Whether the checker would notice: three safeguards are taken out of the thumbnailer, one at a time, and a short story is played."""

from dataclasses import dataclass
from typing import Any

from support import Deployment, depth, eventually, unique

from faults import checker
from faults.proxy import Proxy
from faults.run import drained
from faults.stage import mutant, settled
from faults.workload import Content, Subject, content_of


@dataclass(frozen=True)
class Mutation:
    """A piece of one module of the thumbnailer and what it is replaced by; `shows` is in what the checker then says."""

    module: str
    old: str
    new: str
    shows: str

    def package(self) -> bytes:
        """The thumbnailer without the safeguard."""
        return mutant("thumbnailer", self.module, self.old, self.new)


MUTATIONS = {
    "no sequencer condition": Mutation(
        "ordering", "if recorded is not None:\n        if _is_older", "if False:\n        if _is_older", "another version"
    ),
    "no partial-batch response": Mutation("handler", "for message_id in summary.failed]", "for message_id in ()]", "lost"),
    "transient failures taken for permanent": Mutation(
        "storage", 'Rejection("encrypted")\n    return None', 'Rejection("encrypted")\n    return Rejection("unreadable")', "not READY"
    ),
}


# The end of a file that no limit stops before it kills its process, and a thumbnailer that lets it
KILLING = b"kills its process"
_SUICIDE = f"    if data.endswith({KILLING!r}):\n        import os\n        os.kill(os.getpid(), 9)\n"
DEADLY = Mutation("images", "    if not data:\n", f"{_SUICIDE}    if not data:\n", "crashed")


def play(deployment: Deployment, proxy: Proxy) -> list[str]:
    """An overwritten photo whose first event comes once more, a damaged file, a photo while S3 is down for longer than the SDK tries.

    One after the other: what S3 refuses meanwhile is refused to that photo alone. Returns what the checker says.
    """
    subjects = [_overwritten(deployment), _damaged(deployment)]
    settled(lambda: depth(deployment["uploads_queue_url"]), 240)
    subjects.append(_while_s3_is_down(deployment, proxy))
    return checker.violations(deployment, subjects, drained(deployment))


def _put(deployment: Deployment, subject: Subject, content: Content) -> None:
    subject.version_id, subject.current = deployment.put(subject.key, content.data), content


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


def _while_s3_is_down(deployment: Deployment, proxy: Proxy) -> Subject:
    subject = Subject(deployment["uploads_bucket"], unique("down.jpg"), "S3 down", [])
    # The SDK tries four times: eight answers fail two deliveries.
    proxy.arm({"service": "s3", "operation": "GetObject", "times": 8, "error": {"code": "ServiceUnavailable", "status": 503}})
    before = proxy.fired()["s3 ServiceUnavailable"]
    _put(deployment, subject, content_of("photo", 2))
    eventually(lambda: proxy.fired()["s3 ServiceUnavailable"] >= before + 4, "failed answers of S3", 120)
    settled(lambda: depth(deployment["uploads_queue_url"]), 240)
    proxy.disarm()
    return subject
