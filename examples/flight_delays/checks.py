"""Whether the contenders did the same work, and did it right. Each check reads what the workers left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flight_delays import task
from flight_delays.results import Compiled, OwnFunction

BLOCK_ROWS = 1 << 18


@dataclass(frozen=True)
class Check:
    """One outcome: which contender, what was looked at, what was seen."""

    contender: str
    title: str
    seen: str
    passed: bool


def joins(contender: str, folder: Path, expected: dict[str, dict[str, int]]) -> Check:
    """Rows after the joins, and how many found a row of each table, in both sets."""
    table = pq.read_table(folder / "year.parquet")
    year = {"rows": table.num_rows} | {name: pc.sum(pc.invert(_missing(table[column]))).as_py()
                                       for name, column in task.MATCH_COLUMN.items()}
    matrix = np.load(folder / "matrix.npy", mmap_mode="r")
    twenty = {"rows": len(matrix)} | {name: int(np.count_nonzero(~np.isnan(matrix[:, task.FEATURES.index(column)])))
                                      for name, column in task.MATCH_COLUMN.items() if column in task.FEATURES}
    wrong = [f"{name}: {counts[name]:,} instead of {expected[which][name]:,}"
             for which, counts in (("year", year), ("twenty", twenty))
             for name in counts if counts[name] != expected[which][name]]
    seen = "; ".join(wrong) or ", ".join(f"{name} {count:,}" for name, count in twenty.items())
    return Check(contender, "Joins keep every flight and find what they should", seen, not wrong)


def same_year(contender: str, folder: Path, reference: Path, reference_name: str) -> Check:
    """Every column of the year's table, row by row: names exactly, numbers within the tolerance."""
    ours, theirs = pq.read_table(folder / "year.parquet"), pq.read_table(reference / "year.parquet")
    wrong, largest = [], 0.0
    for name in task.RESULT:
        difference = _difference(ours[name], theirs[name])
        largest = max(largest, difference)
        if difference > task.TOLERANCE:
            wrong.append(f"{name} by {difference:.2g}")
    seen = f"largest difference {largest:.1e}" if not wrong else "differs: " + ", ".join(wrong)
    title = f"{ours.num_rows:,} rows x {len(task.RESULT)} columns equal those of {reference_name}, row by row"
    return Check(contender, title, seen, not wrong)


def same_twenty(contender: str, folder: Path, reference: Path, reference_name: str) -> Check:
    """Every feature of the twenty copies, row by row."""
    ours, theirs = (np.load(place / "matrix.npy", mmap_mode="r") for place in (folder, reference))
    same_rows = np.array_equal(np.load(folder / "ids.npy"), np.load(reference / "ids.npy"))
    title = f"{ours.shape[0]:,} rows x {ours.shape[1]} features equal those of {reference_name}, row by row"
    if not same_rows or ours.shape != theirs.shape:
        return Check(contender, title, "the flights or their order differ", False)
    largest = 0.0
    for feature in range(ours.shape[1]):
        for start in range(0, len(ours), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            largest = max(largest, _number_difference(ours[rows, feature], theirs[rows, feature]))
    return Check(contender, title, f"largest difference {largest:.1e}", largest <= task.TOLERANCE)


def no_leak(contender: str, folder: Path) -> Check:
    """With one day's labels turned round, no feature of that or an earlier day changes; features of later days do."""
    before, after = pq.read_table(folder / "year.parquet"), pq.read_table(folder / "flipped.parquet")
    is_later = np.array(pc.greater(before["day"], task.FLIPPED_DAY))
    turned = _numbers(before["late"]) != _numbers(after["late"])
    turned &= ~np.isnan(_numbers(before["late"]))
    leaked, moved = [], 0
    for name in task.FEATURES:
        old, new = _numbers(before[name]), _numbers(after[name])
        changed = ~((old == new) | (np.isnan(old) & np.isnan(new)))
        moved += int(np.count_nonzero(changed & is_later))
        if (changed & ~is_later).any():
            leaked.append(name)
    seen = f"{np.count_nonzero(turned):,} labels turned, {moved:,} values of later days moved, "
    seen += f"{', '.join(leaked)} leaked" if leaked else "none of that or an earlier day"
    return Check(contender, f"Labels of {task.FLIPPED_DAY:%d %B} do not reach that or an earlier day", seen,
                 not leaked and moved > 0 and bool(turned.any()))


def same_scores(contender: str, scores: dict[str, float], reference: dict[str, float], reference_name: str) -> Check:
    """The models of two contenders judge equally well."""
    largest = max(abs(scores[model] - reference[model]) for model in reference)
    title = f"ROC AUC of both models equals that of {reference_name}"
    return Check(contender, title, f"largest difference {largest:.1e}", largest <= task.AUC_TOLERANCE)


def same_function(own: OwnFunction) -> Check:
    """A plain Python function gives pandas' own bits, on one thread and on all."""
    title = "A plain Python function by plane gives pandas' bits, on any number of threads"
    return Check("fastframe", title, f"{own.rows:,} rows" if own.same_bits else "bits differ", own.same_bits)


def same_bits(compiled: Compiled) -> Check:
    """A compiled model answers with the model's own bits."""
    title = f"Compiled {compiled.model} gives predict_proba's own bits"
    return Check("fastframe", title, f"{compiled.rows:,} rows x 2" if compiled.same_bits else "bits differ", compiled.same_bits)


def stranger_refused(stranger: dict[str, Any]) -> Check:
    """A category that XGBoost never saw is refused by the compiled model; what XGBoost itself does is told, not judged."""
    native = stranger["native_error"] or f"XGBoost itself took it for {' or '.join(stranger['taken_for']) or 'something else'}, silently"
    title = f"Compiled XGBoost refuses carrier {stranger['carrier']!r}, which it never saw"
    return Check("fastframe", title, f"{native}, for {stranger['rows']:,} flights", stranger["carrier"] in stranger["ours"])


def _missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_null(column, nan_is_null=pa.types.is_floating(column.type))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """The column as float64, missing as NaN."""
    return pc.fill_null(column.cast("float64") if not pa.types.is_boolean(column.type)
                        else column.cast("int8").cast("float64"), np.nan).to_numpy()


def _difference(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> float:
    """The largest difference of two columns; infinite where names, days or missing values differ."""
    if len(ours) != len(theirs):
        return np.inf
    if pa.types.is_timestamp(ours.type):
        ours, theirs = (pc.cast(column, pa.timestamp("us")).cast("int64") for column in (ours, theirs))
    if _is_text(ours.type):
        ours, theirs = (column.cast("large_string") for column in (ours, theirs))
        same = pc.fill_null(pc.equal(ours, theirs), False)
        both_missing = pc.and_(pc.is_null(ours), pc.is_null(theirs))
        return 0.0 if pc.all(pc.or_(same, both_missing)).as_py() else np.inf
    return _number_difference(_numbers(ours), _numbers(theirs))


def _is_text(dtype: pa.DataType) -> bool:
    if pa.types.is_dictionary(dtype):
        dtype = dtype.value_type
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)


def _number_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, relative for numbers above 1 and absolute below; infinite where one side is missing."""
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return np.inf
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    return float(np.nanmax(difference, initial=0.0))
