"""A replacement for LocalStack in the launcher's tests.

It answers the health check, has a child that outlives it, and saves its state.
"""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"version": "4.14.0", "services": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def refuse(home: Path, reason: str, *services: str) -> None:
    (home / "not-saved.part").write_text(json.dumps({"reason": reason, "services": services}))
    (home / "not-saved.part").rename(home / "not-saved.txt")


def write_down(*_: Any) -> None:
    home = Path(os.environ["EMBEDDED_LOCALSTACK_HOME"])
    if "full" in sys.argv:
        refuse(home, "OSError: no space left on device")
        return
    if "unkept" in sys.argv and json.loads((home / "without.json").read_text()) != ["acm"]:
        refuse(home, "acm: PicklingError: a key", "acm")
        return
    if "slow" in sys.argv:
        return
    if "forgetful" not in sys.argv:
        (home / "snapshot").mkdir()
    os._exit(0)


if __name__ == "__main__":
    if "crash" in sys.argv:
        sys.exit("no such service")
    signal.signal(signal.SIGUSR1, write_down)
    if "deaf" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # It has its own session, so neither the process group nor the parent identifies it.
    subprocess.Popen(["sleep", "300"], start_new_session=True)
    if "damaged" in sys.argv:
        home = Path(os.environ["EMBEDDED_LOCALSTACK_HOME"])
        (home / "unrestored").mkdir(exist_ok=True)
        (home / "unrestored" / "reasons.json").write_text(json.dumps({"ssm": "EOFError: Ran out of input"}))
    port = int(os.environ["GATEWAY_LISTEN"].rpartition(":")[2])
    HTTPServer(("127.0.0.1", port), Health).serve_forever()
