"""Record denials and, with IAM_AUDIT=1, every decision: one JSON object per line in the server's folder."""

import json
import logging
import os
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_localstack.iam.decide import Verdict

LOG = logging.getLogger(__name__)


class Records:
    """The files denials.jsonl and audit.jsonl, to which entries are appended."""

    def __init__(self, folder: Path, *, audit: bool) -> None:
        self._denials, self._audit = folder / "denials.jsonl", folder / "audit.jsonl" if audit else None
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls) -> "Records":
        """Return the records of the running server."""
        return cls(Path(os.environ["EMBEDDED_LOCALSTACK_HOME"]), audit=os.environ.get("IAM_AUDIT") == "1")

    def denied(self, who: str, action: str, resource: str, policy: str, reason: str) -> None:
        """Record that a call was refused."""
        LOG.warning("IAM: %s may not %s on %s (asked: %s: %s)", who, action, resource, policy, reason)
        self._append(
            self._denials, {"who": who, "action": action, "resource": resource, "policy": policy, "reason": reason}
        )

    def decided(self, who: str, verdict: Verdict) -> None:
        """Record that a call was allowed or refused, with everything that the decision depends on."""
        if self._audit and (question := verdict.question):
            entry = asdict(question) | {
                "who": who,
                "decision": "allow" if verdict.allowed else "deny",
                "how": verdict.how,
            }
            self._append(
                self._audit, entry | {"asked": verdict.asked, "reason": verdict.reason, "matched": verdict.matched}
            )

    def _append(self, path: Path, entry: dict[str, Any]) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock, path.open("a") as file:
            file.write(json.dumps({"time": time, **entry}) + "\n")
