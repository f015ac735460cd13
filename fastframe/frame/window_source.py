"""What rolling, expanding and exponentially weighted windows go over: a frame's or series' columns, whole or by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache
from typing import Any

from fastframe.column import Column, Table
from fastframe.dtypes import BOOL
from fastframe.errors import ArgumentError, ColumnNotFound, UnsupportedOperation
from fastframe.frame.calls import function_label, kept_call
from fastframe.frame.construct import text_name
from fastframe.frame.core import Frame, is_series
from fastframe.frame.getitem import row_values
from fastframe.frame.labels import label_key, lined_up
from fastframe.frame.run import Question
from fastframe.ops.base import unique
from fastframe.ops.decay import Decay, DecayCall
from fastframe.ops.groups import Output, Window
from fastframe.ops.rolling import RollingCall, Span
from fastframe.records import record

_NO_PAIRS = "Matrices of all pairs are not built: give a series, a column's name (rolling(3).corr('x')), or a frame of the same columns."
_OTHER = "\1other{}"
_OUT = "\1out{}"
_TIMES = "\1times"

Call = type[RollingCall] | type[DecayCall]


@record(frozen=True)
class WindowSource:
    """Columns that windows go over.

    Attributes
    ----------
    frame : DataFrame or Series
    table : Table
        Of the frame, and the keys that are not its columns.
    names : tuple of str
        Of the columns.
    one : bool
        Whether one column was chosen by name: results are series.
    keys : tuple
        ``(name that users see, name in the table)`` of each key; empty without groups.
    on : str, optional
        The column of times, which stays in results as it is.
    """

    frame: Any
    table: Table
    names: tuple[str, ...]
    one: bool
    keys: tuple[tuple[str | None, str], ...] = ()
    on: str | None = None
    groups: Mapping[str, Any] = field(default_factory=dict)   # sort, dropna
    as_index: bool = True

    @classmethod
    def of_frame(cls, frame: Any) -> WindowSource:
        return cls(frame, frame._table, tuple(frame._values), is_series(frame))

    @classmethod
    def of_groups(cls, groups: Any) -> WindowSource:
        how = {"sort": groups._sort, "dropna": groups._dropna}
        return cls(groups._frame, groups._table, tuple(groups._chosen), groups._one, tuple(groups._keys), None, how, groups._as_index)

    def with_times(self, on: str | None) -> tuple[WindowSource, str]:
        """The source whose times are in the column ``on`` (else in the labels), and that column's name in the table."""
        if on is None:
            return self, label_key(0)
        if is_series(self.frame) or on not in self.frame._values:
            raise ColumnNotFound.among(on, [] if is_series(self.frame) else list(self.frame._values))
        return replace(self, on=on), on

    def with_own_times(self, times: Any) -> tuple[WindowSource, str]:
        """The source, with times that are a column's name, or values of their own, and their name in the table."""
        if isinstance(times, str):
            return replace(self), self.with_times(times)[1]
        column = row_values(self.frame._table, "times", times)
        return replace(self, table=self.table.with_columns({_TIMES: column})), _TIMES

    def chosen(self, names: Any) -> WindowSource:
        """One column, by name, or some, by list."""
        several = isinstance(names, list | tuple)
        listed = tuple(text_name(name) for name in names) if several else (text_name(names),)
        for name in listed:
            if is_series(self.frame) or name not in self.frame._values:
                raise ColumnNotFound.among(name, list(self.names))
        return replace(self, names=listed, one=not several)

    def values(self, *, numeric_only: bool) -> list[str]:
        """The columns that functions go over."""
        columns = self.table.columns
        return [name for name in self.names if name != self.on
                and (not numeric_only or columns[name].dtype.is_numeric or columns[name].dtype == BOOL)]  # fmt: skip

    def series_name(self, name: str) -> str | None:
        return self.frame.name if is_series(self.frame) else name

    # ---- outputs ----------------------------------------------------------------------------------------------------

    def outputs(self, function: Any, options: Mapping[str, Any], call: Call, *, numeric_only: bool = False) -> list[Output]:
        """A function by name, a list of such (results are ``column_function``), or a dict of column to either."""
        if isinstance(function, Mapping):
            pairs = [(text_name(column), several) for column, several in function.items()]
            return [one for column, several in pairs for one in self._of_column(column, several, options, call, prefix=True)]
        names = self.values(numeric_only=numeric_only)
        return [one for name in names for one in self._of_column(name, function, options, call, prefix=not self.one)]

    def _of_column(self, column: str, function: Any, options: Mapping[str, Any], call: Call, *, prefix: bool) -> list[Output]:
        if column not in self.table.columns:
            raise ColumnNotFound.among(column, list(self.names))
        named = {**options, "name": self.series_name(column)}
        if not isinstance(function, list | tuple):
            return [Output(column, column, kept_call(call, function, named))]
        labels = [function_label(one) for one in function]
        return [Output(f"{column}_{label}" if prefix else label, column, kept_call(call, one, named)) for label, one in zip(labels, function)]

    def paired(self, function: str, other: Any, options: Mapping[str, Any], call: Call) -> tuple[WindowSource, list[Output]]:
        """A function of each column and ``other``: a series, a column's name, or a frame of columns of the same names."""
        others = self._others(function, other)
        hidden = {name: _OTHER.format(at) for at, name in enumerate(others)}
        table = self.table.with_columns({hidden[name]: column for name, column in others.items()})
        outputs = [Output(name, name, call(function, {**options, "name": self.series_name(name)}), hidden[name]) for name in others]
        return replace(self, table=table), outputs

    def _others(self, function: str, other: Any) -> dict[str, Column]:
        """The partner of each column."""
        names = list(self.names) if self.one else self.values(numeric_only=True)
        if other is None:
            raise UnsupportedOperation.of_argument(function, "other", None, _NO_PAIRS)
        if isinstance(other, Frame) and not is_series(other):
            _, matched = lined_up(self.frame._table, other._table, "left")
            others = {name: matched[name] for name in names if name in other._values}
        else:
            by_name = isinstance(other, str) and not is_series(self.frame)
            others = dict.fromkeys(names, self.table[other] if by_name else row_values(self.frame._table, "other", other))
        if not others:
            raise ArgumentError.because(function, "other has none of the columns", "Give a series, or a frame of the same columns.")
        return others

    # ---- results ----------------------------------------------------------------------------------------------------

    def run(self, outputs: Sequence[Output], windows: Span | Decay, *, series: bool) -> Any:
        """The outputs over windows, under the frame's labels or, by group, under keys and labels."""
        if len(outputs) > 1:
            unique((output.name for output in outputs), "Name each column once.")
        labels = self._label_columns(series=series)
        found = self._asked(outputs, windows, labels).of(self.table)
        values = list(found.columns.values())[-len(outputs):] if outputs else []   # they come behind what is carried
        return self._result(found, labels, {output.name: one for output, one in zip(outputs, values)}, series=series)

    def _asked(self, outputs: Sequence[Output], windows: Span | Decay, labels: Sequence[str]) -> Question:
        asked = tuple([(output.column, output.call, output.other) for output in outputs])
        return _question(self.internal_keys, asked, self.carried(labels), windows, tuple(self.groups.items()))

    def _label_columns(self, *, series: bool) -> list[str]:
        return [self.on] if self.keys and series and self.on is not None else self.frame._label_keys

    @property
    def internal_keys(self) -> tuple[str, ...]:
        """Names of the keys in the table."""
        return tuple(internal for _, internal in self.keys)

    def carried(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The columns that results stand beside, each once."""
        return tuple(dict.fromkeys([*self.internal_keys, *labels, *([self.on] if self.on is not None else [])]))

    def result(self, found: Table, values: Mapping[Any, Column], *, series: bool) -> Any:
        """Result columns under the labels that ``found`` has carried along; one of them as a series."""
        return self._result(found, self._label_columns(series=series), values, series=series)

    def _result(self, found: Table, labels: list[str], values: Mapping[Any, Column], *, series: bool) -> Any:
        own = (self.on,) if labels == [self.on] else self.frame._label_names
        levels, names = [found[label] for label in labels], tuple(own)
        keyed = {self._key_column(at): found[key] for at, (_, key) in enumerate(self.keys)}
        if self.keys and self.as_index:
            levels, names = [*keyed.values(), *levels], (*(name for name, _ in self.keys), *names)
        index = {label_key(at): level for at, level in enumerate(levels)}
        if series and (self.as_index or not self.keys):
            ((name, column),) = values.items()
            return Frame._series_type._of(index, column, self.series_name(name), names)
        if self.on is not None and not series:
            values = self._with_on(values, found[self.on])
        columns = values if self.as_index or not self.keys else {**keyed, **values}
        return Frame._frame_type._of(Table.joined(index, columns, found.n_rows), names)

    def _key_column(self, level: int) -> str:
        name = self.keys[level][0]
        return name if name is not None else f"level_{level}"

    def _with_on(self, values: Mapping[Any, Column], times: Column) -> dict[str, Column]:
        """The results and the column of times, where it was."""
        assert self.on is not None
        if self.on not in self.names:
            return {**values, self.on: times}
        before = [name for name in values if name in self.names[: self.names.index(self.on)]]
        return {**{name: values[name] for name in before}, self.on: times, **{name: one for name, one in values.items() if name not in before}}


@lru_cache(maxsize=64)
def _question(
    keys: tuple[str, ...], asked: tuple[tuple[str, Any, str | None], ...], carried: tuple[str, ...], windows: Span | Decay,
    groups: tuple[tuple[str, bool | None], ...],
) -> Question:  # fmt: skip
    """Functions (column, call, other column) of windows: one question for all calls."""
    outputs = tuple([Output(_OUT.format(at), *one) for at, one in enumerate(asked)])
    return Question(Window(keys, outputs, carried=carried, span=windows, **dict(groups)))   # type: ignore[arg-type]
