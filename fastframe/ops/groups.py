"""`GroupBy`, `Window`, `Reduce`, `TopK`: aggregations and functions of a row's neighbours, by group or over all rows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError, DTypeError
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.base import Schema, Spec, Value, require, unique
from fastframe.ops.decay import Decay, DecayCall
from fastframe.ops.rolling import RollingCall, Span
from fastframe.ops.windows import WindowCall
from fastframe.records import record


@record(frozen=True, eq=False, repr=False)
class Output(Value):
    """One result column: ``name`` = ``call`` of ``column`` (None where the call counts rows), or of it and ``other``."""

    name: str
    column: str | None
    call: AggregationCall | WindowCall | RollingCall | DecayCall
    other: str | None = None

    def resolve(self, schema: Schema) -> DType:
        for one in (self.column, self.other):
            if one is not None and one not in schema:
                require([one], schema)
        self._check_pair()
        given = schema[self.column] if self.column is not None else None
        if self.other is not None:
            self.call.resolve(schema[self.other], self.other)
        return self.call.resolve(given, self.named_call.options["name"])

    def _check_pair(self) -> None:
        needs_other = (isinstance(self.call, AggregationCall) and self.call.aggregation.needs_other) or (
            isinstance(self.call, RollingCall | DecayCall) and self.call.function.needs_other
        )
        if needs_other and self.other is None:
            raise ArgumentError.because(self.call.name, "it needs two columns", f"Write name=(('x', 'y'), {self.call.name!r}).")
        if self.other is not None and not needs_other:
            raise ArgumentError.because(self.call.name, "it takes one column, not two", f"Write name=('x', {self.call.name!r}).")

    @cached_property
    def named_call(self) -> Any:
        """The call, knowing what messages call its column: its option ``name``, else the column's name in the table."""
        if self.column is None or self.call.options["name"] is not None:
            return self.call
        return type(self.call)(self.call.name, {**self.call.options, "name": self.column})


def check_keys(keys: Iterable[str], schema: Schema) -> None:
    """Raise `DTypeError` for keys of dtypes that cannot be grouped."""
    require(keys, schema)
    for key in keys:
        if schema[key].kind in (Kind.NESTED, Kind.OTHER):
            raise DTypeError.of_operation("grouping", schema[key], key, "scalar dtypes")


@record(frozen=True, eq=False, repr=False)
class GroupBy(Spec):
    """One row per group: the key columns, then the outputs.

    Parameters
    ----------
    keys : tuple of str
        Missing keys (null or NaN) are one group, sorted last; ``dropna`` leaves it out.
    sort : bool or None
        Order of the groups: by key, by first appearance (False), or any that is deterministic (None).
    """

    keys: tuple[str, ...]
    outputs: tuple[Output, ...]
    sort: bool | None = True
    dropna: bool = True

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        (schema,) = schemas
        check_keys(self.keys, schema)
        unique([*self.keys, *(output.name for output in self.outputs)], "Name the aggregations: agg(total=('x', 'sum')).")
        return {key: schema[key] for key in self.keys} | {output.name: output.resolve(schema) for output in self.outputs}


@record(frozen=True, eq=False, repr=False)
class Window(Spec):
    """One value per row, from the rows of its group in row order; only the outputs come out.

    An `AggregationCall` gives every row the aggregate of its group. Without keys all rows are one group. Rows whose key
    is missing are in no group when ``dropna``: their result is missing. ``sort`` (as in `GroupBy`) matters to ``ngroup`` only.

    With a ``span``, outputs are functions of the windows of rows that it says. They come out in group order (groups as ``sort``
    says, each in row order; rows in no group are left out), after the columns ``carried`` along.
    """

    keys: tuple[str, ...]
    outputs: tuple[Output, ...]
    dropna: bool = True
    sort: bool | None = None
    span: Span | Decay | None = None
    carried: tuple[str, ...] = ()

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        (schema,) = schemas
        check_keys(self.keys, schema)
        unique([*self.carried, *(output.name for output in self.outputs)])
        require(self.carried, schema)
        return {name: schema[name] for name in self.carried} | {output.name: output.resolve(schema) for output in self.outputs}


@record(frozen=True, eq=False, repr=False)
class Reduce(Spec):
    """One row: aggregates over all rows."""

    outputs: tuple[Output, ...]

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        (schema,) = schemas
        if len(self.outputs) > 1:
            unique(output.name for output in self.outputs)
        return {output.name: output.resolve(schema) for output in self.outputs}


@record(frozen=True, eq=False, repr=False)
class TopK(Spec):
    """The rows of the ``k`` largest (or smallest) values of ``column`` in each group.

    Groups in the order that ``sort`` says (as in `GroupBy`), values best first, equal values in row order; missing values
    are left out. The columns are those of the input.
    """

    keys: tuple[str, ...]
    column: str
    k: int
    largest: bool = True
    sort: bool | None = True
    dropna: bool = True

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        (schema,) = schemas
        check_keys(self.keys, schema)
        require([self.column], schema)
        if schema[self.column].kind in (Kind.NESTED, Kind.OTHER):
            raise DTypeError.of_operation("ranking", schema[self.column], self.column)
        return dict(schema)
