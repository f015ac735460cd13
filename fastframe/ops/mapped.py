"""`Mapped`: a user's function of single rows as an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastframe import dtypes
from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError, RowFunctionError
from fastframe.ops.base import Value
from fastframe.ops.expressions import Expression, Schema

NULLS = ("skip", "mask", "nan")
ENGINES = ("numba", "python")


@dataclass(frozen=True, eq=False, repr=False)
class RowFunction:
    """A function of one value per column, and how it is called; equal only to itself.

    Parameters
    ----------
    function : callable
    extras : tuple
        Arguments after the columns' values; ``keywords`` go by name.
    nulls : str
        ``"skip"``: not called where a column is missing, the result is null. ``"mask"``: called for all rows, with as many
        bools behind the values, True where one is present. ``"nan"``: called for all rows, NaN where missing; floats only.
    engine : str
        ``"numba"`` compiles it; ``"python"`` calls it.
    out : dtype, or pairs of name and dtype, optional
        What it has to return.
    """

    function: Any
    extras: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    nulls: str = "skip"
    engine: str = "numba"
    out: DType | tuple[tuple[str, DType], ...] | None = None

    def __post_init__(self) -> None:
        if self.nulls not in NULLS:
            raise ArgumentError.of("a function of rows", "nulls", self.nulls, NULLS)
        if self.engine not in ENGINES:
            raise ArgumentError.of("a function of rows", "engine", self.engine, ENGINES)

    @property
    def name(self) -> str:
        """What messages call the function."""
        name = getattr(self.function, "__name__", None) or type(self.function).__name__
        return "the lambda" if name == "<lambda>" else f"{name}()"

    @property
    def declared(self) -> list[tuple[str | None, DType]] | None:
        """Names (None: of the single result) and dtypes that were declared."""
        if self.out is None:
            return None
        return [(None, self.out)] if isinstance(self.out, DType) else list(self.out)

    def kernel(self, columns: Sequence[DType]) -> Any:
        """The compiled kernel for columns of these dtypes; compiled once, then at hand.

        Raises
        ------
        JITError
        """
        from fastframe._jit.function import UserFunction
        from fastframe._jit.kernel import compile_rows

        function = UserFunction.of(self.function)
        if self.out is not None:
            function = replace(function, out=self.out if isinstance(self.out, DType) else dict(self.out))
        masks = self.nulls == "mask"
        extras = function.bind(len(columns) * (1 + masks), self.extras, dict(self.keywords))
        return compile_rows(function, columns, masks=masks, extras=extras), extras

    def results(self, columns: Sequence[DType]) -> list[tuple[str | None, DType]]:
        """Names (None: without one) and dtypes of what it returns for columns of these dtypes.

        With ``engine="python"`` and nothing declared, the dtype is only known with the values: it is null's until then.

        Raises
        ------
        JITError, RowFunctionError
        """
        if self.nulls == "nan":
            for position, one in enumerate(columns):
                if one.kind is not Kind.FLOAT:
                    raise RowFunctionError.not_nan(f"its argument {position + 1}", one)
        if self.engine == "python":
            return self.declared or [(None, dtypes.NULL)]
        for one in columns:
            if one.kind in (Kind.STRING, Kind.BINARY, Kind.CATEGORY):
                raise RowFunctionError.no_values(self.name, one)
        kernel, _ = self.kernel(columns)
        return [(one.name, one.dtype) for one in kernel.results]


@dataclass(frozen=True, eq=False, repr=False)
class Mapped(Value, Expression):
    """Result ``place`` of a function of the values of some expressions, row by row."""

    call: RowFunction
    args: tuple[Expression, ...]
    place: int = 0

    def __repr__(self) -> str:
        return f"{self.call.name.removesuffix('()')}({', '.join(map(repr, self.args))})"

    def children(self) -> tuple[Expression, ...]:
        return self.args

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Mapped(self.call, children, self.place)

    def resolve(self, schema: Schema) -> DType:
        return self.call.results([arg.resolve(schema) for arg in self.args])[self.place][1]


def declared_out(out: Any) -> DType | tuple[tuple[str, DType], ...] | None:
    """What a user declares by ``out=``: nothing, a dtype, or names and dtypes."""
    if out is None:
        return None
    if isinstance(out, Mapping):
        return tuple((str(name), dtypes.dtype(one)) for name, one in out.items())
    return dtypes.dtype(out)
