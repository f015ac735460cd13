"""`Project`: new columns computed row by row, and `Put`: some values of a column replaced."""

from __future__ import annotations

from fastframe.dtypes import DType
from fastframe.ops.base import Schema, Spec, require, unique
from fastframe.ops.expressions import Expression
from fastframe.records import record


@record(frozen=True, eq=False, repr=False)
class Project(Spec):
    """Columns computed from expressions over one table.

    Parameters
    ----------
    outputs : tuple of (name, Expression)
        In result order. A plain ``Col`` shares the column.
    keep : bool
        Keep all input columns; an output then replaces the column of its name in place, or comes at the end.
    deferred : bool
        Columns may be computed when they are first looked at, and raise then what computing them raises: for whoever only
        aggregates them, and lets none of them out.
    """

    outputs: tuple[tuple[str, Expression], ...]
    keep: bool = False
    deferred: bool = False

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        (schema,) = schemas
        if len(self.outputs) > 1:
            unique(name for name, _ in self.outputs)
        computed = {name: expression.resolve(schema) for name, expression in self.outputs}
        return {**schema, **computed} if self.keep else computed


@record(frozen=True, eq=False, repr=False)
class Put(Spec):
    """Replace values of one column at given rows.

    The second input has the column ``row``: the targets as int32 row numbers, each at most once, or as a bool for each row.
    The third has the column ``value``: one per target in their order, or one for all, of the target column's dtype, which
    never changes.
    """

    column: str

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        schema, rows, values = schemas
        require([self.column], schema)
        require(["row"], rows)
        require(["value"], values)
        return dict(schema)
