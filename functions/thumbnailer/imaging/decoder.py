"""Decode photos in this process or, if a photo may have killed a process before, in a sandbox."""

import threading
from dataclasses import replace

from shared.deadline import Deadline
from thumbnailer.imaging import allocator
from thumbnailer.imaging.images import Output, Photo, render
from thumbnailer.imaging.limits import Limits

# Lambda gives one virtual CPU per 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MB_PER_CPU = 1769
# Memory of the function itself and of Lambda's runtime
_OWN_MB = 84
# The file being decoded, and two copies of the next one, which is downloaded meanwhile
_FILES_AT_ONCE = 3
_LEAST_MB = 512
# The time for the slowest photo within the limits
SLOWEST_S = 8.0
# The time after which a file is rejected as too slow
_SANDBOX_S = 15.0


class Decoder:
    """Decodes as many photos at a time as there are processors: memory stays bounded while transfers overlap."""

    def __init__(self, limits: Limits, output: Output, memory_mb: int) -> None:
        """`memory_mb` is the memory of the function."""
        processors = max(1, memory_mb // _MB_PER_CPU)
        for_decoding = (memory_mb // processors - _OWN_MB) * 1024**2 - _FILES_AT_ONCE * limits.max_bytes
        self._limits = replace(limits, max_memory=max(_LEAST_MB * 1024**2, for_decoding))
        self._output = output
        self._processors = threading.Semaphore(processors)

    def run(self, data: bytes, deliveries: int, deadline: Deadline) -> Photo:
        """Render a photo as images.render does.

        If its message was delivered before, it may have ended that invocation: use a sandbox.

        Raises TimeoutError if the invocation has too little time left, which says nothing about the file.
        """
        needed_s = min(SLOWEST_S, deadline.remaining_s() / 2)
        with self._processors:
            if not deadline.allows(needed_s):
                raise TimeoutError(f"only {deadline.remaining_s():.0f} s were left when its turn came to be decoded")
            if deliveries == 1:
                return render(data, self._limits, self._output)
            from thumbnailer.imaging.sandbox import Sandbox  # noqa: PLC0415 - hardly ever needed

            allocator.give_back()
            sandbox = Sandbox(self._limits, self._output, _SANDBOX_S)
            try:
                return sandbox.render(data, deadline.remaining_s())
            finally:
                sandbox.close()
