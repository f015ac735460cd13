"""Arithmetic, comparisons and logic of frames and series.

Operands with equal labels combine by position; others are lined up by the union of their labels first. A missing operand
makes an arithmetic result missing and a comparison False (``!=``: True).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np

from fastframe.column import Column, Table
from fastframe.column.arrow import column_from, constant
from fastframe.column.numpy import column_to_numpy
from fastframe.errors import FastFrameError, ShapeError
from fastframe.frame.construct import is_scalar
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import refuse_expression
from fastframe.frame.labels import labels_of, lined_up, same_labels, values_of, with_labels
from fastframe.frame.run import Question, calling, is_kept, run
from fastframe.ops.expressions import Call, Col, Expression, Lit
from fastframe.ops.project import Project

UFUNCS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "floor_divide": "floordiv", "remainder": "mod", "power": "pow",
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor", "absolute": "abs", "negative": "neg", "invert": "not",
    **{name: name for name in (
        "sign", "floor", "ceil", "trunc", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "arcsin",
        "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    )},
}  # fmt: skip
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
LEFT, RIGHT = "left", "right"
_LEFT, _RIGHT = Col(LEFT), Col(RIGHT)


class Operators(Frame):
    """The operators and their method names; subclasses say what an operand can be."""

    def _binary(self, function: str, other: Any, *, swap: bool = False, fill_value: Any = None) -> Self:
        raise AssertionError("every subclass combines in its own way")

    def _unary(self, function: str, options: Sequence[tuple[str, Any]] = ()) -> Self:
        """A function of every value."""
        kinds = tuple([type(value) for _, value in options])
        make = _of_each if kinds in ((), (int,)) else _of_each.__wrapped__   # kept by values of one kind: True is equal to 1
        return self._computed(make(function, tuple(self._values), tuple(options)))

    def _computed(self, question: Question) -> Self:
        """The same rows with the values that a question gives."""
        return self._with_table(Table.joined(self._table.hidden, question.of(self._table).columns, self._table.n_rows))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's operators are ours (``array + series`` keeps labels and nulls); its other functions work on each column."""
        inputs = tuple(one[()] if isinstance(one, np.ndarray) and one.ndim == 0 else one for one in inputs)
        own = UFUNCS.get(ufunc.__name__) if method == "__call__" and not options else None
        if own is not None and len(inputs) == 1:
            return self._unary(own)
        if own is not None:
            return self._binary(own, inputs[1]) if inputs[0] is self else self._binary(own, inputs[0], swap=True)
        if method != "__call__" or "out" in options or ufunc.nout != 1:
            return NotImplemented
        return self._by_numpy(ufunc, inputs, options)

    def _by_numpy(self, ufunc: Any, inputs: Sequence[Any], options: dict[str, Any]) -> Self:
        """A function of NumPy, column by column; a missing value is NaN to it."""
        out = {}
        for name, column in self._values.items():
            given = [column if one is self else one._values[name] if isinstance(one, Frame) else one for one in inputs]
            out[name] = column_from(ufunc(*(column_to_numpy(one) if isinstance(one, Column) else one for one in given), **options), name)
        return self._with_table(with_labels(self._labels, out, len(self)))

    def __add__(self, other: Any) -> Self:
        return self._binary("add", other)

    def __radd__(self, other: Any) -> Self:
        return self._binary("add", other, swap=True)

    def __sub__(self, other: Any) -> Self:
        return self._binary("sub", other)

    def __rsub__(self, other: Any) -> Self:
        return self._binary("sub", other, swap=True)

    def __mul__(self, other: Any) -> Self:
        return self._binary("mul", other)

    def __rmul__(self, other: Any) -> Self:
        return self._binary("mul", other, swap=True)

    def __truediv__(self, other: Any) -> Self:
        return self._binary("truediv", other)

    def __rtruediv__(self, other: Any) -> Self:
        return self._binary("truediv", other, swap=True)

    def __floordiv__(self, other: Any) -> Self:
        return self._binary("floordiv", other)

    def __rfloordiv__(self, other: Any) -> Self:
        return self._binary("floordiv", other, swap=True)

    def __mod__(self, other: Any) -> Self:
        return self._binary("mod", other)

    def __rmod__(self, other: Any) -> Self:
        return self._binary("mod", other, swap=True)

    def __pow__(self, other: Any) -> Self:
        return self._binary("pow", other)

    def __rpow__(self, other: Any) -> Self:
        return self._binary("pow", other, swap=True)

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        return self._binary("eq", other)

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return self._binary("ne", other)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> Self:
        return self._binary("lt", other)

    def __le__(self, other: Any) -> Self:
        return self._binary("le", other)

    def __gt__(self, other: Any) -> Self:
        return self._binary("gt", other)

    def __ge__(self, other: Any) -> Self:
        return self._binary("ge", other)

    def __and__(self, other: Any) -> Self:
        return self._binary("and", other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Self:
        return self._binary("or", other)

    __ror__ = __or__

    def __xor__(self, other: Any) -> Self:
        return self._binary("xor", other)

    __rxor__ = __xor__

    def __invert__(self) -> Self:
        return self._unary("not")

    def __neg__(self) -> Self:
        return self._unary("neg")

    def __pos__(self) -> Self:
        return self._with_table(self._table)

    def __abs__(self) -> Self:
        return self._unary("abs")

    def abs(self) -> Self:
        """Absolute values."""
        return self._unary("abs")

    def round(self, decimals: int = 0) -> Self:
        """Values rounded to ``decimals`` places, halves to even."""
        return self._unary("round", (("decimals", decimals),))

    def clip(self, lower: Any = None, upper: Any = None) -> Self:
        """Values below ``lower`` raised to it, above ``upper`` lowered to it; missing stays missing."""
        outputs = tuple((name, Call("clip", (Col(name), Lit(lower), Lit(upper)))) for name in self._values)
        return self._run(Project(outputs, keep=True))

    def add(self, other: Any, fill_value: Any = None) -> Self:
        """``self + other``; ``fill_value`` stands in where one side is missing."""
        return self._binary("add", other, fill_value=fill_value)

    def radd(self, other: Any, fill_value: Any = None) -> Self:
        """``other + self``."""
        return self._binary("add", other, swap=True, fill_value=fill_value)

    def sub(self, other: Any, fill_value: Any = None) -> Self:
        """``self - other``; ``fill_value`` stands in where one side is missing."""
        return self._binary("sub", other, fill_value=fill_value)

    subtract = sub

    def rsub(self, other: Any, fill_value: Any = None) -> Self:
        """``other - self``."""
        return self._binary("sub", other, swap=True, fill_value=fill_value)

    def mul(self, other: Any, fill_value: Any = None) -> Self:
        """``self * other``; ``fill_value`` stands in where one side is missing."""
        return self._binary("mul", other, fill_value=fill_value)

    multiply = mul

    def div(self, other: Any, fill_value: Any = None) -> Self:
        """``self / other``; ``fill_value`` stands in where one side is missing."""
        return self._binary("truediv", other, fill_value=fill_value)

    truediv = divide = div

    def rdiv(self, other: Any, fill_value: Any = None) -> Self:
        """``other / self``."""
        return self._binary("truediv", other, swap=True, fill_value=fill_value)

    def floordiv(self, other: Any, fill_value: Any = None) -> Self:
        """``self // other``."""
        return self._binary("floordiv", other, fill_value=fill_value)

    def mod(self, other: Any, fill_value: Any = None) -> Self:
        """``self % other``, with the sign of the divisor."""
        return self._binary("mod", other, fill_value=fill_value)

    def pow(self, other: Any, fill_value: Any = None) -> Self:
        """``self ** other``."""
        return self._binary("pow", other, fill_value=fill_value)

    def eq(self, other: Any) -> Self:
        """``self == other``."""
        return self._binary("eq", other)

    def ne(self, other: Any) -> Self:
        """``self != other``."""
        return self._binary("ne", other)

    def lt(self, other: Any) -> Self:
        """``self < other``."""
        return self._binary("lt", other)

    def le(self, other: Any) -> Self:
        """``self <= other``."""
        return self._binary("le", other)

    def gt(self, other: Any) -> Self:
        """``self > other``."""
        return self._binary("gt", other)

    def ge(self, other: Any) -> Self:
        """``self >= other``."""
        return self._binary("ge", other)


def _call(function: str, left: Expression, right: Expression, *, swap: bool, fill_value: Any) -> Expression:
    if fill_value is not None:   # where both sides are missing, so is the result
        some = Call("or", (Call("not_missing", (left,)), Call("not_missing", (right,))))
        left = Call("if_else", (some, Call("coalesce", (left, Lit(fill_value))), left))
        right = Call("if_else", (some, Call("coalesce", (right, Lit(fill_value))), right))
    return Call(function, (right, left) if swap else (left, right))


@lru_cache(maxsize=64)
def _columnwise(function: str, swap: bool) -> Question:
    """A function of two columns: one question for all calls."""
    return Question(Project(((LEFT, _call(function, _LEFT, _RIGHT, swap=swap, fill_value=None)),)))


@lru_cache(maxsize=256)
def _beside(function: str, swap: bool, kind: type, value: Any) -> Question:
    """A function of a column and a plain value, for calls with the same value."""
    return Question(Project(((LEFT, _call(function, _LEFT, Lit(value), swap=swap, fill_value=None)),)))


@lru_cache(maxsize=256)
def _of_each(function: str, names: tuple[str, ...], options: tuple[tuple[str, int], ...]) -> Question:
    """A function of each column."""
    return Question(Project(tuple([(name, Call(function, (Col(name),), options)) for name in names])))


@lru_cache(maxsize=256)
def _all_beside(function: str, swap: bool, names: tuple[str, ...], kind: type, value: Any) -> Question:
    """A function of each column and a plain value, for calls with the same value."""
    return Question(Project(tuple([(name, _call(function, Col(name), Lit(value), swap=swap, fill_value=None)) for name in names])))


def _question(function: str, right: Expression, *, swap: bool, fill_value: Any) -> Question:
    """A function of the column `LEFT` and another operand; kept where the same may be asked again."""
    if fill_value is None and right is _RIGHT:
        return _columnwise(function, swap)
    if fill_value is None and isinstance(right, Lit) and is_kept(right.value):
        return _beside(function, swap, type(right.value), right.value)
    return Question(Project(((LEFT, _call(function, _LEFT, right, swap=swap, fill_value=fill_value)),)))


def _check_comparable(function: str, left: Table, right: Table) -> None:
    if function in COMPARISONS and not same_labels(left, right):
        raise ShapeError.of_comparison()


class SeriesArithmetic(Operators):
    """Operators of a series with a series, an array, or one value."""

    def _binary(self, function: str, other: Any, *, swap: bool = False, fill_value: Any = None) -> Any:
        if isinstance(other, Frame) and not other._is_series:
            return other._binary(function, self, swap=not swap, fill_value=fill_value)  # type: ignore[attr-defined]
        labels, left, right, name = self._operands(function, other)
        question = _question(function, right, swap=swap, fill_value=fill_value)
        series: Any = self
        try:
            result = question.of(left).columns[LEFT]
        except FastFrameError as error:
            raise error.renamed(LEFT, series.name) from None
        return type(series)._of(labels, result, name, self._label_names)

    def _computed(self, question: Question) -> Any:
        try:
            return super()._computed(question)
        except FastFrameError as error:
            raise error.renamed(next(iter(self._values)), self.name) from None  # type: ignore[attr-defined]

    def _operands(self, function: str, other: Any) -> tuple[dict[str, Column], Table, Expression, str | None]:
        """Labels of the result, a table with the operands, the right operand, and the result's name."""
        column, name = self._column, self.name  # type: ignore[attr-defined]
        if isinstance(other, Frame):
            labels = self._table.hidden
            if other._table.hidden is labels:   # two columns of one frame, say
                return labels, Table.of({LEFT: column, RIGHT: other._column}, column.length), _RIGHT, name if name == other.name else None  # type: ignore[attr-defined]
            _check_comparable(function, self._table, other._table)
            one, two = lined_up(self._table, other._table)
            (left,), (right,) = one.shown.values(), two.shown.values()
            return one.hidden, Table.of({LEFT: left, RIGHT: right}, one.n_rows), _RIGHT, name if name == other.name else None  # type: ignore[attr-defined]
        refuse_expression(self, other)
        if is_scalar(other):
            return self._labels, Table.of({LEFT: column}, column.length), Lit(other), name
        values = column_from(other)
        if len(values) != len(self):
            raise ShapeError.of_assignment("the other operand", len(values), len(self))
        return self._labels, Table.of({LEFT: column, RIGHT: values}, column.length), _RIGHT, name

    def dot(self, other: Any) -> Any:
        """The sum of the products with another series or array."""
        return (self * other).sum()

    __matmul__ = dot


class FrameArithmetic(Operators):
    """Operators of a frame with a frame (by labels and names), a series (its labels are column names), or one value."""

    def _binary(self, function: str, other: Any, *, swap: bool = False, fill_value: Any = None) -> Self:
        refuse_expression(self, other)
        if isinstance(other, Frame) and not is_series(other):
            return self._with_frame(function, other, swap=swap, fill_value=fill_value)
        if isinstance(other, Frame):
            values = dict(zip(other.index.tolist(), other, strict=True))  # type: ignore[call-overload]
            names = list(self._values) if set(values) <= set(self._values) else sorted({*self._values, *values})
        elif is_scalar(other):
            names = list(self._values)
            if fill_value is None and is_kept(other):
                return self._computed(_all_beside(function, swap, tuple(names), type(other), other))
            values = dict.fromkeys(names, other)
        else:
            names, listed = list(self._values), list(other)
            if len(listed) != len(names):
                raise ShapeError.of_names(len(listed), len(names))
            values = dict(zip(names, listed, strict=True))
        outputs = [(name, self._against(function, name, values, swap=swap, fill_value=fill_value)) for name in names]
        return self._computed(Question(Project(tuple(outputs))))

    def _against(self, function: str, name: str, values: dict[Any, Any], *, swap: bool, fill_value: Any) -> Expression:
        left: Expression = Col(name) if name in self._values else Lit(None)
        return _call(function, left, Lit(values.get(name)), swap=swap, fill_value=fill_value)

    def round(self, decimals: int | Mapping[str, int] = 0) -> Self:
        """Numbers rounded to ``decimals`` places (one for all, or by column), halves to even; other columns stay."""
        places = decimals if isinstance(decimals, Mapping) else dict.fromkeys(self._values, decimals)
        rounded = {name: places[name] for name, column in self._values.items() if name in places and column.dtype.is_numeric}
        outputs = tuple((name, Call("round", (Col(name),), (("decimals", one),))) for name, one in rounded.items())
        return self._run(Project(outputs, keep=True)) if outputs else self._with_table(self._table)

    def _with_frame(self, function: str, other: Frame, *, swap: bool, fill_value: Any) -> Self:
        _check_comparable(function, self._table, other._table)
        one, two = lined_up(self._table, other._table)
        left, right = values_of(one), values_of(two)
        names = list(left) if list(left) == list(right) else sorted({*left, *right})
        out = {}
        for name in names:
            operands = {LEFT: left.get(name), RIGHT: right.get(name)}
            table = Table({side: column if column is not None else constant(None, one.n_rows) for side, column in operands.items()}, one.n_rows)
            call = _call(function, Col(LEFT), Col(RIGHT), swap=swap, fill_value=fill_value)
            with calling(LEFT, name):
                out[name] = run(Project(((LEFT, call),)), table)[LEFT]
        return self._with_table(with_labels(labels_of(one), out, one.n_rows))
