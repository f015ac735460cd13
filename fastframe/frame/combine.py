"""Several frames into one: `merge`, `join`, `concat`."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from fastframe.column import Column, Table
from fastframe.column.arrow import constant
from fastframe.dtypes import common
from fastframe.errors import ArgumentError, DTypeError, DuplicateColumn, MergeError, ShapeError, UnsupportedOperation
from fastframe.frame.core import Frame, is_series
from fastframe.frame.labels import default_labels, label_key, labels_of, lined_up, same_labels, values_of, with_labels
from fastframe.frame.run import Question, run
from fastframe.ops.concat import Concat
from fastframe.ops.groups import GroupBy
from fastframe.ops.join import Join

if TYPE_CHECKING:
    from fastframe.frame.dataframe import DataFrame


class FrameCombine(Frame):
    """`merge` and `join` of a frame."""

    def merge(
        self, right: Any, how: str = "inner", on: Any = None, *, left_on: Any = None, right_on: Any = None, left_index: bool = False,
        right_index: bool = False, suffixes: tuple[str, str] = ("_x", "_y"), validate: str | None = None,
    ) -> Self:  # fmt: skip
        """Rows of two frames whose keys are equal; missing keys equal each other, as in pandas.

        Inner and left keep the left order, right the right order, outer sorts by key. The result has new labels, except where
        labels are keys: on both sides, they are the result's; on one side, the result has the labels of the other.

        Parameters
        ----------
        right : DataFrame or named Series
        how : {"inner", "left", "right", "outer", "cross"}
            ``cross``: every left row with every right row, without keys.
        on, left_on, right_on : str or list of str
            Keys; all common columns where none is given.
        left_index, right_index : bool
            Use the row labels of that side as its keys.
        suffixes : pair of str or None
            For columns that both have and that are not keys.
        validate : {"one_to_one", "one_to_many", "many_to_one"}, optional

        Raises
        ------
        ColumnNotFound, MergeError, DuplicateColumn
        ShapeError
            The result would not fit one table.

        Examples
        --------
        >>> import fastframe as ff
        >>> left, right = ff.DataFrame({"k": [1, 2], "a": [3, 4]}), ff.DataFrame({"k": [2, 2], "b": [5, 6]})
        >>> left.merge(right, on="k").to_dict("list")
        {'k': [2, 2], 'a': [4, 4], 'b': [5, 6]}
        """
        right = _right_side(right, "merge")
        if how == "cross":
            _refuse_keys(on, left_on, right_on, left_index, right_index)
            return self._joined(right, _question((_CROSS,), (_CROSS,), "inner", _texts(suffixes)), (False, False))
        left_keys, right_keys = _merge_keys(self, right, (on, left_on, right_on), (left_index, right_index))
        if left_index != right_index:
            left_keys, right_keys = _one_name(self if left_index else right, how, left_keys, right_keys)
        return self._joined(right, _question(tuple(left_keys), tuple(right_keys), how, _texts(suffixes), validate), (left_index, right_index))

    def _joined(self, right: Any, question: Question, indexed: tuple[bool, bool]) -> Self:
        """Run the join, and find its result's labels: those of the side whose labels are no keys, or of both sides."""
        spec: Any = question.spec
        one, other = _keyed(self, spec.left_on, index=indexed[0]), _keyed(right, spec.right_on, index=indexed[1])
        if indexed[0] == indexed[1]:
            found = question.of_two(one, other)
            labels = {label_key(level): found[key] for level, key in enumerate(spec.left_on)} if indexed[0] else default_labels(found.n_rows)
            return self._with_table(Table.joined(labels, _shown(found), found.n_rows), _shared_names(self, right) if indexed[0] else (None,))
        kept = right if indexed[0] else self
        carried = {f"\1label{level}": column for level, column in enumerate(kept._labels.values())}
        found = question.of_two(one.with_columns(carried if kept is self else {}), other.with_columns(carried if kept is right else {}))
        labels = {label_key(level): found[name] for level, name in enumerate(carried)}
        values = _shown(found) if kept is self else _as_right(_shown(found), spec.right_on, len(self._values), list(right._values))
        return self._with_table(with_labels(labels, values, found.n_rows), kept._label_names)

    def join(
        self, other: Any, on: Any = None, how: str = "left", *, suffixes: tuple[str | None, str | None] = ("", ""), lsuffix: str = "", rsuffix: str = "",
    ) -> Self:  # fmt: skip
        """Columns of another frame by its row labels, which match these labels or the columns ``on``.

        Raises
        ------
        DuplicateColumn
            Columns of both have one name and no suffix is given.
        """
        other = _right_side(other, "join")
        clash = [name for name in other._values if name in self._values]
        suffixes = (lsuffix or suffixes[0], rsuffix or suffixes[1])
        if clash and not any(suffixes):
            raise DuplicateColumn.of(clash, "Pass suffixes=.")
        keys = {"left_on": on} if on is not None else {"left_index": True}
        return self.merge(other, how, **keys, right_index=True, suffixes=suffixes)


