"""Row labels: which columns of a frame's table are its index, and how two frames are lined up by them.

Label columns stand first in a frame's table under names that no user column can have: ``"\\0" + level``. The names that
users see are kept beside the table. Frames whose label columns are the same objects are known to be lined up, which is the
usual case and costs a pointer comparison; otherwise labels are compared, and only then joined.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastframe.column import Column, Table
from fastframe.column.range import RangeColumn
from fastframe.errors import DuplicateLabel, MergeError, ShapeError
from fastframe.frame.run import run
from fastframe.ops.join import Join

PREFIX = "\0"


def label_key(level: int) -> str:
    """The name of a label column in a frame's table."""
    return f"{PREFIX}{level}"


def is_label(name: str) -> bool:
    return name.startswith(PREFIX)


def label_keys(table: Table) -> list[str]:
    """The names of a table's label columns."""
    return list(table.hidden)


def labels_of(table: Table) -> dict[str, Column]:
    """A table's label columns."""
    return table.hidden


def values_of(table: Table) -> dict[str, Column]:
    """A table's columns that are not labels."""
    return table.shown


def default_labels(n_rows: int) -> dict[str, Column]:
    """The labels of a new frame: 0, 1, 2, ..."""
    return {label_key(0): RangeColumn(n_rows)}


def with_labels(labels: Mapping[str, Column], values: Mapping[str, Column], n_rows: int | None = None) -> Table:
    """A frame's table from its two parts."""
    return Table({**labels, **values}, n_rows)


def has_default_labels(table: Table) -> bool:
    """Whether the labels are a plain 0, 1, 2, ..."""
    labels = labels_of(table)
    first = next(iter(labels.values()), None)
    return len(labels) == 1 and isinstance(first, RangeColumn) and first.is_default


def same_labels(left: Table, right: Table) -> bool:
    """Whether row n of one table has the labels of row n of the other, for all n."""
    if left.n_rows != right.n_rows:
        return False
    one, other = left.hidden, right.hidden
    return one is other or (len(one) == len(other) and all(map(_equal, one.values(), other.values())))


def _equal(left: Column, right: Column) -> bool:
    if left is right:
        return True
    if isinstance(left, RangeColumn) and isinstance(right, RangeColumn) and left.is_range and right.is_range:
        return left.equals(right)
    return left.dtype == right.dtype and left.array.equals(right.array)


def _prefixed(table: Table, prefix: str) -> Table:
    return Table({name if is_label(name) else prefix + name: column for name, column in table.columns.items()}, table.n_rows)


def lined_up(left: Table, right: Table, how: str = "outer") -> tuple[Table, Table]:
    """Both tables with equal labels in equal order.

    Parameters
    ----------
    how : {"outer", "left"}
        ``outer``: the union of the labels, sorted, where they differ. ``left``: the left labels; rows that the right
        table lacks are missing there, and its labels must be unique.

    Raises
    ------
    DuplicateLabel
        ``how="left"`` and the right labels repeat.
    ShapeError
        The numbers of index levels differ.
    """
    if same_labels(left, right):
        return left, right
    keys = tuple(label_keys(left))
    if len(keys) != len(label_keys(right)):
        raise ShapeError.of_levels(len(keys), len(label_keys(right)))
    spec = Join(keys, keys, how, validate="many_to_one" if how == "left" else None)
    try:
        both = run(spec, _prefixed(left, "l"), _prefixed(right, "r"))
    except MergeError as error:
        raise (DuplicateLabel.in_alignment() if how == "left" and "unique" in str(error) else error) from None
    labels = labels_of(both)
    one = {name: both["l" + name] for name in values_of(left)}
    other = {name: both["r" + name] for name in values_of(right)}
    return with_labels(labels, one, both.n_rows), with_labels(labels, other, both.n_rows)
