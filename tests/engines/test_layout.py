"""Layouts of aggregation states are kept by what they depend on, and by nothing else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column.column import Column
from fastframe.dtypes import FLOAT64, INT64
from fastframe.engines.cpu.accumulate import accumulate_all
from fastframe.engines.cpu.group_keys import key_columns
from fastframe.engines.cpu.groups import FEW_GROUPS
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.layout import layout_of
from fastframe.engines.cpu.requests import Finalizer, Operation, Request, Result

CODES = np.array([0, 1, 0, 1], np.uint8)
TOTAL, ENOUGH = Result(Finalizer.TOTAL, FLOAT64), Result(Finalizer.TOTAL, FLOAT64, min_count=1)


def _floats(*values: float | None) -> Column:
    return Column(pa.array(values, pa.float64()))


def _totals(*requests: Request) -> list[list[object]]:
    return [found[0].array.to_pylist() for found in accumulate_all(requests, CODES, 2, filled=True)]


def test_one_layout_serves_columns_of_one_kind_each_with_its_own_values() -> None:
    one, other = _floats(1, 2, 3, 4), _floats(10, 20, 30, None)
    plain = Request(Operation.SUM, one, result=TOTAL)
    same = layout_of([Request(Operation.SUM, _floats(5, 6, 7, 8), result=TOTAL)], filled=True, grouped=True)[0]
    assert layout_of([plain], filled=True, grouped=True)[0] is same
    assert _totals(plain) == [[4.0, 6.0]]
    assert _totals(Request(Operation.SUM, _floats(5, 6, 7, 8), result=TOTAL)) == [[12.0, 14.0]]
    assert _totals(Request(Operation.SUM, other, result=TOTAL)) == [[40.0, 20.0]]


@pytest.mark.parametrize(
    "changed",
    [
        Request(Operation.SUM, _floats(1, 2), result=ENOUGH),
        Request(Operation.SUM, Column(pa.array([1, 2], pa.float32())), result=TOTAL),
        Request(Operation.SUM_WIDE, Column(pa.array([1, 2], pa.int64())), result=Result(Finalizer.TOTAL, INT64)),
        Request(Operation.COUNT, _floats(1, 2)),
        Request(Operation.COUNT, _floats(1, 2), all_rows=True),
        Request(Operation.MAX, _floats(1, 2)),
    ],
)
def test_what_matters_makes_another_layout(changed: Request) -> None:
    assert layout_of([changed], filled=True, grouped=True)[0] != layout_of([Request(Operation.SUM, _floats(1, 2), result=TOTAL)], filled=True, grouped=True)[0]


def test_integers_that_may_be_null_are_laid_out_apart() -> None:
    full, gaps = (Request(Operation.SUM_WIDE, Column(pa.array(values, pa.int64()))) for values in ([1, 2], [1, None]))
    assert layout_of([full], filled=True, grouped=True)[0] != layout_of([gaps], filled=True, grouped=True)[0]


def test_extremes_of_groups_that_may_be_empty_are_laid_out_apart() -> None:
    request = Request(Operation.MAX, Column(pa.array([1, 2], pa.int64())))
    assert layout_of([request], filled=True, grouped=True)[0] != layout_of([request], filled=False, grouped=True)[0]


def test_requests_of_one_column_share_its_state_and_those_of_two_alike_columns_do_not() -> None:
    one, other = _floats(1, 2, 3, 4), _floats(10, 20, 30, 40)
    same = [Request(Operation.SUM, one, result=TOTAL), Request(Operation.SUM, one, result=TOTAL)]
    apart = [Request(Operation.SUM, one, result=TOTAL), Request(Operation.SUM, other, result=TOTAL)]
    assert len(layout_of(same, filled=True, grouped=True)[0].offsets) + 1 == len(layout_of(apart, filled=True, grouped=True)[0].offsets)
    assert _totals(*same) == [[4.0, 6.0], [4.0, 6.0]]
    assert _totals(*apart) == [[4.0, 6.0], [40.0, 60.0]]


@pytest.mark.parametrize(("n_groups", "kept"), [(FEW_GROUPS, True), (FEW_GROUPS + 1, False)])
def test_keys_of_few_groups_are_kept_with_them(n_groups: int, kept: bool) -> None:
    key = Column(pa.array(list(range(n_groups)) * 2, pa.int64()))
    first, again = (key_columns([key], group_rows([key])) for _ in range(2))
    assert (first[0] is again[0]) is kept
    assert first[0].array.to_pylist() == again[0].array.to_pylist() == list(range(n_groups))
