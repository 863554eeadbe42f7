"""Adapt AWS's recorded answers to a server with another port and only one runtime."""

import json
import re
from typing import Any

LOCALSTACK_PORT = 4566
RUNTIME = "python3.13"
_NAMED_RUNTIME = re.compile(r'("Runtime": )"python3\.\d+"')


def adapted(recorded: dict[str, Any], port: int) -> dict[str, Any]:
    """Return recorded answers with the only runtime and the port of this server."""
    text = _NAMED_RUNTIME.sub(rf'\1"{RUNTIME}"', json.dumps(recorded))
    answers: dict[str, Any] = json.loads(text.replace(f":{LOCALSTACK_PORT}", f":{port}"))
    return answers
