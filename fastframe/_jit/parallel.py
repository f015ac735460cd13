"""Functions that numba decorated with ``parallel=True``: numba's own threads run inside them, so ours must not.

numba's threading layer "workqueue" aborts the process when two threads are inside it at once. So such a kernel runs on the
calling thread alone, one call at a time in the process, with numba's threads set to our share.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastframe._threads import thread_count

_one_at_a_time = threading.RLock()   # re-entrant: a signal handler that strikes inside may run one, too


@contextmanager
def numba_threads() -> Iterator[None]:
    """Nobody else of ours is inside; numba has as many threads as an operation of ours would get."""
    import numba

    n_threads = min(thread_count(), numba.config.NUMBA_NUM_THREADS)
    with _one_at_a_time:
        before = numba.get_num_threads()
        numba.set_num_threads(n_threads)
        try:
            yield
        finally:
            numba.set_num_threads(before)
