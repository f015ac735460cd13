"""`Mapped`: a user's function of single rows as an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastframe import dtypes
from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError, RowFunctionError
from fastframe.ops.base import Value
from fastframe.ops.expressions import Expression, Schema
from fastframe.records import record

NULLS = ("skip", "mask", "nan")
ENGINES = ("numba", "python")
CODED = (Kind.STRING, Kind.CATEGORY)   # compiled functions get codes, and what they stand for


@record(frozen=True, eq=False, repr=False)
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
    found : pairs of name and dtype, optional
        What it returns for text and categories, where that was found by their values already.
    """

    function: Any
    extras: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    nulls: str = "skip"
    engine: str = "numba"
    out: DType | tuple[tuple[str, DType], ...] | None = None
    found: tuple[tuple[str | None, DType], ...] | None = None

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

    def kernel(self, columns: Sequence[DType], dictionaries: Sequence[Any] = ()) -> Any:
        """The compiled kernel for columns of these dtypes, and the arguments behind them; compiled once, then at hand.

        Parameters
        ----------
        dictionaries : sequence of pyarrow.Array
            What the codes of text and categories stand for, in order.

        Raises
        ------
        JITError, RowFunctionError
        """
        from fastframe._jit.arguments import Codes, lookup_of
        from fastframe._jit.function import UserFunction
        from fastframe._jit.kernel import compile_rows

        function = UserFunction.of(self.function)
        if self.out is not None:
            function = replace(function, out=self.out if isinstance(self.out, DType) else dict(self.out))
        masks = self.nulls == "mask"
        lookups = [lookup_of(one, self.name) for one in dictionaries]
        n_values = len(columns) * (1 + masks)
        encoded = [one for one in columns if one.kind in CODED]
        if lookups and len(function.parameters) - len(self.extras) - len(self.keywords) < n_values + len(lookups):
            raise RowFunctionError.no_values(self.name, encoded[0])
        extras = function.bind(n_values, (*lookups, *self.extras), dict(self.keywords))
        arrays = iter(lookups)
        kinds = [Codes(next(arrays).dtype) if one.kind in CODED else one for one in columns]
        return compile_rows(function, kinds, masks=masks, extras=extras), extras

    def check(self, columns: Sequence[DType]) -> None:
        """Raise `RowFunctionError` where ``nulls="nan"`` or the engine cannot take columns of these dtypes."""
        for position, one in enumerate(columns):
            if self.nulls == "nan" and one.kind is not Kind.FLOAT:
                raise RowFunctionError.not_nan(f"its argument {position + 1}", one)
            if self.engine == "numba" and one.kind is Kind.BINARY:
                raise RowFunctionError.no_binary(self.name, one)

    def results(self, columns: Sequence[DType]) -> list[tuple[str | None, DType]]:
        """Names (None: without one) and dtypes of what it returns for columns of these dtypes.

        With ``engine="python"`` and nothing declared, the dtype is only known with the values: it is null's until then.

        Raises
        ------
        JITError, RowFunctionError
        """
        self.check(columns)
        if self.engine == "python":
            return self.declared or [(None, dtypes.NULL)]
        if self.found is not None:
            return list(self.found)
        for one in columns:
            if one.kind in CODED:
                if self.declared is None:
                    raise RowFunctionError.unknown_result(self.name, one)
                return self.declared
        kernel, _ = self.kernel(columns)
        return [(one.name, one.dtype) for one in kernel.results]


@record(frozen=True, eq=False, repr=False)
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
