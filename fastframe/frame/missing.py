"""Missing values: null, or NaN in a float column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from fastframe.column import Column, Table
from fastframe.dtypes import INT64, Kind
from fastframe.errors import ArgumentError, DTypeError, ExpressionError, LossyCast
from fastframe.frame.arithmetic import Operators
from fastframe.frame.construct import is_scalar, text_name
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import is_expression
from fastframe.frame.getitem import row_values
from fastframe.frame.positions import Selection, mask_column
from fastframe.frame.run import Question, calling, is_kept, run
from fastframe.frame.windows import Windows
from fastframe.ops.expressions import Call, Col, Expression, Lit
from fastframe.ops.project import Project

if TYPE_CHECKING:
    from fastframe.frame.expression import Expr

OTHER = "\0other"


class Missing(Operators, Windows):
    """What frames and series share."""

    def isna(self) -> Self:
        """True where a value is missing.

        >>> import fastframe as ff
        >>> ff.Series([1.5, None, float("nan")]).isna().tolist()
        [False, True, True]
        """
        return self._unary("is_missing")

    isnull = isna

    def notna(self) -> Self:
        """True where a value is there."""
        return self._unary("not_missing")

    notnull = notna

    def fillna(self, value: Any = None) -> Self:
        """Missing values replaced.

        Parameters
        ----------
        value : scalar; of a series also a series (by label); of a frame a dict or series by column name, a frame, or an expression
            An int column filled with fractions becomes a float column.

        Raises
        ------
        LossyCast
            The value is of another kind than a column.
        """
        if value is None:
            raise ArgumentError.because("fillna", "no value was given", "Give one, or use .ffill() or .bfill().")
        chosen = dict.fromkeys(self._values, _of_rows(self, value)) if is_expression(value) else _by_column(self, value)
        table = self._table
        for name in [name for name in self._values if name in chosen]:
            with calling(name, self.name if is_series(self) else name):  # type: ignore[attr-defined]
                table = _coalesced(table, name, chosen[name])
        return self._with_table(table)

    def where(self, cond: Frame | Expr | Callable[..., Any] | Sequence[bool], other: Any = None) -> Self:
        """Values where ``cond`` is true, else ``other`` (missing by default).

        Parameters
        ----------
        cond : bool Series, DataFrame, array or expression
        other : scalar or Series
        """
        return self._choose(cond, other, keep_where=True)

    def mask(self, cond: Frame | Expr | Callable[..., Any] | Sequence[bool], other: Any = None) -> Self:
        """Values where ``cond`` is false, else ``other`` (missing by default)."""
        return self._choose(cond, other, keep_where=False)

    def _choose(self, cond: Any, other: Any, *, keep_where: bool) -> Self:
        cond = _of_rows(self, cond(self) if callable(cond) else cond)
        other = _of_rows(self, other)
        table = self._table
        for name in self._values:
            mask = cond[name] if isinstance(cond, Frame) and not is_series(cond) else cond  # type: ignore[index]
            table = _if_else(self, table, name, (mask, other[name] if _is_frame(other) else other), keep_where=keep_where)
        return self._with_table(table)


def _of_rows(frame: Frame, value: Any) -> Any:
    """What an expression gives for the frame's rows, as a series, so that it is computed once for all columns; else the value."""
    if not is_expression(value):
        return value
    if is_series(frame):
        raise ExpressionError.of_series(repr(value))
    from fastframe.frame.computing import computed_column

    return Frame._series_type._of(frame._labels, computed_column(frame._table, value), None, frame._label_names)


def _by_column(frame: Frame, value: Any) -> Mapping[str, Any]:
    """What fills each column."""
    if _is_frame(value):
        return {name: value[name] for name in value._values}
    if is_series(value) and not is_series(frame):
        return {text_name(name): one for name, one in zip(value.index, value, strict=True)}
    if isinstance(value, Mapping):
        return {text_name(name): one for name, one in value.items()}
    return dict.fromkeys(frame._values, value)


