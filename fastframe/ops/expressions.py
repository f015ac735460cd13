"""Expressions: trees over the columns of one table, as frozen values that can be typed before any work is done.

>>> from fastframe.dtypes import dtype
>>> expression = Call("add", (Call("mul", (Col("a"), Lit(2))), Col("b")))
>>> expression, expression.names(), expression.resolve({"a": dtype("int32"), "b": dtype("float64")})
(((col('a') mul 2) add col('b')), ('a', 'b'), float64)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from fastframe import dtypes
from fastframe.dtypes import DType
from fastframe.errors import ColumnNotFound, ShapeError
from fastframe.ops.casts import resolve_cast
from fastframe.ops.function import Function
from fastframe.ops.functions import function
from fastframe.ops.literals import is_weak, literal
from fastframe.records import record

Schema = Mapping[str, DType]
_NO_OPTIONS: Mapping[str, Any] = {}


class Expression(ABC):
    """A value per row of a table, or one value for all rows."""

    aggregates: ClassVar[bool | None] = None   # of each expression whether an aggregation is in it, once that was asked

    @abstractmethod
    def resolve(self, schema: Schema) -> DType:
        """The dtype of the result for columns of these dtypes.

        Raises
        ------
        ColumnNotFound, DTypeError, LossyCast, ArgumentError
        """

    def children(self) -> tuple[Expression, ...]:
        """The expressions that this one is made of."""
        return ()

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        """The same expression of other expressions, as many as `children`."""
        return self

    def names(self) -> tuple[str, ...]:
        """The columns that are read, each once, in order of first use."""
        return tuple(dict.fromkeys(self._all_names()))

    def _all_names(self) -> Iterator[str]:
        for child in self.children():
            yield from child._all_names()


@record(frozen=True, repr=False)
class Col(Expression):
    """A column by name."""

    name: str

    def __repr__(self) -> str:
        return f"col({self.name!r})"

    def resolve(self, schema: Schema) -> DType:
        try:
            return schema[self.name]
        except KeyError:
            raise ColumnNotFound.among(self.name, [name for name in schema if not name.startswith("\0")]) from None

    def _all_names(self) -> Iterator[str]:
        yield self.name


@record(frozen=True, repr=False)
class Lit(Expression):
    """One value for all rows.

    Parameters
    ----------
    value : scalar or Column
        A Python, NumPy, Arrow or pandas scalar, or a `Column` of one row (what ``Reduce`` computed). A plain Python value
        takes the dtype of the column beside it where it fits; the others keep theirs.
    dtype : DType, optional
        Gives a Python value this dtype instead.
    """

    value: Any
    dtype: DType | None = None

    def __repr__(self) -> str:
        return repr(self.value) if self.dtype is None else f"lit({self.value!r}, {self.dtype})"

    def __hash__(self) -> int:
        return hash((type(self.value), self.value, self.dtype))

    def __eq__(self, other: object) -> bool:
        """Same type and value: ``Lit(1)``, ``Lit(True)`` and ``Lit(1.0)`` differ."""
        if not isinstance(other, Lit) or type(self.value) is not type(other.value) or self.dtype != other.dtype:
            return False
        return self.value is other.value or bool(self.value == other.value)

    @property
    def weak(self) -> bool:
        """Whether the dtype is taken from the column beside it."""
        return self.dtype is None and is_weak(self.value)

    def scalar(self, anchor: DType | None = None, *, exact: bool = False) -> pa.Scalar:
        """The value as an Arrow scalar, typed beside ``anchor`` where it is weak."""
        return literal(self.value, self.dtype, anchor if self.weak else None, exact=exact)

    def resolve(self, schema: Schema) -> DType:
        if hasattr(self.value, "validity_view"):   # a Column
            if len(self.value) != 1:
                raise ShapeError.scalar_needed(len(self.value))
            column_dtype: DType = self.value.dtype
            return column_dtype
        return dtypes.from_arrow(self.scalar().type)


class Bound(NamedTuple):
    """A call whose arguments' dtypes are known.

    ``options`` are all of the function's; ``scalars`` has for each argument that is a weak literal its typed value, None
    for the others; ``dtype`` is the result's,
    ``read`` are the names and dtypes of the columns that it depends on.
    """

    row: Function
    options: Mapping[str, Any]
    scalars: tuple[pa.Scalar | None, ...]
    dtype: DType
    read: tuple[tuple[str, DType], ...]


@record(frozen=True, repr=False)
class Call(Expression):
    """A function of ``ops/functions.py`` applied to arguments.

    Parameters
    ----------
    function : str
        Name of a row of the table.
    args : tuple of Expression
    options : tuple of (name, value)
        What does not vary by row, hashable.
    """

    function: str
    args: tuple[Expression, ...]
    options: tuple[tuple[str, Any], ...] = ()

    _bound: ClassVar[Bound | None] = None   # of each call its last `bound`

    def __repr__(self) -> str:
        named = [f"{name}={value!r}" for name, value in self.options]
        if len(self.args) == 2 and not named:
            return f"({self.args[0]!r} {self.function} {self.args[1]!r})"
        return f"{self.function}({', '.join([repr(arg) for arg in self.args] + named)})"

    def children(self) -> tuple[Expression, ...]:
        return self.args

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Call(self.function, children, self.options)

    @cached_property
    def option_values(self) -> dict[str, Any]:
        """All options of the function: those given, and the defaults of the rest."""
        return function(self.function).fill_options(dict(self.options))

    def anchor(self, schema: Schema) -> DType | None:
        """The dtype that weak literals among the arguments are typed beside; None where all are literals."""
        found: DType | None = None
        for arg in self.args[function(self.function).anchors_from :]:
            if isinstance(arg, Lit) and arg.weak:
                continue
            one = arg.resolve(schema)
            found = one if found is None else dtypes.common(found, one) or found
        return found

    def bound(self, schema: Schema) -> Bound:
        """This call typed for columns of these dtypes; remembered for the dtypes of the columns that are read.

        Raises
        ------
        ColumnNotFound, DTypeError, LossyCast, ArgumentError
        """
        known = self._bound
        if known is not None:
            for name, dtype in known.read:
                if schema.get(name) is not dtype:
                    break
            else:
                return known
        found = self._bind(schema)
        object.__setattr__(self, "_bound", found)
        return found

    def _bind(self, schema: Schema) -> Bound:
        row = function(self.function)
        row.check_arity(len(self.args))
        weak = [isinstance(arg, Lit) and arg.weak for arg in self.args]
        anchor = self.anchor(schema) if any(weak) else None
        scalars = tuple(
            arg.scalar(anchor if place >= row.anchors_from else None, exact=row.exact) if isinstance(arg, Lit) and weak[place] else None
            for place, arg in enumerate(self.args)
        )
        given = [
            dtypes.from_arrow(scalar.type) if scalar is not None else arg.resolve(schema) for arg, scalar in zip(self.args, scalars, strict=True)
        ]
        options = self.option_values if row.options or self.options else _NO_OPTIONS
        result = row.result(row.name, given, options)
        return Bound(row, options, scalars, result, tuple([(name, schema[name]) for name in self.names()]))

    def resolve(self, schema: Schema) -> DType:
        return self.bound(schema).dtype


@record(frozen=True, repr=False)
class Cast(Expression):
    """An argument converted to a dtype; ``safe`` raises `LossyCast` where a value would change."""

    arg: Expression
    dtype: DType
    safe: bool = True

    def __repr__(self) -> str:
        return f"cast({self.arg!r}, {self.dtype}{'' if self.safe else ', safe=False'})"

    def children(self) -> tuple[Expression, ...]:
        return (self.arg,)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Cast(children[0], self.dtype, self.safe)

    def resolve(self, schema: Schema) -> DType:
        return resolve_cast(self.arg.resolve(schema), self.dtype)
