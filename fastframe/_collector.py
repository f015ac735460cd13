"""`paused`: no collection of garbage while modules are imported, which makes tens of thousands of objects and no garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["paused"]


@contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage inside, unless somebody else turns it on, and count all objects as old afterwards.

    Collections look at every object that is young enough: a tenth of the time of ``import fastframe`` without this, and what
    an import leaves young is looked at twice more, by then in the first group-by or join.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            _age()
            gc.enable()


def _age() -> None:
    """Move all objects to the oldest generation, at no cost for any number of them; garbage among them waits for a full collection.

    Objects that somebody has frozen would thaw with ours, so all are left as they are then.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
