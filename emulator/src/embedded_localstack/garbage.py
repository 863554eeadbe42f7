"""Control the garbage collector while a server starts.

A start creates only objects that stay. Garbage collection would take a third of the start's CPU time, and each later
collection would search these objects again.
"""

import gc

# Python's default is 2,000. The objects of a request to AWS are some thousands, nearly all without cycles.
THRESHOLD = 20_000


def pause() -> None:
    """Do not collect garbage until `resume`."""
    gc.disable()


def resume() -> None:
    """Collect garbage again, but ignore the objects that exist already."""
    gc.freeze()
    gc.set_threshold(THRESHOLD, *gc.get_threshold()[1:])
    gc.enable()
