"""How groups are found and how much memory that takes: the one place that decides, and what `explain` prints.

A plan follows from facts of the key columns alone: their ranges, their dictionaries, and how many distinct keys a fixed
sample of the rows has. docs/plans/groupby_keys.md has the measurements behind the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from fastframe.engines.cpu.groups import code_dtype
from fastframe.engines.cpu.key_parts import MOST_CODES, KeyPart, n_codes
from fastframe.records import record

FEW_CODES = 1 << 16          # keys that are always addressed directly: their bitmap is 8 KiB
CODES_PER_ROW = 8            # a bitmap of so many possible keys per row costs less than hashing the rows
MOST_DIRECT = 2**31 - 1
MOST_IN_TABLE = 1 << 18      # distinct keys of one shared table (8 MiB of slots); from there on partitions are faster
SLOTS_PER_KEY = 4            # of the estimate; a table is given up when it is half full
PARTITION_ROWS = 4096        # rows of one partition: its table and distinct words stay in the L2 cache
MOST_PARTITION_BITS = 10     # log2 of the most partitions: more streams than that miss the TLB


class Method(Enum):
    """How keys become codes."""

    NOTHING = "no keys"
    DIRECT = "direct"
    TABLE = "one table"
    PARTITIONS = "partitions"


@record(frozen=True)
class Plan:
    """How the groups of some key columns are found.

    Attributes
    ----------
    method : Method
    keys : str
        The key columns as digits.
    reason : str
        The facts and the threshold that decided.
    n_rows, n_possible : int
        Rows; keys that may occur.
    n_expected : int or None
        Distinct keys that a sample of the rows lets expect, where one was taken.
    size : int
        log2 of the slots of the table, or of the partitions.
    """

    method: Method
    keys: str
    reason: str
    n_rows: int
    n_possible: int
    n_expected: int | None = None
    size: int = 0

    def __str__(self) -> str:
        return f"{self.method.value}: {self.keys}; {self.reason}"

    @property
    def scratch_bytes(self) -> int:
        """Bytes beside the codes while they are found."""
        if self.method is Method.DIRECT:
            return -(-self.n_possible // 64) * 12
        if self.method is Method.TABLE:
            return 12 << self.size
        if self.method is Method.PARTITIONS:
            return 20 * self.n_rows
        return 0

    @property
    def n_most_groups(self) -> int:
        """How many groups there may be, or are expected to be where a sample was taken."""
        return min(self.n_rows, self.n_possible if self.n_expected is None else self.n_expected)

    @property
    def code_bytes(self) -> int:
        """Bytes of the codes, as far as can be told before."""
        return self.n_rows * code_dtype(self.n_most_groups).itemsize


def choose(parts: Sequence[KeyPart], n_rows: int, estimate: Callable[[], int]) -> Plan:
    """The plan for the keys of which ``parts`` are the digits; ``estimate()`` samples how many distinct there are."""
    size = n_codes(parts)
    keys = " x ".join(part.label for part in parts)
    if n_rows == 0 or size == 0:
        return Plan(Method.NOTHING, keys, "no row has a key", n_rows, size)
    most = min(MOST_DIRECT, max(FEW_CODES, CODES_PER_ROW * n_rows))
    if size <= most:
        return Plan(Method.DIRECT, keys, f"{size:,} possible keys, at most {most:,} ({CODES_PER_ROW} per row)", n_rows, size)
    what = f"{size:,} possible keys" if size <= MOST_CODES else "keys of more than 64 bits, packed in steps"
    expected = min(estimate(), n_rows)
    if expected <= MOST_IN_TABLE:
        slots = max(10, (SLOTS_PER_KEY * expected - 1).bit_length())
        reason = f"{what}, about {expected:,} distinct: at most {MOST_IN_TABLE:,} are looked up in one table"
        return Plan(Method.TABLE, keys, reason, n_rows, size, expected, slots)
    reason = f"{what}, about {expected:,} distinct: more than {MOST_IN_TABLE:,}, up to which one table is faster"
    return by_partitions(keys, reason, n_rows, size, expected)


def by_partitions(keys: str, reason: str, n_rows: int, n_possible: int, n_expected: int | None) -> Plan:
    """The plan that is right for any number of distinct keys."""
    return Plan(Method.PARTITIONS, keys, reason, n_rows, n_possible, n_expected, partition_bits(n_rows))


def partition_bits(n_rows: int) -> int:
    """log2 of the number of partitions of so many rows."""
    return min(MOST_PARTITION_BITS, max(1, (n_rows // PARTITION_ROWS).bit_length()))
