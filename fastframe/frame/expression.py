"""Deferred expressions: ``ff.col("a") * 2 - ff.col("b").mean()`` names columns that a frame looks up when it is computed.

An `Expr` holds a tree of ``ops/`` and nothing else: every operator and method makes a larger tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe import dtypes
from fastframe.errors import ArgumentError, ExpressionError, MissingAttribute, RowFunctionError, UnsupportedOperation
from fastframe.frame.calls import aggregation
from fastframe.frame.construct import is_scalar, listed
from fastframe.frame.core import Frame
from fastframe.frame.expression_aggregations import ExpressionAggregations
from fastframe.frame.expression_text import shown
from fastframe.ops.aggregated import Aggregated
from fastframe.ops.expressions import Call, Cast, Col, Expression, Lit
from fastframe.ops.mapped import Mapped

if TYPE_CHECKING:
    from fastframe.frame.expression_accessors import TextExpressions, TimeExpressions

MAX_DEPTH = 100   # operations on top of each other: what is evaluated recursively stays far from the end of the stack
_NEIGHBOURS = ("shift", "diff", "pct_change", "cumsum", "cumprod", "cummin", "cummax", "rank", "ffill", "bfill", "rolling", "expanding", "ewm")
_OF_GROUPS = "For each row its group's value: df.groupby(keys)['x'].transform(...). In groupby(keys).agg(...), aggregations are of each group."
_INSTEAD = {
    "over": _OF_GROUPS, "transform": _OF_GROUPS,
    "alias": "The result has the name of its argument: df.assign(name=expr), groupby(keys).agg(name=expr).",
    "apply": "Use .map(function), which is compiled, or df.map_rows(function) for several columns.",
    "size": "Use .count() for values that are not missing, len(df) for rows, or n=('x', 'size') in groupby(keys).agg(...).",
    "is_null": "Use .isna().", "is_nan": "Use .isna().", "is_not_null": "Use .notna().", "fill_null": "Use .fillna(value).",
    "is_in": "Use .isin([...]).", "is_between": "Use .between(a, b).", "n_unique": "Use .nunique().",
}  # fmt: skip
_INCLUSIVE = ("both", "neither", "left", "right")


def tree_of(value: Any) -> Expression:
    """The tree of an expression, or of one value.

    Raises
    ------
    ExpressionError
        For several values.
    """
    if isinstance(value, Expr):
        return value._tree
    if not is_scalar(value):
        raise ExpressionError.of_values(value)
    return Lit(value)


class Expr(ExpressionAggregations):
    """Something to compute from columns by name; made by `ff.col`, `ff.lit` and `ff.when`.

    It has no values. ``df.assign(c=expr)``, ``df["c"] = expr``, ``df.filter(expr)``, ``df[expr]``, ``df.loc[expr]`` and
    ``df.groupby(keys).agg(name=expr)`` compute it. Operators, comparisons and ``& | ^ ~`` follow the rules of a series:
    a missing operand gives a missing result, a comparison with it is False (``!=``: True). Aggregations such as ``.mean()``
    are of all rows (in ``agg``: of each group) and stand for one value.

    Examples
    --------
    >>> import fastframe as ff
    >>> df = ff.DataFrame({"a": [1, 2, 6]})
    >>> df.assign(above=ff.col("a") - ff.col("a").mean())["above"].tolist()
    [-2.0, -1.0, 3.0]
    >>> df[ff.col("a").between(2, 9) & (ff.col("a") != 6)]["a"].tolist()
    [2]
    """

    __slots__ = ("_depth", "_tree")

    def __init__(self, tree: Expression, depth: int = 1) -> None:
        if depth > MAX_DEPTH:
            raise ExpressionError.too_deep(MAX_DEPTH)
        self._tree, self._depth = tree, depth

    def _call(self, function: str, *others: Any, swap: bool = False, **options: Any) -> Expr:
        """A function of this and other expressions or values."""
        trees = (self._tree, *map(tree_of, others))
        depth = 1 + max(self._depth, *(one._depth for one in others if isinstance(one, Expr)), 0)
        return Expr(Call(function, trees[::-1] if swap else trees, tuple(options.items())), depth)

    def _aggregate(self, function: str, **options: Any) -> Expr:
        name = self._tree.name if isinstance(self._tree, Col) else shown(self._tree)
        return Expr(Aggregated(self._tree, aggregation(function, {**options, "name": name})), self._depth + 1)

    def __repr__(self) -> str:
        return shown(self._tree)

    def __bool__(self) -> bool:
        raise ExpressionError.of_truth(repr(self))

    def __contains__(self, value: object) -> bool:
        raise ExpressionError.of_membership(repr(self))

    def __iter__(self) -> Any:
        raise ExpressionError.no_values(repr(self))

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise ExpressionError.no_values(repr(self))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _NEIGHBOURS:
            raise MissingAttribute.unsupported("Expr", name, f"It needs a row's neighbours: use df['x'].{name}(...) and assign the result first.")
        if name in _INSTEAD:
            raise MissingAttribute.unsupported("Expr", name, _INSTEAD[name])
        if hasattr(Frame._series_type, name):
            raise MissingAttribute.unsupported("Expr", name, f"Use df['x'].{name}, and assign the result first.")
        raise MissingAttribute.of("Expr", name, [one for one in dir(type(self)) if not one.startswith("_")])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Expr:
        """NumPy's functions that are rows of the function table: ``np.sqrt(ff.col("a"))``."""
        from fastframe.frame.arithmetic import UFUNCS
        from fastframe.ops.functions import FUNCTIONS

        function = "is_missing" if ufunc is np.isnan else UFUNCS.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or options or function not in FUNCTIONS:
            raise UnsupportedOperation.of_method("Expr", f"np.{ufunc.__name__}", "Compute it with df['x'], and assign the result first.")
        first, *others = (one[()] if isinstance(one, np.ndarray) and one.ndim == 0 else one for one in inputs)
        return (first if isinstance(first, Expr) else lit(first))._call(function, *others)

    def __add__(self, other: Any) -> Expr:
        return self._call("add", other)

    def __radd__(self, other: Any) -> Expr:
        return self._call("add", other, swap=True)

    def __sub__(self, other: Any) -> Expr:
        return self._call("sub", other)

    def __rsub__(self, other: Any) -> Expr:
        return self._call("sub", other, swap=True)

    def __mul__(self, other: Any) -> Expr:
        return self._call("mul", other)

    def __rmul__(self, other: Any) -> Expr:
        return self._call("mul", other, swap=True)

    def __truediv__(self, other: Any) -> Expr:
        return self._call("truediv", other)

    def __rtruediv__(self, other: Any) -> Expr:
        return self._call("truediv", other, swap=True)

    def __floordiv__(self, other: Any) -> Expr:
        return self._call("floordiv", other)

    def __rfloordiv__(self, other: Any) -> Expr:
        return self._call("floordiv", other, swap=True)

    def __mod__(self, other: Any) -> Expr:
        return self._call("mod", other)

    def __rmod__(self, other: Any) -> Expr:
        return self._call("mod", other, swap=True)

    def __pow__(self, other: Any) -> Expr:
        return self._call("pow", other)

    def __rpow__(self, other: Any) -> Expr:
        return self._call("pow", other, swap=True)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return self._call("eq", other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return self._call("ne", other)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> Expr:
        return self._call("lt", other)

    def __le__(self, other: Any) -> Expr:
        return self._call("le", other)

    def __gt__(self, other: Any) -> Expr:
        return self._call("gt", other)

    def __ge__(self, other: Any) -> Expr:
        return self._call("ge", other)

    def __and__(self, other: Any) -> Expr:
        return self._call("and", other)

    def __rand__(self, other: Any) -> Expr:
        return self._call("and", other, swap=True)

    def __or__(self, other: Any) -> Expr:
        return self._call("or", other)

    def __ror__(self, other: Any) -> Expr:
        return self._call("or", other, swap=True)

    def __xor__(self, other: Any) -> Expr:
        return self._call("xor", other)

    def __rxor__(self, other: Any) -> Expr:
        return self._call("xor", other, swap=True)

    def __invert__(self) -> Expr:
        return self._call("not")

    def __neg__(self) -> Expr:
        return self._call("neg")

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return self._call("abs")

    def __round__(self, decimals: int = 0) -> Expr:
        return self.round(decimals)

    def abs(self) -> Expr:
        """Absolute values."""
        return self._call("abs")

    def sign(self) -> Expr:
        """-1, 0 or 1."""
        return self._call("sign")

    def round(self, decimals: int = 0) -> Expr:
        """Values rounded to ``decimals`` places, halves to even."""
        if not isinstance(decimals, int | np.integer) or isinstance(decimals, bool):
            raise ExpressionError.of_option("round", "decimals", decimals, "an int")
        return self._call("round", decimals=int(decimals))

    def floor(self) -> Expr:
        """The largest whole number not above, in the same dtype."""
        return self._call("floor")

    def ceil(self) -> Expr:
        """The smallest whole number not below, in the same dtype."""
        return self._call("ceil")

    def clip(self, lower: Any = None, upper: Any = None) -> Expr:
        """Values below ``lower`` raised to it, above ``upper`` lowered to it; missing stays missing."""
        return self._call("clip", lower, upper)

    def fillna(self, value: Any) -> Expr:
        """Missing values replaced by one value, or by another expression."""
        return self._call("coalesce", value)

    def isna(self) -> Expr:
        """True where missing."""
        return self._call("is_missing")

    isnull = isna

    def notna(self) -> Expr:
        """True where not missing."""
        return self._call("not_missing")

    notnull = notna

    def isin(self, values: Any) -> Expr:
        """True where equal to one of ``values`` (a list, set, array or Series); missing equals missing here."""
        if isinstance(values, Mapping) or (is_scalar(values) and not isinstance(values, str | bytes)) or isinstance(values, Expr):
            raise ExpressionError.of_option("isin", "values", values, "a list of values")
        return self._call("isin", values=_hashable(listed(values)))

    def between(self, left: Any, right: Any, inclusive: str = "both") -> Expr:
        """True where ``left <= value <= right``; ``inclusive`` is both, neither, left or right."""
        if not isinstance(inclusive, str) or inclusive not in _INCLUSIVE:
            raise ArgumentError.of("between", "inclusive", inclusive, _INCLUSIVE)
        return self._call("between", left, right, inclusive=inclusive)

    def where(self, cond: Any, other: Any = None) -> Expr:
        """Values where ``cond`` is true, else ``other`` (missing by default)."""
        return when(cond).then(self).otherwise(other)

    def mask(self, cond: Any, other: Any = None) -> Expr:
        """Values where ``cond`` is not true, else ``other`` (missing by default)."""
        return when(cond).then(other).otherwise(self)

    def astype(self, dtype: Any, *, safe: bool = True) -> Expr:
        """Values in another dtype; what would lose information raises `LossyCast` unless ``safe=False``."""
        return Expr(Cast(self._tree, dtypes.dtype(dtype), safe), self._depth + 1)

    cast = astype

    def map(self, func: Any, *args: Any, **options: Any) -> Expr:
        """What a function of yours returns for each value; it is compiled. Arguments are those of `DataFrame.map_rows`.

        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2, None]})
        >>> df.assign(b=ff.col("a").map(lambda x: x * x) + 1)["b"].tolist()
        [2, 5, None]
        """
        from fastframe.frame.mapping import row_function

        call = row_function(func, args, options)
        if call.engine == "python" and call.out is None:
            raise RowFunctionError.undeclared(call.name)
        return Expr(Mapped(call, (self._tree,)), self._depth + 1)

    def sqrt(self) -> Expr:
        """Square root; of a negative number NaN."""
        return self._call("sqrt")

    def cbrt(self) -> Expr:
        """Cube root."""
        return self._call("cbrt")

    def exp(self) -> Expr:
        """``e ** x``."""
        return self._call("exp")

    def expm1(self) -> Expr:
        """``e ** x - 1``, exact near 0."""
        return self._call("expm1")

    def log(self) -> Expr:
        """Natural logarithm; of 0 -inf, of a negative number NaN."""
        return self._call("log")

    def log1p(self) -> Expr:
        """Natural logarithm of ``1 + x``, exact near 0."""
        return self._call("log1p")

    def log2(self) -> Expr:
        """Logarithm to base 2."""
        return self._call("log2")

    def log10(self) -> Expr:
        """Logarithm to base 10."""
        return self._call("log10")

    def sin(self) -> Expr:
        """Sine of radians. The other functions of this kind are NumPy's: ``np.arctan(ff.col("x"))``."""
        return self._call("sin")

    def cos(self) -> Expr:
        """Cosine of radians."""
        return self._call("cos")

    def tan(self) -> Expr:
        """Tangent of radians."""
        return self._call("tan")

    def tanh(self) -> Expr:
        """Hyperbolic tangent."""
        return self._call("tanh")

    @property
    def str(self) -> TextExpressions:
        """Functions of strings, for example ``ff.col("s").str.upper()``; those of `Series.str`."""
        from fastframe.frame.expression_accessors import TextExpressions

        return TextExpressions(self)

    @property
    def dt(self) -> TimeExpressions:
        """Parts and functions of dates, times and durations, for example ``ff.col("t").dt.year``; those of `Series.dt`."""
        from fastframe.frame.expression_accessors import TimeExpressions

        return TimeExpressions(self)


class Then(Expr):
    """``ff.when(...).then(...)``: missing where no condition holds, until `otherwise` says what else."""

    __slots__ = ("_arms",)

    def __init__(self, arms: Sequence[tuple[Expr, Expr]], other: Expr) -> None:
        tree = other._tree
        for condition, value in reversed(arms):
            tree = Call("if_else", (condition._tree, value._tree, tree))
        deepest = max(one._depth for one in (*(part for arm in arms for part in arm), other))
        super().__init__(tree, deepest + len(arms))
        self._arms = tuple(arms)

    def when(self, condition: Any) -> When:
        """Another condition, for the rows where the ones before do not hold."""
        return When(condition, self._arms)

    def otherwise(self, value: Any) -> Expr:
        """The value (or expression) of the rows where no condition holds.

        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 5, None]})
        >>> df.assign(size=ff.when(ff.col("a") > 3).then("large").otherwise("small"))["size"].tolist()
        ['small', 'large', 'small']
        """
        return Then(self._arms, _as_expression(value))


class When:
    """``ff.when(condition)``, before `then` says what holds there."""

    __slots__ = ("_arms", "_condition")

    def __init__(self, condition: Any, arms: Sequence[tuple[Expr, Expr]] = ()) -> None:
        self._condition, self._arms = _as_expression(condition), tuple(arms)

    def then(self, value: Any) -> Then:
        """The value (or expression) of the rows where the condition is true; a text is a text, not a column."""
        return Then((*self._arms, (self._condition, _as_expression(value))), lit(None))

    def __repr__(self) -> str:
        return f"when({self._condition!r}), to be followed by .then(...)"


def _as_expression(value: Any) -> Expr:
    return value if isinstance(value, Expr) else Expr(tree_of(value))


def _hashable(values: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        hash(values)
    except TypeError:
        raise ExpressionError.of_option("isin", "values", values, "a list of single values") from None
    return values


def col(name: str) -> Expr:
    """The column of that name in the frame that computes the expression.

    Parameters
    ----------
    name : str
        Of a column, not of row labels (use ``reset_index`` for those).

    Examples
    --------
    >>> import fastframe as ff
    >>> ff.col("a") * 2 - ff.col("b").mean()
    col('a') * 2 - col('b').mean()
    """
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise ExpressionError.of_name(name)
    return Expr(Col(str(name)))


def lit(value: Any, dtype: Any = None) -> Expr:
    """One value for all rows, where Python would not make an expression of it by itself.

    Parameters
    ----------
    value : scalar
    dtype : optional
        Of a plain value; without it, it takes the dtype of the column beside it where it fits.

    Examples
    --------
    >>> import fastframe as ff
    >>> ff.DataFrame({"a": [1, 2]}).assign(b=ff.lit(0, "int8")).dtypes.to_dict()["b"]
    int8
    """
    return Expr(tree_of(value) if dtype is None else Lit(value, dtypes.dtype(dtype)))


def when(condition: Any) -> When:
    """The start of a choice: ``ff.when(condition).then(value).otherwise(other)``; several ``when`` are asked in turn.

    Where the condition is missing, it does not hold. Without ``otherwise`` the rest is missing.

    Examples
    --------
    >>> import fastframe as ff
    >>> ff.when(ff.col("a") > 3).then(ff.col("a")).otherwise(0)
    when(col('a') > 3).then(col('a')).otherwise(0)
    """
    return When(condition)


def is_expression(value: Any) -> bool:
    """Whether a value is an `Expr`, which a frame has to compute."""
    return isinstance(value, Expr)


def refuse_expression(owner: Frame, value: Any) -> None:
    """Raise `ExpressionError` for an expression where values are needed."""
    if isinstance(value, Expr):
        raise ExpressionError.of_operand(type(owner).__name__, repr(value))
