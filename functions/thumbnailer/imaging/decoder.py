"""Decode photos in this process, or in a sandbox if the decoder or the photo itself may end the process."""

import atexit
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.deadline import Deadline
from thumbnailer.imaging import allocator, formats
from thumbnailer.imaging.images import Output, Photo, render
from thumbnailer.imaging.limits import Limits

if TYPE_CHECKING:
    from thumbnailer.imaging.sandbox import Sandbox

# Lambda gives one virtual CPU per 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MB_PER_CPU = 1769
# The memory of the function itself and of Lambda's runtime. A waiting sandbox takes 40 MB, for which there is room
# because `Limits` deducts the decoders' code a second time.
_OWN_MB = 84
# The file that is being decoded, and two copies of the next file, which is downloaded meanwhile
_FILES_AT_ONCE = 3
_LEAST_MB = 512
# The time for the slowest photo within the limits
SLOWEST_S = 8.0
# The time after which a file is rejected as too slow
_SANDBOX_S = 15.0
# The decoders of these formats (libheif, libde265 and libaom) are complex and get security fixes every few weeks.
_RISKY = {"HEIF", "AVIF"}


class Decoder:
    """A decoder that decodes at most one photo per processor at a time, so that memory stays limited.

    Sandboxes are kept for the next photo, also across invocations, because starting one takes 0.2 s of CPU. Between
    invocations, Lambda freezes them together with the function.
    """

    def __init__(self, limits: Limits, output: Output, memory_mb: int) -> None:
        """`memory_mb` is the memory of the function."""
        processors = max(1, memory_mb // _MB_PER_CPU)
        for_decoding = (memory_mb // processors - _OWN_MB) * 1024**2 - _FILES_AT_ONCE * limits.max_bytes
        self._limits = replace(limits, max_memory=max(_LEAST_MB * 1024**2, for_decoding))
        self._output = output
        self._processors = threading.Semaphore(processors)
        # The idle sandboxes, at most one for each processor
        self._sandboxes: list[Sandbox] = []
        # Whether this process or a sandbox may hold free memory that the other one needs
        self._kept_here = self._kept_in_sandboxes = False

    def run(self, data: bytes, deliveries: int, deadline: Deadline) -> Photo:
        """Render a photo as images.render does.

        A sandbox is used for HEIF and AVIF. It is also used if the message was delivered before, because the photo may
        have ended the earlier invocation.

        Raises TimeoutError if the invocation has too little time left. The file may be fine then.
        """
        needed_s = min(SLOWEST_S, deadline.remaining_s() / 2)
        with self._processors:
            if not deadline.allows(needed_s):
                raise TimeoutError(f"only {deadline.remaining_s():.0f} s were left when its turn came to be decoded")
            if deliveries > 1 or formats.sniff(data) in _RISKY:
                return self._run_in_sandbox(data, deadline)
            if self._kept_in_sandboxes:
                self._kept_in_sandboxes = False
                for sandbox in tuple(self._sandboxes):
                    sandbox.give_back()
            self._kept_here = True
            return render(data, self._limits, self._output)

    def close(self) -> None:
        """End the idle sandboxes. The next photo that needs a sandbox starts a new one."""
        while self._sandboxes:
            self._sandboxes.pop().close()

    def _run_in_sandbox(self, data: bytes, deadline: Deadline) -> Photo:
        if self._kept_here:
            self._kept_here = False
            allocator.give_back()
        sandbox = self._take_sandbox()
        self._kept_in_sandboxes = True
        try:
            return sandbox.render(data, deadline.remaining_s())
        finally:
            self._sandboxes.append(sandbox)

    def _take_sandbox(self) -> "Sandbox":
        from thumbnailer.imaging.sandbox import Sandbox  # noqa: PLC0415 - most invocations need none

        try:
            return self._sandboxes.pop()
        except IndexError:
            sandbox = Sandbox(self._limits, self._output, _SANDBOX_S)
            atexit.register(sandbox.close)
            return sandbox
