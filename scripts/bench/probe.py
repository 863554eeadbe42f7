"""Runs in a function's environment: calls its handler with an event again and again; prints the CPU milliseconds of each, and of INIT.

Usage: python probe.py MODULE EVENT.json...
"""

import importlib
import itertools
import json
import sys
import time
from pathlib import Path


class Context:
    """The little of Lambda's context that handlers use."""

    aws_request_id = function_name = invoked_function_arn = log_stream_name = "bench"
    memory_limit_in_mb = 1769

    def get_remaining_time_in_millis(self) -> int:
        """Always a minute."""
        return 60_000


def main() -> None:
    """Import, then invoke once for each event."""
    marks = [time.process_time()]
    handler = importlib.import_module(sys.argv[1]).lambda_handler
    marks.append(time.process_time())
    for name in sys.argv[2:]:
        answer = handler(json.loads(Path(name).read_text()), Context())
        if answer["batchItemFailures"]:
            sys.exit(f"{sys.argv[1]} failed: {answer}")
        marks.append(time.process_time())
    print("\n" + json.dumps([round(1000 * (after - before), 2) for before, after in itertools.pairwise(marks)]))


if __name__ == "__main__":
    main()
