"""Do two answers agree? Row by row, joined on keys, missing values included.

An answer is boiled down to a digest in the process that made it, so that the comparison needs neither the libraries nor
the memory of ten answers at once. The digest has one 64-bit hash per row of the identifying columns, sorted, and beside it the
values that were computed, which must be equal within the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asv_benchmarks.questions.base import Question


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """One form for all libraries: numbers as float64 or int64, text as large_string, NaN as missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
        return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    return column.cast(pa.large_string())


def _hashes(columns: list[pa.ChunkedArray]) -> np.ndarray[Any, Any]:
    """A hash per row; integers as floats, because pandas turns integer columns with missing values to floats."""
    import polars as pl

    same = [one.cast(pa.float64()) if pa.types.is_integer(one.type) else one for one in columns]
    # 0.0 + (-0.0) is 0.0: one zero
    same = [pc.add(one, 0.0) if pa.types.is_floating(one.type) else one for one in same]
    frame = pl.DataFrame({f"c{position}": pl.Series(values=one) for position, one in enumerate(same)})
    return frame.hash_rows(seed=108).to_numpy()


def digest(table: pa.Table, question: Question) -> pa.Table:
    """What `difference` compares: ``row`` (sorted hashes), ``order`` (hashes in the answer's order), and computed values."""
    columns = [plain(one) for one in table.columns]
    n_keys = len(columns) if question.keys is None else question.keys
    made: dict[str, Any] = {}
    values = columns[n_keys:]
    if n_keys:
        rows = _hashes(columns[:n_keys])
        by_row = np.argsort(rows, kind="stable")
        made["row"] = rows[by_row]
        values = [one.take(pa.array(by_row)) for one in values]
    if question.order:
        made["order"] = _hashes([columns[position] for position in question.order])
    made |= {f"value{position}": one for position, one in enumerate(values)}
    return pa.table(made)


def difference(reference: pa.Table, answer: pa.Table, relative: float = 1e-9, absolute: float = 1e-9) -> str:
    """How an answer's digest differs from the reference's; empty where they agree.

    Two floats agree where they differ by at most ``absolute`` + ``relative`` * the larger magnitude.
    """
    if reference.num_rows != answer.num_rows:
        return f"{answer.num_rows} rows instead of {reference.num_rows}"
    if reference.column_names != answer.column_names:
        return f"other columns: {answer.column_names} instead of {reference.column_names}"
    for name in ("row", "order"):
        if name in reference.column_names:
            unlike = np.flatnonzero(reference[name].to_numpy() != answer[name].to_numpy())
            if len(unlike):
                return f"{len(unlike)} rows are not those of the reference" if name == "row" else f"row {unlike[0]} is in another place"
    for name in reference.column_names:
        if name.startswith("value"):
            found = _value_difference(name, reference[name], answer[name], relative, absolute)
            if found:
                return found
    return ""


def _value_difference(name: str, one: pa.ChunkedArray, other: pa.ChunkedArray, relative: float, absolute: float) -> str:
    missing, also = pc.is_null(one).to_numpy(), pc.is_null(other).to_numpy()
    if (missing != also).any():
        return f"{name} is missing in {int((missing != also).sum())} rows on one side only"
    if pa.types.is_floating(one.type) or pa.types.is_floating(other.type):
        left, right = (side.cast(pa.float64()).fill_null(0.0).to_numpy() for side in (one, other))
        with np.errstate(invalid="ignore"):
            near = np.abs(left - right) <= absolute + relative * np.maximum(np.abs(left), np.abs(right))
        unlike = ~(near | (left == right))          # equal infinities have no difference
    else:
        unlike = ~pc.equal(one, other).fill_null(True).to_numpy(zero_copy_only=False)
    if unlike.any():
        row = int(np.flatnonzero(unlike)[0])
        return f"{name} differs in {int(unlike.sum())} rows, for example {other[row].as_py()!r} instead of {one[row].as_py()!r}"
    return ""