_CROSS = "\1cross"


@functools.lru_cache(maxsize=64)
def _known_join(*given: Any) -> Question:
    return Question(Join(*given))


def _question(*given: Any) -> Question:
    """A join of these fields: one question for all calls."""
    try:
        return _known_join(*given)
    except TypeError:   # a value that cannot be hashed; the join says what it may be
        return Question(Join(*given))


def _texts(suffixes: Sequence[str | None]) -> tuple[str, str]:
    """None adds nothing, as an empty suffix."""
    left, right = suffixes
    return left or "", right or ""


def _shared_names(left: Frame, right: Frame) -> tuple[str | None, ...]:
    """Names of labels that are keys on both sides."""
    return tuple(one if one == other else None for one, other in zip(left._label_names, right._label_names, strict=True))


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _merge_keys(left: Frame, right: Frame, named: tuple[Any, Any, Any], indexed: tuple[bool, bool]) -> tuple[list[str], list[str]]:
    """Internal key names of both sides."""
    on, left_on, right_on = named
    if on is not None:
        if left_on is not None or right_on is not None or any(indexed):
            raise ArgumentError.because("merge", "on= was given with other keys", "Pass on=, or left_on= and right_on=.")
        return _listed(on), _listed(on)
    left_keys, right_keys = _side_keys(left, left_on, indexed[0]), _side_keys(right, right_on, indexed[1])
    if not left_keys and not right_keys:
        common = [name for name in left._values if name in right._values]
        if not common:
            raise MergeError.no_common_columns(list(left._values), list(right._values))
        return common, common
    if len(left_keys) != len(right_keys):
        raise ArgumentError.because("merge", f"{len(left_keys)} left keys and {len(right_keys)} right keys were given", "Give as many of each.")
    return left_keys, right_keys


def _side_keys(frame: Frame, on: Any, index: bool) -> list[str]:
    """A side's keys: its labels, or columns."""
    if index and on is not None:
        raise ArgumentError.because("merge", "columns and the index of one side were given as its keys", "Give one of both.")
    if index:
        return [f"\1{level}" for level in range(len(frame._labels))]
    return _listed(on) if on is not None else []


def _one_name(labelled: Frame, how: str, left_keys: list[str], right_keys: list[str]) -> tuple[list[str], list[str]]:
    """Keys where one side's are its labels: both under the columns' names, so that the result's key has the values of both."""
    by_left = left_keys[0].startswith("\1")
    names = right_keys if by_left else left_keys
    taken = [name for name in names if name in labelled._values]
    if not taken:
        return names, names
    if how in ("outer", "left" if by_left else "right"):
        raise DuplicateColumn.of(taken, "A key column is matched with labels, but the other side has a column of its name: rename that.")
    return left_keys, right_keys


def _refuse_keys(*given: Any) -> None:
    if any(one is not None and one is not False for one in given):
        raise ArgumentError.because("merge", "how='cross' was given with keys", "Pass keys or how='cross', not both.")


def _keyed(frame: Frame, keys: Sequence[str], *, index: bool) -> Table:
    """A frame's values, with its labels as key columns where they are keys, or with the key of a cross join."""
    if index:
        return Table.of({**dict(zip(keys, frame._labels.values(), strict=True)), **frame._values}, len(frame))
    if keys == (_CROSS,):
        return Table.of({_CROSS: constant(0, len(frame)), **frame._values}, len(frame))
    return Table.of(frame._values, len(frame))


def _shown(table: Table) -> dict[str, Column]:
    """The columns that users see."""
    return {name: column for name, column in table.columns.items() if name[:1] != "\1"}


def _as_right(values: dict[str, Column], keys: Sequence[str], n_left: int, right_names: list[str]) -> dict[str, Column]:
    """Columns with the keys where the right side has them, not first."""
    names = [name for name in values if name not in keys]
    for place, name in enumerate(right_names):
        if name in keys:
            names.insert(n_left + place, name)
    return {name: values[name] for name in names}


def _require_frame(value: Any, method: str) -> None:
    if not isinstance(value, Frame):
        raise ArgumentError.because(method, f"{type(value).__name__} was given", "Pass a fastframe frame or series: ff.DataFrame(other).")


def _right_side(right: Any, method: str) -> Any:
    _require_frame(right, method)
    return right.to_frame() if is_series(right) else right


def merge(left: Any, right: Any, how: str = "inner", on: Any = None, **options: Any) -> DataFrame:
    """`DataFrame.merge` as a function."""
    _require_frame(left, "merge")
    result: DataFrame = left.merge(right, how, on, **options)
    return result


