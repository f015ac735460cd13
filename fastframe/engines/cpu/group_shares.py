"""Aggregations of many groups whose states all stay in the third-level cache: threads share the groups.

Every thread looks at all codes, for about 2 cycles a row, and adds the rows of its own groups in row order, as the plan by
partitions does: neither the number of shares nor the choice between the two decides a bit, so both may follow from threads.
"""

from __future__ import annotations

from fastframe._kernels import aggregate as kernels
from fastframe._threads import run
from fastframe.column.memory import allocate_all

_MOST_BYTES = 8 << 20     # of all states; of more, rows miss the cache that threads share, and partitions are as fast
_MOST_SHARES = 6          # with more, looking at the codes costs more than scattering the rows
_WHOLE_GROUPS = 512        # groups of a share begin at whole words of a bitmap
_LEAST_BYTES = 64 << 20   # of the columns read: of fewer, one late thread costs more than a share saves
_BOUND = 6                # states take at most such a part of the columns read


def share_groups(n_groups: int, state_bytes: int, read_bytes: int, n_threads: int) -> int:
    """How many groups a share has, of states of so many bytes each; 0 where other plans are faster or take less memory."""
    if n_threads > _MOST_SHARES or read_bytes < _LEAST_BYTES or n_groups * state_bytes > min(_MOST_BYTES, read_bytes // _BOUND):
        return 0
    return -(-n_groups // (n_threads * _WHOLE_GROUPS)) * _WHOLE_GROUPS


def run_shares(program: kernels.Program, n_rows: int, n_groups: int, stride: int, of_share: int, *, operation: str) -> bool:
    """All rows to results; False where an exact total needs a wider state."""
    n_shares = -(-n_groups // of_share)
    n_states = n_shares * (of_share + kernels.SPARE_SLOTS)
    sizes = [n_states * stride, n_states * program.n_counted * 4, n_shares * program.n_counted]
    states, missing, touched = allocate_all(sizes, operation)
    task = program.update_shares(states.address, missing.address, touched.address, n_rows=n_rows, share_groups=of_share)
    return run(task, n_shares, 1, operation=operation) is None
