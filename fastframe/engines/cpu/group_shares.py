"""Aggregations of many groups: threads share the groups, and ask for states well before they add to them.

Every thread looks at all codes, for about 2 cycles a row, and adds the rows of its own groups in row order, as the plan by
partitions does: neither the number of shares nor the choice between the two decides a bit, so both may follow from threads.
Where all states would take too much memory, shares come in rounds.
"""

from __future__ import annotations

from fastframe._kernels import aggregate as kernels
from fastframe._threads import run
from fastframe.column.memory import allocate_all

_MOST_SHARES = 6          # with more, looking at all codes for each costs more than scattering the rows
_WHOLE_GROUPS = 512        # groups of a share begin at whole words of a bitmap
_LEAST_BYTES = 64 << 20   # of the columns read: of fewer, one late thread costs more than a share saves
_BOUND = 6                # the states of a round take at most such a part of the columns read


def share_groups(n_groups: int, state_bytes: int, read_bytes: int, n_threads: int) -> int:
    """How many groups a share has, of states of so many bytes each; 0 where other plans are faster."""
    n_rounds = -(-n_groups * state_bytes // max(read_bytes // _BOUND, 1))
    if n_rounds * n_threads > _MOST_SHARES or read_bytes < _LEAST_BYTES:
        return 0
    return -(-n_groups // (n_rounds * n_threads * _WHOLE_GROUPS)) * _WHOLE_GROUPS


def run_shares(program: kernels.Program, n_rows: int, n_groups: int, stride: int, of_share: int, *, n_threads: int, operation: str) -> bool:
    """All rows to results, by rounds of a share for each thread; False where an exact total needs a wider state."""
    n_shares = -(-n_groups // of_share)
    n_states = min(n_threads, n_shares) * (of_share + kernels.SPARE_SLOTS)
    sizes = [n_states * stride, n_states * program.n_counted * 4, n_threads * program.n_counted]
    states, missing, touched = allocate_all(sizes, operation)
    for first in range(0, n_shares, n_threads):
        task = program.update_shares(
            states.address, missing.address, touched.address, n_rows=n_rows, share_groups=of_share, first_share=first
        )  # fmt: skip
        if run(task, min(n_threads, n_shares - first), 1, operation=operation) is not None:
            return False
    return True
