"""Which cores threads run on during a kernel phase.

Two threads that are woken together often start on one core, and then both take as long as one would. So helpers are
bound to cores other than the caller's for kernels, and to the caller's cores again before they run anything else: an
OpenMP team that somebody's code starts from a bound thread would inherit its mask. The caller is never bound.
"""

from __future__ import annotations

import os
from functools import lru_cache

from fastframe._threads._drive import current_core

Cores = frozenset[int]
CAN_PLACE = hasattr(os, "sched_setaffinity")   # Linux has it, macOS has no such call


def caller_cores() -> Cores | None:
    """The cores that the calling thread may use; None where the system has no affinity."""
    return frozenset(os.sched_getaffinity(0)) if CAN_PLACE else None


def helper_cores(cores: Cores | None, n_helpers: int) -> list[Cores | None]:
    """Cores per helper: disjoint parts of ``cores`` without the caller's own, or None where there are not enough."""
    return list(_parts(cores, n_helpers, current_core()))


@lru_cache(maxsize=256)   # asked anew for every kernel phase that wakes a helper
def _parts(cores: Cores | None, n_helpers: int, own: int) -> tuple[Cores | None, ...]:
    others = sorted((cores or frozenset()) - {own})
    if len(others) < n_helpers:
        return (cores,) * n_helpers
    return tuple(frozenset(others[helper::n_helpers]) for helper in range(n_helpers))


def place(native_id: int, cores: Cores) -> bool:
    """Let the thread ``native_id`` run on ``cores`` only; False where the system refuses."""
    try:
        os.sched_setaffinity(native_id, cores)
    except OSError:   # a cpuset that shrank meanwhile, or a sandbox: placement is only a help
        return False
    return True
