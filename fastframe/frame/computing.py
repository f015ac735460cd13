"""Computing expressions over a table: first the aggregations inside them, innermost first, then everything by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastframe.column import Column, Table
from fastframe.column.arrow import array_to_arrow
from fastframe.dtypes import Kind
from fastframe.errors import DTypeError
from fastframe.frame.expression import Expr
from fastframe.frame.run import run
from fastframe.ops.aggregated import Aggregated, innermost, replaced
from fastframe.ops.expressions import Col, Expression, Lit
from fastframe.ops.groups import Output, Reduce
from fastframe.ops.project import Project
from fastframe.ops.rows import Filter

_ARGUMENT = "\1argument{}"   # names of what is aggregated but is no column
_RESULT = "result{}"


def computed(table: Table, expressions: Mapping[str, Expr]) -> dict[str, Column]:
    """A column per expression, over the rows of a table.

    Raises
    ------
    ColumnNotFound, DTypeError, ArgumentError
        Before any work.
    IntegerOverflow, LossyCast
    """
    trees = without_aggregations(table, [one._tree for one in expressions.values()])
    return run(Project(tuple(zip(expressions, trees, strict=True))), table).columns


def computed_column(table: Table, expression: Expr) -> Column:
    """One expression, one value per row."""
    return computed(table, {"value": expression})["value"]


def computed_value(table: Table, expression: Expr) -> Any:
    """The one value of an expression that reads no column by row, as Python knows it."""
    return array_to_arrow(computed_row(table, {"value": expression})["value"])[0].as_py()


def computed_row(table: Table, expressions: Mapping[str, Expr]) -> Table:
    """Expressions that read no column by row, as columns of one row."""
    trees = without_aggregations(table, [one._tree for one in expressions.values()])
    return run(Project(tuple(zip(expressions, trees, strict=True))), Table.of({}, 1))


def filtered(table: Table, condition: Expr) -> Table:
    """The rows where a condition is true, labels included."""
    (tree,) = without_aggregations(table, [condition._tree])
    return run(Filter(tree), table)


def mask_of(table: Table, condition: Expr) -> Column:
    """A condition as a mask.

    Raises
    ------
    DTypeError
        It is not of dtype bool.
    """
    mask = computed_column(table, condition)
    if mask.dtype.kind is not Kind.BOOL:
        raise DTypeError.not_a_mask(mask.dtype)
    return mask


def in_batches(columns: Iterable[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """Names and values as runs of expressions none of which needs what another one makes; anything else by itself."""
    batch: dict[str, Any] = {}
    for name, value in columns:
        deferred = isinstance(value, Expr)
        if batch and not (deferred and name not in batch and batch.keys().isdisjoint(value._tree.names())):
            yield batch
            batch = {}
        if deferred:
            batch[name] = value
        else:
            yield {name: value}
    if batch:
        yield batch


def without_aggregations(table: Table, trees: Sequence[Expression]) -> list[Expression]:
    """The trees with the value of each aggregation in its place; all of them are typed before any work."""
    for tree in trees:
        tree.resolve(table.schema)
    trees = list(trees)
    while found := innermost(trees):
        values = _reduced(table, found)
        trees = [replaced(tree, values) for tree in trees]
    return trees


def _reduced(table: Table, found: Sequence[Aggregated]) -> dict[Expression, Expression]:
    """The value of each aggregation over all rows, by one `Reduce`."""
    table, columns = with_arguments(table, found)
    outputs = tuple([Output(_RESULT.format(n), column, one.call) for n, (one, column) in enumerate(zip(found, columns, strict=True))])
    row = run(Reduce(outputs), table)
    return {one: Lit(row[output.name]) for one, output in zip(found, outputs, strict=True)}


def with_arguments(table: Table, found: Sequence[Aggregated]) -> tuple[Table, list[str]]:
    """The table with what is aggregated as columns, computed in one step, and the name of each."""
    names: dict[Expression, str] = {}
    for one in found:
        if one.arg not in names:
            names[one.arg] = one.arg.name if isinstance(one.arg, Col) else _ARGUMENT.format(len(names))
    made = tuple([(name, arg) for arg, name in names.items() if not isinstance(arg, Col)])
    if made:
        table = table.with_columns(run(Project(made, deferred=True), table).columns)
    return table, [names[one.arg] for one in found]
