"""`paused`: no collection of garbage while modules are imported, which makes tens of thousands of objects and no garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["paused"]


@contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage inside, unless somebody else turns it on.

    Collections look at every object that the process has: a tenth of the time of ``import fastframe`` without this.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
