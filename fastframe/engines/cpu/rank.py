"""Ranks, by one of two plans.

Over all rows, and for few or very uneven groups: rows sorted by (group, value), then three phases over the sorted positions
(``_kernels/rank.hpp``). Else values are scattered by ranges of groups, ranked within each, and gathered back
(``_kernels/grouped_rank.hpp``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import rank as kernels
from fastframe._kernels import window as window_kernels
from fastframe._kernels.memory import Block
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import FLOAT64, UINT32, Kind, Physical
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.keys_text import ranks
from fastframe.engines.cpu.row_codes import code_view
from fastframe.engines.cpu.scatter import Source, fine_partitions, gather, scatter
from fastframe.engines.cpu.sort import sort_rows
from fastframe.engines.cpu.take import code_rows, take
from fastframe.ops.windows import WindowCall

if TYPE_CHECKING:
    from fastframe.engines.cpu.groups import Groups

NO_GROUP = 0xFFFFFFFF
_FEWEST_GROUPS = 16     # with fewer, threads could not share the groups
_FEWEST_SHARES = 8      # no partition may have more than this share of the rows, for one thread works on it
_EVEN_ROWS = 1 << 16    # but where rows are so few that it does not matter


def rank(column: Column, call: WindowCall, groups: Groups | None) -> Column:
    """Ranks from 1 as float64, among all rows or those of each group.

    Missing values are null (``na_option="keep"``), or one tie that comes first (``"top"``) or last (``"bottom"``).
    """
    n_rows, keep = len(column), call["na_option"] == "keep"
    column = _comparable(column)
    if groups is not None and keep:
        found = _by_partitions(column, call, groups)
        if found is not None:
            return found
    out = allocate(n_rows * 8, "rank")
    if n_rows:
        rows, n_positions = _ordered(column, call, groups)
        if n_positions < n_rows:  # rows outside any group
            assert groups is not None
            task = window_kernels.clear_dropped(
                code_view(groups.codes), out.address, width=8, byte=0, keep=(groups, out)
            )
            run(task, n_rows, operation="rank")
        if n_positions:
            ranking = _ranking(column, call["method"], keep)
            codes = code_view(groups.codes if groups is not None else None)
            ranking.set_order(rows.ctypes.data, n_positions, codes=codes, keep=(column, rows, groups))
            _write(ranking, call, n_positions, groups, out)
    return column_from_buffers(FLOAT64, n_rows, out, _validity(column, groups, keep))


def _by_partitions(column: Column, call: WindowCall, groups: Groups) -> Column | None:
    """Ranks within partitions of groups; None where there are too few groups to share, or some have most of the rows."""
    physical, n_rows = column.physical, len(column)
    if physical is None or not kernels.has_grouped(physical) or groups.n_groups < _FEWEST_GROUPS:
        return None
    column = _by_order(column)
    has_nan = physical in (Physical.F32, Physical.F64) and (not column.owned or value_range(column).has_nan)
    n_partitions, shift = fine_partitions(groups.n_groups)
    source = Source(physical, column.view, groups.codes, groups.n_groups, (column, groups), has_nan)
    parts = scatter(source, n_partitions, shift, operation="rank", with_codes=True)
    sizes = np.diff(parts.starts)
    if n_rows > _EVEN_ROWS and int(sizes.max()) * _FEWEST_SHARES > n_rows:
        return None
    assert parts.codes is not None
    ranks = allocate(n_rows * 8, "rank")
    task = kernels.grouped_ranks(
        physical, parts.values.address, parts.codes.address, starts=parts.starts.ctypes.data, n_groups=groups.n_groups, shift=shift,
        method=call["method"], descending=not call["ascending"], percent=call["pct"], ranks=ranks.address, keep=(parts, ranks),
    )  # fmt: skip
    run(task, n_partitions, 1, operation="rank")
    return column_from_buffers(FLOAT64, n_rows, *gather(parts, ranks, n_rows, operation="rank"))


def _write(ranking: kernels.Ranking, call: WindowCall, n_positions: int, groups: Groups | None, out: Block) -> None:
    """The phases; ``out`` has a value per row."""
    n_slices = -(-n_positions // SLICE_ROWS)
    marks, edges = allocate(n_positions, "rank"), allocate(n_slices * kernels.EDGE_BYTES, "rank")
    n_groups = groups.n_groups if groups is not None else 1
    divisors = allocate(n_groups * 8, "rank") if call["pct"] else None
    ranking.set_scratch(
        marks.address,
        edges.address,
        n_slices,
        divisors.address if divisors is not None else 0,
        keep=(marks, edges, divisors),
    )
    ranking.set_output(out.address, keep=out)
    run(ranking.phase(kernels.MARK), n_positions, operation="rank")
    run(ranking.phase(kernels.LINK), 1, operation="rank")
    run(ranking.phase(kernels.RANK), n_positions, operation="rank")
    if divisors is not None:
        run(ranking.phase(kernels.PERCENT), out.n_bytes // 8, operation="rank")


def _ordered(column: Column, call: WindowCall, groups: Groups | None) -> tuple[np.ndarray[Any, Any], int]:
    """Rows sorted by (group, value), those outside any group last, and how many are in one."""
    descending, top = not call["ascending"], call["na_option"] == "top"
    if groups is None:
        return sort_rows([column], descending=[descending], nulls_first=top), len(column)
    codes = pa.Array.from_buffers(pa.uint32(), len(column), [None, pa.py_buffer(groups.wide_codes)])
    rows = sort_rows([Column(codes, UINT32), column], descending=[False, descending], nulls_first=top)
    n_dropped = int(np.count_nonzero(groups.wide_codes == NO_GROUP))
    return rows, len(column) - n_dropped


def _comparable(column: Column) -> Column:
    """The column, or for an unordered category each value's position among the sorted categories."""
    if column.dtype.kind is not Kind.CATEGORY or column.dtype.ordered:
        return column
    order = sort_rows([Column(column.dictionary)], descending=[False])
    positions = np.empty(len(order), np.int32)
    positions[order] = np.arange(len(order), dtype=np.int32)
    return _at_codes(positions, column)


