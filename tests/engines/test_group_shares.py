"""Threads that share the groups: the bits of the plan by partitions, for any number of shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column.column import Column
from fastframe.engines.cpu import accumulate, group_shares
from fastframe.engines.cpu.aggregate import Wanted, aggregate_all
from fastframe.engines.cpu.group_shares import run_shares, share_groups
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.row_codes import ColumnCodes
from fastframe.errors import IntegerOverflow
from fastframe.ops.aggregations import AggregationCall
from fastframe.options import option_context

ROWS, GROUPS = 300_000, 60_001
NAMES = {
    "float": ("sum", "mean", "min", "first", "var", "count", "size"),
    "nan": ("sum", "mean", "max", "count"),
    "float nulls": ("sum", "mean", "min", "first", "var", "count"),
    "int32": ("sum", "mean", "min", "max", "var"),
    "int64": ("last", "max", "count"),
    "bool nulls": ("sum", "any", "all"),
    "decimal": ("sum", "mean", "min", "count"),
}


def make_codes(order: str) -> np.ndarray[Any, Any]:
    """One group has a sixth of the rows, the last share's last group one row, a twentieth of the rows is in none."""
    random = np.random.default_rng(4)
    codes = random.integers(0, GROUPS - 1, ROWS).astype(np.uint32)
    codes[:50_000] = 7
    if order == "sorted":
        codes.sort()
    if order != "whole":
        codes[random.random(ROWS) < 0.05] = 0xFFFFFFFF
    codes[-1] = GROUPS - 1
    return codes


def make_column(kind: str) -> Column:
    random = np.random.default_rng(5)
    values = random.normal(0, 1e3, ROWS)
    values[:3] = 0.0, -0.0, np.inf
    mask = random.random(ROWS) < 0.1
    arrays = {
        "float": lambda: pa.array(values),
        "nan": lambda: pa.array(np.where(mask, np.nan, values)),
        "float nulls": lambda: pa.concat_arrays([pa.array([None], pa.float64()), pa.array(values, mask=mask)])[1:],   # validity at bit 1
        "int32": lambda: pa.array(random.integers(-1000, 1000, ROWS).astype(np.int32)),
        "int64": lambda: pa.array(random.integers(-(2**62), 2**62, ROWS)),
        "bool nulls": lambda: pa.array(values > 0, mask=mask),
        "decimal": lambda: pa.array(np.round(np.nan_to_num(values, posinf=1), 2)).cast(pa.decimal128(12, 2), safe=False),
    }
    return Column(arrays[kind]())


def planned(monkeypatch: pytest.MonkeyPatch, *, shares: bool, bound: int = 1) -> list[int]:
    """Have every pass go by shares, of whose states each round takes one part in ``bound`` of what is read, or by partitions."""
    made: list[int] = []
    monkeypatch.setattr(accumulate, "_FEW_SLICES", 10**6)
    monkeypatch.setattr(group_shares, "_MOST_SHARES", 10**9 if shares else 0)
    monkeypatch.setattr(group_shares, "_BOUND", bound)
    monkeypatch.setattr(group_shares, "_LEAST_BYTES", 0)
    monkeypatch.setattr(group_shares, "run_shares", lambda *given, **named: made.append(given[4]) or run_shares(*given, **named))
    return made


@pytest.mark.parametrize("order", ["any", "sorted", "whole"])
@pytest.mark.parametrize("kind", NAMES)
def test_shares_have_the_bits_of_partitions(kind: str, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups, column = Groups(make_codes(order), GROUPS, filled=False), make_column(kind)
    wanted = [Wanted(AggregationCall(name), None if name == "size" else column) for name in NAMES[kind]]
    assert not planned(monkeypatch, shares=False)
    expected = [one.array for one in aggregate_all(wanted, groups)]
    for threads, bound in ((1, 1), (2, 1), (3, 1), (4, 1), (1, 6), (2, 12)):
        made = planned(monkeypatch, shares=True, bound=bound)
        with option_context(threads=threads):
            found = [one.array for one in aggregate_all(wanted, groups)]
        assert len(made) >= 1
        assert all(one.equals(other) for one, other in zip(found, expected, strict=True))


def test_codes_that_are_the_key_less_the_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, column = make_codes("whole"), make_column("float")
    wanted = [Wanted(AggregationCall("sum"), column)]
    made = planned(monkeypatch, shares=True)
    with option_context(threads=2):
        plain = aggregate_all(wanted, Groups(codes, GROUPS, filled=False))[0].array
        held = aggregate_all(wanted, Groups(ColumnCodes(codes - np.uint32(5), 2**32 - 5), GROUPS, filled=False))[0].array
    assert len(made) == 2
    assert held.equals(plain)
    expected = np.zeros(GROUPS)
    np.add.at(expected, codes, column.array.to_numpy())   # in row order, too
    assert (plain.to_numpy() == expected).all()


def test_a_total_that_passes_64_bits_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.arange(ROWS, dtype=np.uint32) % GROUPS
    made = planned(monkeypatch, shares=True)
    with option_context(threads=2), pytest.raises(IntegerOverflow):
        aggregate_all([Wanted(AggregationCall("sum"), Column(pa.array(np.full(ROWS, 2**62 + 1, np.int64))))], Groups(codes, GROUPS, filled=True))
    assert made


@pytest.mark.parametrize("n_threads", [1, 2, 3, 6])
@pytest.mark.parametrize("n_groups", [8192, 60_001, 999_957])
def test_shares_cover_all_groups(n_groups: int, n_threads: int) -> None:
    each = share_groups(n_groups, 8, 120_000_000, n_threads)
    assert each % 512 == 0
    assert each * n_threads >= n_groups


def test_states_past_the_bound_come_in_rounds() -> None:
    each = share_groups(1_000_000, 32, 120_000_000, 2)   # 32 MB of states beside columns of 120 MB
    assert each % 512 == 0
    assert 2 * each * 32 <= 20_000_000
    assert each * 4 >= 1_000_000


def test_where_other_plans_are_faster() -> None:
    assert share_groups(1_000_000, 64, 120_000_000, 2) == 0   # four rounds
    assert share_groups(100_000, 8, 12_000_000, 2) == 0       # little to share
    assert share_groups(1_000_000, 8, 120_000_000, 64) == 0   # too many threads