def concat(
    objs: Iterable[Any] | Mapping[Any, Any], *, axis: int | str | None = 0, join: str = "outer", ignore_index: bool = False, keys: Any = None
) -> Any:
    """Frames or series one below the other (``axis=0``), or side by side by their labels (``axis=1``).

    Rows: columns that an input lacks are missing there (``join="inner"`` keeps common columns only); dtypes widen to a
    common one, integers stay integers.

    Raises
    ------
    DTypeError
        A column's dtypes have nothing in common.
    ShapeError
        More than 2147483647 rows.

    Examples
    --------
    >>> import fastframe as ff
    >>> ff.concat([ff.DataFrame({"a": [1]}), ff.DataFrame({"a": [2], "b": ["x"]})], ignore_index=True).to_dict("list")
    {'a': [1, 2], 'b': [None, 'x']}
    """
    if keys is not None or isinstance(objs, Mapping):
        given = keys if keys is not None else list(objs)
        raise UnsupportedOperation.of_argument("concat", "keys", given, "Assign the key as a column of each frame first.")
    frames = [one for one in objs if one is not None] if isinstance(objs, Iterable) and not isinstance(objs, Frame) else [objs]
    wrong = [type(one).__name__ for one in frames if not isinstance(one, Frame)]
    if wrong or isinstance(objs, Frame):
        raise ArgumentError.because("concat", f"{wrong[0] if wrong else type(objs).__name__} was given", "Pass a list of frames and series.")
    if not frames:
        raise ArgumentError.because("concat", "there is nothing to concatenate", "Pass at least one frame or series.")
    if join not in ("outer", "inner"):
        raise ArgumentError.of("concat", "join", join, ("outer", "inner"))
    if axis in (1, "columns"):
        if ignore_index:
            raise UnsupportedOperation.of_argument("concat", "ignore_index", True, "With axis=1 the columns keep their names; rename them.")
        return _side_by_side(frames, join)
    if axis not in (0, "index", "rows"):
        raise ArgumentError.of("concat", "axis", axis, (0, 1, "index", "columns"))
    return _below(frames, join, ignore_index)


def _below(frames: list[Any], join: str, ignore_index: bool) -> Any:
    all_series = all(is_series(one) for one in frames)
    if not all_series:
        frames = [one.to_frame() if is_series(one) else one for one in frames]
    if not ignore_index:
        _check_labels(frames)
    tables = [Table(one._values, len(one)) if ignore_index else one._table for one in frames]
    found = run(Concat(join == "inner"), *tables)
    labels = default_labels(found.n_rows) if ignore_index else labels_of(found)
    names = (None,) if ignore_index else _shared([one._label_names for one in frames])
    table = with_labels(labels, values_of(found), found.n_rows)
    new = frames[0]._with_table(table, names)
    if all_series:
        new.name = frames[0].name if len({one.name for one in frames}) == 1 else None
    return new


def _shared(names: list[tuple[str | None, ...]]) -> tuple[str | None, ...]:
    return tuple(level[0] if len(set(level)) == 1 else None for level in zip(*names, strict=True))


def _check_labels(frames: list[Any]) -> None:
    """Raise unless the labels of all can stand in one index."""
    first = frames[0]._labels
    for one in frames[1:]:
        if len(one._labels) != len(first):
            raise ShapeError.of_levels(len(first), len(one._labels))
        for level, other in zip(first.values(), one._labels.values(), strict=True):
            if common(level.dtype, other.dtype) is None:
                raise DTypeError.of_labels(level.dtype, other.dtype)


def _side_by_side(frames: list[Any], join: str) -> Any:
    from fastframe.frame.dataframe import DataFrame

    number = itertools.count()   # unnamed series are numbered among themselves
    parts = [one.to_frame(one.name if one.name is not None else str(next(number))) if is_series(one) else one for one in frames]
    clash = [name for name, times in Counter(name for part in parts for name in part._values).items() if times > 1]
    if clash:
        raise DuplicateColumn.of(clash)
    table = parts[0]._table
    if not all(same_labels(table, part._table) for part in parts):
        _check_labels(parts)
        table = _labels_together([with_labels(part._labels, {}, len(part)) for part in parts], join)
        parts = [part._with_table(lined_up(table, part._table, "left")[1]) for part in parts]
    values = {name: column for part in parts for name, column in part._values.items()}
    return DataFrame._of(with_labels(labels_of(table), values, table.n_rows), _shared([one._label_names for one in parts]))


def _labels_together(labels: list[Table], join: str) -> Table:
    """The labels that any of the tables has, in order of appearance; or those that all have."""
    keys = tuple(labels[0].columns)
    if join == "outer":
        return run(GroupBy(keys, (), sort=False, dropna=False), run(Concat(), *labels))
    return functools.reduce(lambda one, other: run(Join(keys, keys, "inner"), one, other), labels)
