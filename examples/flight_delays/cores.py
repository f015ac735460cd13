"""How many cores the demo may use, so that every contender gets as many threads."""

from __future__ import annotations

import os


def n_threads() -> int:
    """The cores of this process's affinity mask."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment() -> dict[str, str]:
    """This process's environment with that many threads for polars, fastframe and OpenMP.

    OpenMP's threads wait without spinning: on a machine with other work they would keep each other from working.
    """
    threads = str(n_threads())
    names = ("POLARS_MAX_THREADS", "FASTFRAME_THREADS", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT")
    return os.environ | dict.fromkeys(names, threads) | {"OMP_WAIT_POLICY": "PASSIVE"}
