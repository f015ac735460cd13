"""Kernels of aggregations: which exist, and the scatter that brings values together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels import aggregate as kernels
from fastframe._kernels import scatter as scatter_kernels
from fastframe.column.column import Column
from fastframe.dtypes import Physical
from fastframe.engines.cpu import scatter
from fastframe.engines.cpu.requests import Operation
from tests.engines.aggregation_cases import listed_codes, make_codes, make_column
from tests.reference.aggregations import plain

NUMBERS = [one for one in Physical if one not in (Physical.STR, Physical.LSTR, Physical.I128)]


def test_operations_have_kernels_for_the_types_they_mean_something_for() -> None:
    for physical in NUMBERS:
        for operation in (Operation.SUM, Operation.PRODUCT, Operation.MIN, Operation.MAX, Operation.ANY, Operation.ALL, Operation.MOMENTS, Operation.COUNT):
            assert kernels.slot_bytes(operation, physical) > 0
    assert kernels.slot_bytes(Operation.SUM, Physical.STR) == 0
    assert kernels.slot_bytes(Operation.TEXT_MIN, Physical.I32) == 0
    assert kernels.slot_bytes(Operation.SUM_DECIMAL, Physical.I128) > 0


def test_an_operation_without_a_kernel_is_not_run() -> None:
    program = kernels.Program((0, 4, 0), n_groups=1, keep_alive=None)
    program.add_presence(-1, -1, 0, 0, False)
    with pytest.raises(TypeError, match="no kernel exists"):
        program.add_step(Operation.MOMENTS, 0, Physical.STR)


def test_value_bytes_are_those_of_the_type() -> None:
    assert [scatter_kernels.value_bytes(one) for one in (Physical.I8, Physical.F64, Physical.I128, Physical.BOOL, Physical.STR, 100)] == [1, 8, 16, 1, 8, 4]


@pytest.mark.parametrize("nulls", ["none", "some", "all", "sliced"])
@pytest.mark.parametrize("n_groups", [1, 5, 700])
def test_values_come_together_by_group_in_row_order(nulls: str, n_groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scatter, "slice_rows", lambda *_: 512)
    column, codes = make_column("float64", 1900, nulls), make_codes(1900, n_groups)
    grouped = scatter.by_group(scatter.Source(Physical.F64, column.view, codes, n_groups, column), operation="test")
    values, starts = np.frombuffer(grouped.values, np.float64), grouped.starts
    expected: list[list[float]] = [[] for _ in range(n_groups)]
    for value, code in zip(plain(column), listed_codes(codes), strict=True):
        if value is not None and code is not None:
            expected[code].append(value)
    assert [values[start:stop].tolist() for start, stop in pairwise(starts)] == expected
    monkeypatch.setattr(scatter, "MOST_DIRECT", 2)
    monkeypatch.setattr(scatter, "MOST_PARTITIONS", 16)
    parts = scatter.by_group(scatter.Source(Physical.F64, column.view, codes, n_groups, column), operation="test")
    if parts.codes is not None:   # values of a partition's groups, in row order within each
        values, own = np.frombuffer(parts.values, np.float64), np.frombuffer(parts.codes, np.uint16)
        apart: list[list[float]] = [[] for _ in range(n_groups)]
        for partition, (start, stop) in enumerate(pairwise(parts.starts)):
            for value, code in zip(values[start:stop].tolist(), own[start:stop].tolist(), strict=True):
                apart[(partition << parts.shift) + code].append(value)
        assert apart == expected


def test_no_byte_past_the_end_is_read() -> None:
    """Arrays that end with their buffer: reading further would fault under a sanitizer, and here changes nothing."""
    for n_rows in (1, 7, 63, 65):
        whole = make_column("float64", n_rows + 1, "some", seed=n_rows)
        rebuilt = Column(pa.array(whole.slice(0, n_rows).array.to_pylist(), pa.float64(), from_pandas=False))
        codes = make_codes(n_rows, 3)
        for one in (whole.slice(0, n_rows), rebuilt):
            grouped = scatter.by_group(scatter.Source(Physical.F64, one.view, codes, 3, one), operation="test")
            assert int(grouped.starts[-1]) == sum(value is not None and code is not None for value, code in zip(plain(one), listed_codes(codes), strict=True))
