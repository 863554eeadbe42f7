"""The garbage collector while a server starts.

A start only makes objects that stay. Searching them for garbage is a third of its CPU time, and later searches would go
through them again each time.
"""

import gc

# Python's default is 2,000. The objects of a request to AWS are some thousands, nearly all without cycles.
THRESHOLD = 20_000


def pause() -> None:
    """Do not collect garbage until `resume`."""
    gc.disable()


def resume() -> None:
    """Collect garbage from now on, and leave out the objects that exist already."""
    gc.freeze()
    gc.set_threshold(THRESHOLD, *gc.get_threshold()[1:])
    gc.enable()
