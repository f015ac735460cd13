"""From what users write between brackets (masks, slices, lists, labels) to rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe import dtypes
from fastframe.column import Column, Table
from fastframe.column.arrow import column_from
from fastframe.column.memory import naming
from fastframe.column.range import RangeColumn
from fastframe.dtypes import Kind
from fastframe.errors import ArgumentError, DTypeError, ExpressionError, FastFrameError, LabelNotFound, ShapeError
from fastframe.frame.columns import cast, mask_rows, n_selected
from fastframe.frame.computing import computed_column
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import is_expression
from fastframe.frame.index import Index
from fastframe.frame.labels import label_key, lined_up, same_labels, with_labels
from fastframe.frame.run import run
from fastframe.ops.expressions import Call, Col, Lit
from fastframe.ops.join import Join
from fastframe.ops.project import Project
from fastframe.ops.rows import Filter, Take
from fastframe.records import record

MASK = "\0mask"
_BY_MASK = Filter(Col(MASK))


@record(frozen=True)
class Selection:
    """Chosen rows: exactly one of the four is set. ``one`` is a single row, which drops a dimension."""

    mask: Column | None = None
    rows: np.ndarray[Any, Any] | None = None
    slice: tuple[int, int, int] | None = None
    one: int | None = None

    def of(self, table: Table) -> Table:
        """The chosen rows of a table."""
        if self.mask is not None:
            return run(_BY_MASK, table, Table.of({MASK: self.mask}, self.mask.length))
        if self.rows is not None:
            return run(Take(), table, Table({"row": column_from(self.rows)}))
        start, stop, step = self.slice if self.slice is not None else (self.one or 0, (self.one or 0) + 1, 1)
        return run(Take(start, stop, step), table)

    @property
    def n_rows(self) -> int:
        """How many rows are chosen."""
        if self.mask is not None:
            return n_selected(self.mask)
        return len(self.row_numbers())

    def targets(self) -> Table:
        """The chosen rows as `Put` takes them."""
        return Table({"row": self.mask if self.mask is not None else column_from(self.row_numbers())})

    def row_numbers(self) -> np.ndarray[Any, Any]:
        """The chosen rows as int32 numbers."""
        if self.mask is not None:
            return mask_rows(self.mask)
        if self.rows is not None:
            return self.rows
        start, stop, step = self.slice if self.slice is not None else (self.one or 0, (self.one or 0) + 1, 1)
        return np.arange(start, stop, step, dtype=np.int32)


def is_mask(key: Any) -> bool:
    """Whether a key is one bool per row rather than positions or labels."""
    if isinstance(key, Frame):
        return is_series(key) and key.dtype == dtypes.BOOL  # type: ignore[attr-defined]
    if is_expression(key):
        return True
    if isinstance(key, np.ndarray):
        return key.dtype == bool
    if isinstance(key, list):
        return len(key) > 0 and all(isinstance(one, bool | np.bool_) or one is None for one in key) and any(one is not None for one in key)
    kind = getattr(key, "dtype", getattr(key, "type", None))
    return str(kind).lower() in ("bool", "boolean")


def mask_column(frame: Frame, key: Any) -> Column:
    """A mask lined up with a frame: an expression computed over it, a series by its labels, anything else by position.

    Raises
    ------
    ShapeError, DTypeError
    """
    table = frame._table
    if isinstance(key, Frame):
        given = key._table
        if not same_labels(table, given):
            _, given = lined_up(with_labels(table.hidden, {}, table.n_rows), given, "left")
        column = next(iter(given.shown.values()))
    elif is_expression(key):
        if is_series(frame):
            raise ExpressionError.of_series(repr(key))
        column = computed_column(table, key)
    else:
        column = column_from(key)
    if column.dtype.kind is not Kind.BOOL:
        raise DTypeError.not_a_mask(column.dtype)
    if column.length != table.n_rows:
        raise ShapeError.of_mask(column.length, table.n_rows)
    return column


def by_position(frame: Frame, key: Any) -> Selection:
    """Rows for ``iloc[key]``.

    Raises
    ------
    IndexError
        For positions outside the frame.
    """
    n_rows = len(frame)
    if isinstance(key, slice):
        return Selection(slice=key.indices(n_rows))
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return Selection(one=_checked(int(key), n_rows))
    if is_mask(key):
        return Selection(mask=mask_column(frame, key))
    rows = np.asarray(key if not isinstance(key, Frame) else key.to_numpy())  # type: ignore[attr-defined]
    if rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
        raise ArgumentError.because("iloc", f"{key!r} is not a position, slice, list of positions or mask", "Use .loc for labels.")
    with naming("take"):
        lowest, highest = (int(rows.min()), int(rows.max())) if len(rows) else (0, 0)
        if len(rows) and (lowest < -n_rows or highest >= n_rows):
            _checked(lowest if lowest < -n_rows else highest, n_rows)
        return Selection(rows=(np.where(rows < 0, rows + n_rows, rows) if lowest < 0 else rows).astype(np.int32))


def _checked(position: int, n_rows: int) -> int:
    if not -n_rows <= position < n_rows:
        from fastframe.errors import OutOfRange

        raise OutOfRange.of(position, n_rows)
    return position % n_rows


def by_label(frame: Frame, key: Any) -> Selection:
    """Rows for ``loc[key]``: a mask, a label, a list of labels, or a slice of labels, whose end is included.

    Raises
    ------
    LabelNotFound
    """
    if callable(key):
        key = key(frame)
    if isinstance(key, slice):
        return _label_slice(frame, key)
    if is_mask(key):
        return Selection(mask=mask_column(frame, key))
    if isinstance(key, list | np.ndarray | Index | Frame | range) or (isinstance(key, Sequence) and not isinstance(key, str | bytes | tuple)):
        return Selection(rows=_rows_of_labels(frame, key))
    rows = _rows_of_label(frame, key)
    if not len(rows):
        raise LabelNotFound.of([key])
    whole = len(frame._labels) == 1 or (isinstance(key, tuple) and len(key) == len(frame._labels))
    return Selection(one=int(rows[0])) if len(rows) == 1 and whole else Selection(rows=rows)


def _rows_of_label(frame: Frame, label: Any) -> np.ndarray[Any, Any]:
    """All rows with a label; a tuple gives the first levels of several."""
    labels = list(frame._labels.values())
    first = labels[0]
    parts = label if isinstance(label, tuple) and len(labels) > 1 else (label,)
    if isinstance(first, RangeColumn) and first.is_range and len(parts) == 1 and isinstance(label, int | np.integer):
        row, rest = divmod(int(label) - first.start, first.step or 1)
        return np.array([row] if rest == 0 and 0 <= row < len(first) else [], dtype=np.int32)
    wanted: Any = None
    for level, part in enumerate(parts):
        equal = Call("eq", (Col(label_key(level)), Lit(part)))
        wanted = equal if wanted is None else Call("and", (wanted, equal))
    try:
        mask = run(Project(((MASK, wanted),)), Table(frame._labels, len(frame)))[MASK]
    except (FastFrameError, ValueError):
        raise LabelNotFound.of([label]) from None
    return mask_rows(mask)


def _rows_of_labels(frame: Frame, labels: Any) -> np.ndarray[Any, Any]:
    """Rows of listed labels, in list order; every label must be there."""
    wanted, _ = Index.parts(labels if isinstance(labels, Index) else _plain(labels), len(labels))
    keys = tuple(wanted)
    if not len(labels):
        return np.empty(0, np.int32)
    by_range = _rows_of_range(list(frame._labels.values()), list(wanted.values()))
    if by_range is not None:
        return by_range
    listed = Table({key: cast(column, frame._labels[key].dtype) for key, column in wanted.items()})
    rows = Table({**frame._labels, "row": column_from(np.arange(len(frame), dtype=np.int32))}, len(frame))
    found = run(Join(keys, keys, "left"), listed, rows)["row"]
    if found.null_count:
        have = np.asarray(found.array.is_valid())
        lost = [one for one, there in zip(list(labels), have, strict=False) if not there] or list(labels)
        raise LabelNotFound.of(lost)
    return found.array.to_numpy()


def _rows_of_range(labels: Sequence[Column], wanted: Sequence[Column]) -> np.ndarray[Any, Any] | None:
    """Rows of listed integers in default labels, by arithmetic; None for other labels, and where one of them is not there."""
    if len(labels) != 1 or len(wanted) != 1 or not wanted[0].dtype.is_integer or wanted[0].null_count:
        return None
    first, asked = labels[0], wanted[0].array.to_numpy()
    if not isinstance(first, RangeColumn) or not first.is_range:
        return None
    last = first.start + (len(first) - 1) * first.step
    if not len(first) or asked.min() < min(first.start, last) or asked.max() > max(first.start, last):
        return None
    rows, rest = np.divmod(asked.astype(np.int64) - first.start, first.step or 1)
    return None if rest.any() else rows.astype(np.int32)


def _plain(labels: Any) -> Any:
    return labels._column if isinstance(labels, Frame) and hasattr(labels, "_column") else labels


def _label_slice(frame: Frame, key: slice) -> Selection:
    n_rows = len(frame)
    start = 0 if key.start is None else _edge(frame, key.start, last=False)
    stop = n_rows if key.stop is None else _edge(frame, key.stop, last=True) + 1
    return Selection(slice=(start, max(start, stop), key.step or 1))


def _edge(frame: Frame, label: Any, *, last: bool) -> int:
    """The first or last row of a label; in sorted labels also where it would stand."""
    rows = _rows_of_label(frame, label)
    if len(rows):
        return int(rows[-1] if last else rows[0])
    first = label_key(0)
    if len(frame._labels) > 1 or not _ascending(frame._labels[first]):
        raise LabelNotFound.of([label])
    before = Call("le" if last else "lt", (Col(first), Lit(label)))
    n_before = len(mask_rows(run(Project(((MASK, before),)), Table(frame._labels, len(frame)))[MASK]))
    return n_before - 1 if last else n_before


def _ascending(labels: Column) -> bool:
    """Whether labels are sorted, with none missing."""
    n_pairs = max(len(labels) - 1, 0)
    pairs = Table({"one": labels.slice(0, n_pairs), "next": labels.slice(len(labels) - n_pairs, n_pairs)})
    in_order = run(Project((("ordered", Call("le", (Col("one"), Col("next")))),)), pairs)["ordered"]
    return labels.null_count == 0 and len(mask_rows(in_order)) == n_pairs
