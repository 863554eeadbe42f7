"""Denials and, with IAM_AUDIT=1, every decision: one JSON object a line in the server's folder."""

import json
import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)


class Records:
    """Appends to denials.jsonl and audit.jsonl."""

    def __init__(self, folder: Path, *, audit: bool) -> None:
        self._denials, self._audit = folder / "denials.jsonl", folder / "audit.jsonl" if audit else None
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls) -> "Records":
        """For the running server."""
        return cls(Path(os.environ["EMBEDDED_LOCALSTACK_HOME"]), audit=os.environ.get("IAM_AUDIT") == "1")

    def denied(self, who: str, action: str, resource: str, policy: str, reason: str) -> None:
        """A call was refused."""
        LOG.warning("IAM: %s may not %s on %s (asked: %s: %s)", who, action, resource, policy, reason)
        self._append(self._denials, {"who": who, "action": action, "resource": resource, "policy": policy, "reason": reason})

    def decided(self, who: str, action: str, resource: str, allowed: bool, matched: tuple[str, ...]) -> None:
        """A call was allowed or refused."""
        if self._audit:
            decision = "allow" if allowed else "deny"
            self._append(self._audit, {"who": who, "action": action, "resource": resource, "decision": decision, "matched": matched})

    def _append(self, path: Path, entry: dict[str, Any]) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock, path.open("a") as file:
            file.write(json.dumps({"time": time, **entry}) + "\n")
