"""`ff.jit`: say beforehand how a function is to be compiled, and compile it ahead of time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, get_args, overload

from fastframe._jit.function import Nulls, UserFunction
from fastframe.dtypes import DType, dtype
from fastframe.errors import ArgumentError, JITError


class JitFunction:
    """A function marked by `jit`: pass it to ``transform``, ``agg``, ``apply``, ``map_rows`` ... Called itself, it is plain Python."""

    def __init__(self, function: UserFunction) -> None:
        self.__fastframe_function__ = function
        functools.update_wrapper(self, function.function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__fastframe_function__.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<fastframe.jit of {self.__fastframe_function__.name}>"

    def compile(self, schema: Any, *, rows: bool = False, **arguments: Any) -> Self:
        """Compile now for columns of these dtypes, so that the first call does not have to.

        Parameters
        ----------
        schema : DataFrame, or mapping of column names to dtypes
            Columns go to parameters of the same names; where no parameter is called like a column, in order.
        rows : bool
            For functions of single rows (``map_rows``, ``Series.map``), which take scalars.
        **arguments
            Examples of the function's other arguments: only their types count. Those with defaults can be left out.

        Returns
        -------
        The function itself.

        Raises
        ------
        JITError
            It cannot be compiled for these dtypes; the message shows the line and the reason.

        Examples
        --------
        >>> import fastframe as ff
        >>> @ff.jit
        ... def spread(price):
        ...     return price.max() - price.min()
        >>> spread.compile({"price": "float64"})
        <fastframe.jit of spread()>
        """
        from fastframe._jit.kernel import compile_rows, compile_runs

        function = self.__fastframe_function__
        columns = _columns(function, schema)
        masks = function.nulls == "mask"
        extras = function.bind(len(columns) * (1 + masks), (), arguments)
        (compile_rows if rows else compile_runs)(function, columns, masks=masks, extras=extras)
        return self


def _columns(function: UserFunction, schema: Any) -> list[DType]:
    """The dtypes of the parameters that take columns."""
    dtypes = getattr(schema, "dtypes", schema)
    if not hasattr(dtypes, "items"):
        raise ArgumentError.of("compile", "schema", schema, ["a DataFrame", "a mapping of column names to dtypes"])
    given: Mapping[str, DType] = {name: dtype(one) for name, one in dtypes.items()}
    named = [name for name in function.parameters if name in given]
    if named and list(function.parameters[: len(named)]) != named:
        first = next(name for name in function.parameters if name not in given)
        raise JITError.parameter_order(function.name, first, named)
    return [given[name] for name in named] or list(given.values())


@overload
def jit(function: Callable[..., Any]) -> JitFunction: ...
@overload
def jit(function: None = None, *, nulls: Nulls | None = None, out: Any = None) -> Callable[[Callable[..., Any]], JitFunction]: ...


def jit(function: Any = None, *, nulls: Nulls | None = None, out: Any = None) -> Any:
    """Mark a function to be compiled, and say how it takes nulls and what it returns.

    Any plain function can be passed to ``transform``, ``agg``, ``apply`` ... as it is; this fixes the settings with the
    function, and lets it be compiled ahead of time. A function that ``numba.njit`` has decorated keeps its options.

    Parameters
    ----------
    function : function
        Of one NumPy array per column (of one scalar per column, for rows), then of any other arguments.
    nulls : {"skip", "mask", "nan"}, optional
        What the function sees of rows with a missing value: nothing; a bool array per column that is True where a value is
        present; NaN (floats only). ``"skip"`` where neither this nor the call says.
    out : dtype, or mapping of result names to dtypes, optional
        The result's dtype. A type that cannot hold all that the function returns is refused.

    Returns
    -------
    JitFunction
        With `compile`; called, it is the plain function.

    Raises
    ------
    JITError
        It is not a Python function, or one that can never be compiled.

    Examples
    --------
    >>> import fastframe as ff
    >>> @ff.jit(out="float64")
    ... def halved(x):
    ...     return x / 2
    >>> halved(3)
    1.5
    """
    if nulls is not None and nulls not in get_args(Nulls):
        raise ArgumentError.of("jit", "nulls", nulls, list(get_args(Nulls)))
    if function is None:
        return functools.partial(jit, nulls=nulls, out=out)
    marked = UserFunction.of(function)
    declared = {name: dtype(one) for name, one in out.items()} if isinstance(out, Mapping) else None if out is None else dtype(out)
    return JitFunction(replace(marked, nulls=nulls or marked.nulls, out=declared if out is not None else marked.out))
