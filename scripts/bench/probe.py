"""Call a function's handler with events in the function's environment. Usage: python probe.py MODULE EVENT.json...

Prints the answers, and the CPU milliseconds of the import and of each invocation.
"""

import importlib
import itertools
import json
import sys
import time
from pathlib import Path


class Context:
    """The attributes of Lambda's context that handlers use."""

    aws_request_id = function_name = invoked_function_arn = log_stream_name = "bench"
    memory_limit_in_mb = 1769

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute, always."""
        return 60_000


def main() -> None:
    """Import the handler, then call it once for each event."""
    marks = [time.process_time()]
    handler = importlib.import_module(sys.argv[1]).lambda_handler
    marks.append(time.process_time())
    answers = []
    for name in sys.argv[2:]:
        answers.append(handler(json.loads(Path(name).read_text()), Context()))
        marks.append(time.process_time())
    cpu_ms = [round(1000 * (after - before), 2) for before, after in itertools.pairwise(marks)]
    print("\n" + json.dumps({"cpu_ms": cpu_ms, "answers": answers}))


if __name__ == "__main__":
    main()