def _is_frame(value: Any) -> bool:
    return isinstance(value, Frame) and not is_series(value)


def _if_else(frame: Frame, table: Table, name: str, choice: tuple[Any, Any], *, keep_where: bool) -> Table:
    mask, other = choice
    extra = {"\0mask": mask_column(frame, mask)}
    literal: Expression = Lit(other)
    if not is_scalar(other):
        extra[OTHER] = row_values(frame._table, name, other)
        literal = Col(OTHER)
    arms = (Col(name), literal) if keep_where else (literal, Col(name))
    call = Call("if_else", (Col("\0mask"), *arms))
    return table.with_columns({name: run(Project(((name, call),)), table.with_columns(extra))[name]})


def _coalesced(table: Table, name: str, value: Any) -> Table:
    scalar = is_scalar(value)
    both = table if scalar else table.with_columns({OTHER: row_values(table, name, value)})
    question = _known_filling(name, type(value), value) if scalar and is_kept(value) else _filling(name, Lit(value) if scalar else Col(OTHER))
    try:
        return table.with_columns({name: question.of(both).columns[name]})
    except DTypeError:
        dtype = table[name].dtype
        raise (LossyCast.of_value(value, dtype, name) if scalar else LossyCast.of_assigned(both[OTHER].dtype, dtype, name)) from None


def _filling(name: str, value: Expression) -> Question:
    return Question(Project(((name, Call("coalesce", (Col(name), value))),)))


@lru_cache(maxsize=256)
def _known_filling(name: str, kind: type, value: Any) -> Question:
    return _filling(name, Lit(value))


class SeriesMissing(Missing):
    """`dropna` of a series."""

    def dropna(self) -> Self:
        """The rows that are not missing, under their labels."""
        kept: Any = self.notna()
        return self._with_table(Selection(mask=kept._column).of(self._table))

    @property
    def hasnans(self) -> bool:
        """Whether any value is missing."""
        return bool(self.isna().any())  # type: ignore[attr-defined]


class FrameMissing(Missing):
    """`dropna` of a frame."""

    def dropna(self, *, how: str = "any", subset: str | Sequence[str] | None = None, thresh: int | None = None) -> Self:
        """The rows without missing values.

        Parameters
        ----------
        how : {"any", "all"}
            Drop a row where any, or where all, values are missing.
        subset : str or list of str
            The columns to look at.
        thresh : int
            Keep rows with at least so many values, instead of ``how``.

        Raises
        ------
        ColumnNotFound, ArgumentError
        """
        if how not in ("any", "all"):
            raise ArgumentError.of("dropna", "how", how, ("any", "all"))
        names = [subset] if isinstance(subset, str) else list(subset) if subset is not None else list(self._values)
        if not names:
            return self._with_table(self._table)
        if how == "any" and thresh is None:   # what is always there decides nothing
            names = [name for name in names if _may_lack(self._table.columns.get(name))]
            if not names:
                return self._with_table(self._table)
        there = [Call("not_missing", (Col(name),)) for name in names]
        found = run(Project((("mask", _kept(there, how, thresh)),)), self._table)
        return self._with_table(Selection(mask=found["mask"]).of(self._table))


def _may_lack(column: Column | None) -> bool:
    """Whether values may be missing, told without a look at them; where there is no such column somebody shall say so."""
    return column is None or column.null_count > 0 or column.dtype.kind is Kind.FLOAT


def _kept(there: Sequence[Expression], how: str, thresh: int | None) -> Expression:
    """Whether a row stays: all values are there, any is, or at least ``thresh`` are."""
    if thresh is None:
        kept = there[0]
        for one in there[1:]:
            kept = Call("and" if how == "any" else "or", (kept, one))
        return kept
    count: Expression = Lit(0, INT64)
    for one in there:
        count = Call("add", (count, Call("if_else", (one, Lit(1, INT64), Lit(0, INT64)))))
    return Call("ge", (count, Lit(thresh)))