def _by_order(column: Column) -> Column:
    """The column, or for encoded text, whose codes are in any order, each value's position among the sorted texts."""
    positions = ranks(column) if column.dtype.is_text and column.is_encoded else None
    return column if positions is None else _at_codes(positions, column)


def _at_codes(positions: np.ndarray[Any, np.dtype[np.int32]], column: Column) -> Column:
    """For each row of an encoded column the position of its value."""
    return take(Column(pa.array(positions)), code_rows(column), missing=True)


def _ranking(column: Column, method: str, keep: bool) -> kernels.Ranking:
    physical = column.physical
    assert physical is not None
    if physical in (Physical.STR, Physical.LSTR):
        text = column.text_view
        view = (text.offsets, text.validity, text.bit_offset, text.length)
        return kernels.Ranking(
            Physical.LSTR if text.large else Physical.STR, view, data=text.data, method=method, keep=keep
        )
    return kernels.Ranking(physical, column.view, method=method, keep=keep)


def _validity(column: Column, groups: Groups | None, keep: bool) -> Block | None:
    """Which rows have a rank; None where all have."""
    if groups is None and not keep:
        return None
    n_rows = len(column)
    is_float = column.dtype.kind is Kind.FLOAT
    view = (0, 0, 0, n_rows) if not keep else column.view if is_float else column.validity_view
    physical = column.physical if keep and is_float else Physical.U8
    assert physical is not None
    validity = allocate_bits(n_rows, "rank")
    codes = code_view(groups.codes if groups is not None else None)
    run(
        window_kernels.presence(physical, view, codes, validity.address, (column, groups, validity)),
        n_rows,
        operation="rank",
    )
    return validity
