"""`Filter`, `Take`, `Sort`: the same columns, other rows."""

from __future__ import annotations

from fastframe.dtypes import DType, Kind
from fastframe.errors import DTypeError
from fastframe.ops.base import Schema, Spec, require
from fastframe.ops.expressions import Expression
from fastframe.records import record


@record(frozen=True, eq=False, repr=False)
class Filter(Spec):
    """The rows where a bool expression is true (missing counts as false), in their order.

    The predicate reads the second input where there is one: a table of as many rows that is not part of the result.
    """

    predicate: Expression

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        found = self.predicate.resolve(schemas[-1])
        if found.kind is not Kind.BOOL:
            raise DTypeError.not_a_mask(found)
        return dict(schemas[0])


@record(frozen=True, eq=False, repr=False)
class Take(Spec):
    """Rows by position.

    Parameters
    ----------
    start, stop, step : int
        A normalised Python range of rows, used where there is one input.
    missing : bool
        With a second input, whose first column has int32 row numbers: whether it may hold -1, which gives null.
    """

    start: int = 0
    stop: int = 0
    step: int = 1
    missing: bool = False

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        return dict(schemas[0])


@record(frozen=True, eq=False, repr=False)
class Sort(Spec):
    """Rows in the order of key columns; stable; missing keys last (or first) in both directions.

    ``limit`` keeps only so many of the first rows of that order.
    """

    by: tuple[str, ...]
    descending: tuple[bool, ...]
    nulls_first: bool = False
    limit: int | None = None

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        (schema,) = schemas
        require(self.by, schema)
        for name in self.by:
            if schema[name].kind in (Kind.NESTED, Kind.OTHER):
                raise DTypeError.of_operation("sorting", schema[name], name)
        return dict(schema)
