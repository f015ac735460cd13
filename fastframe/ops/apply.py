"""`Apply` and `WindowApply`: a user's own function, called on each group's values, or on the window of each row."""

from __future__ import annotations

from typing import Any

from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError, FunctionArgumentError
from fastframe.ops.base import Schema, Spec, Value, require
from fastframe.ops.groups import check_keys
from fastframe.ops.rolling import Span
from fastframe.records import record

NULLS = ("skip", "mask", "nan")
ENGINES = ("numba", "python", "python-processes")
RESULT = "\2"   # before the names of results, which may be called as keys are; alone where a result has no name


@record(frozen=True, eq=False, repr=False)
class FunctionCall(Value):
    """A function and what it gets.

    Parameters
    ----------
    function : callable
    columns : tuple of str
        One array each, by position.
    extras : tuple
        Arguments after the arrays, by position; ``keywords`` are pairs of those that go by name.
    nulls : str
        ``"skip"``: only rows where all columns have a value. ``"mask"``: all rows, and after the arrays as many of bools.
        ``"nan"``: all rows, NaN where a value is missing.
    engine : str
        ``"numba"``, ``"python"`` (threads) or ``"python-processes"``.
    """

    function: Any
    columns: tuple[str, ...]
    extras: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    nulls: str = "skip"
    engine: str = "numba"

    def __post_init__(self) -> None:
        if self.nulls not in NULLS:
            raise ArgumentError.of("a function of your own", "nulls", self.nulls, NULLS)
        if self.engine not in ENGINES:
            raise ArgumentError.of("a function of your own", "engine", self.engine, ENGINES)

    @property
    def name(self) -> str:
        """What messages call the function."""
        return "the lambda" if self.label == "<lambda>" else f"{self.label}()"

    @property
    def label(self) -> str:
        """The function's own name."""
        return str(getattr(self.function, "__name__", None) or type(self.function).__name__)


@record(frozen=True, eq=False, repr=False)
class Apply(Spec):
    """Results of a function by group.

    Results per group come after the key columns, one row per group; results per row come alone, one per row of the input.

    Parameters
    ----------
    keys : tuple of str
        As in `GroupBy`, with ``sort`` and ``dropna``; ``shown`` is what users call them.
    call : FunctionCall
    result : str
        ``"agg"``: per group. ``"transform"``: per row. ``"apply"``: as the function returns.
    out : tuple of pairs, optional
        Names (None: the single result's) and dtypes that the results must have.
    """

    keys: tuple[str, ...]
    call: FunctionCall
    result: str = "apply"
    out: tuple[tuple[str | None, DType], ...] | None = None
    sort: bool | None = True
    dropna: bool = True
    shown: tuple[str | None, ...] = ()

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        """The keys' part of the schema: results are typed by compiling, while the groups are found."""
        (schema,) = schemas
        check_keys(self.keys, schema)
        _check_columns(self.call, schema)
        return {key: schema[key] for key in self.keys}


@record(frozen=True, eq=False, repr=False)
class WindowApply(Spec):
    """Results of a function of the windows that ``span`` says, one row per row: in row order, or by group, rows in no group left out.

    Parameters
    ----------
    keys : tuple of str
        Empty without groups; else as in `GroupBy`, with ``sort`` and ``dropna``; ``shown`` is what users call them.
    call : FunctionCall
        With ``nulls="skip"`` windows have present values only. The function is not called where a window has fewer rows
        with values than ``span.min_periods``, or nothing to give.
    out : tuple of pairs, optional
        As in `Apply`.
    carried : tuple of str
        Columns that come out before the results.
    labels : tuple of pairs
        ``(name that users see, column)`` of the labels that messages name rows by.
    """

    keys: tuple[str, ...]
    call: FunctionCall
    span: Span
    out: tuple[tuple[str | None, DType], ...] | None = None
    carried: tuple[str, ...] = ()
    labels: tuple[tuple[str | None, str], ...] = ()
    sort: bool | None = True
    dropna: bool = True
    shown: tuple[str | None, ...] = ()
    result = "window"

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        """The part of the schema that is carried along: results are typed by compiling."""
        (schema,) = schemas
        check_keys(self.keys, schema)
        require(self.carried, schema)
        _check_columns(self.call, schema)
        return {name: schema[name] for name in self.carried}


def _check_columns(call: FunctionCall, schema: Schema) -> None:
    require(call.columns, schema)
    if call.nulls == "nan":
        for name in call.columns:
            if schema[name].kind is not Kind.FLOAT:
                raise FunctionArgumentError.not_nan(name, schema[name])
