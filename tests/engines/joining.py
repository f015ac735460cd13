"""What tests ask of joins: codes and row numbers as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.engines.cpu.join import Pairs, find_pairs, outer_rows
from fastframe.engines.cpu.join_keys import shared_codes
from fastframe.engines.cpu.join_output import joined_columns


def join_codes(left: Sequence[Column], right: Sequence[Column]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], int]:
    """The codes of both sides in memory, and how many there may be."""
    probe, build, n_codes = shared_codes(left, right)
    held = [side.held().array for side in (probe, build)]
    assert held[0] is not None
    assert held[1] is not None
    return held[0], held[1], n_codes


def numbers(n_rows: int) -> Column:
    return Column(pa.array(np.arange(n_rows, dtype=np.int32)))


def rows_of_pairs(pairs: Pairs) -> tuple[list[int], list[int]]:
    """The rows of both sides, -1 for no row: row numbers joined like any other column."""
    sides = joined_columns(pairs, {"row": numbers(pairs.probe.n_rows)}, {"row": numbers(pairs.n_build)})
    probe, build = (side["row"].array.fill_null(-1).to_pylist() for side in sides)
    return probe, build


def join_rows(left: Sequence[Column], right: Sequence[Column], how: str) -> list[tuple[int, int]]:
    """Pairs of rows in the order of the result, -1 for no row."""
    if how == "outer":
        one, other = outer_rows(left, right)
        return list(zip(one.tolist(), other.tolist(), strict=True))
    if how == "right":
        return [(one, other) for other, one in join_rows(right, left, "left")]
    return list(zip(*rows_of_pairs(find_pairs(left, right, keeps_unmatched=how == "left")), strict=True))
