"""Expressions in ``agg``: by row first, then by group (or over all rows), then over the groups' values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastframe.column import Column, Table
from fastframe.errors import ExpressionError
from fastframe.frame.computing import computed_row, with_arguments
from fastframe.frame.expression import Expr
from fastframe.frame.labels import default_labels, with_labels
from fastframe.frame.run import run
from fastframe.ops.aggregated import Aggregated, has_aggregation, innermost, outermost, replaced
from fastframe.ops.base import unique
from fastframe.ops.expressions import Col, Expression
from fastframe.ops.groups import GroupBy as GroupBySpec
from fastframe.ops.groups import Output, Window
from fastframe.ops.project import Project

if TYPE_CHECKING:
    from fastframe.frame.dataframe import DataFrame
    from fastframe.frame.groupby import GroupBy

_PART = "\1part{}"       # aggregations that an expression needs
_PLAIN = "\1plain{}"     # named aggregations beside the expressions
_SPREAD = "\1spread{}_{}"   # aggregations within aggregations, one value per row


def aggregated_expressions(groups: GroupBy, func: Any, named: Mapping[str, Any]) -> Any:
    """``agg(total=(ff.col("a") * ff.col("b")).sum(), n=("a", "size"))``.

    Raises
    ------
    ExpressionError
        An expression has a value per row, not per group, or its result has no name.
    """
    if func is not None:
        raise ExpressionError.unnamed(repr(func))
    keys = groups._internal_keys
    trees = {name: one._tree for name, one in named.items() if isinstance(one, Expr)}
    for tree in trees.values():
        _check(tree, keys)
        tree.resolve(groups._table.schema)
    table, inner = _spread(groups, list(trees.values()))
    trees = dict(zip(trees, inner, strict=True))
    parts = outermost(trees.values())
    table, columns = with_arguments(table, parts)
    plain = {name: groups._named(name, one) for name, one in named.items() if name not in trees}
    outputs = [Output(_PART.format(n), column, one.call) for n, (one, column) in enumerate(zip(parts, columns, strict=True))]
    outputs += [Output(_PLAIN.format(n), one.column, one.call, one.other) for n, one in enumerate(plain.values())]
    found = run(GroupBySpec(keys, tuple(outputs), groups._sort, groups._dropna), table)
    return groups._with_keys(found, _finished(groups, found, named, (trees, parts, plain)), series=False)


def aggregated_row(frame: DataFrame, func: Any, named: Mapping[str, Any]) -> DataFrame:
    """``df.agg(total=(ff.col("a") * ff.col("b")).sum())``: a frame of one row.

    Raises
    ------
    ExpressionError
        An expression has a value per row, its result has no name, or something else stands beside expressions.
    """
    if func is not None:
        raise ExpressionError.unnamed(repr(func))
    for name, one in named.items():
        if not isinstance(one, Expr):
            raise ExpressionError.beside_expressions(name, one)
        _check(one._tree, ())
    row = computed_row(frame._table, named)
    return type(frame)._of(with_labels(default_labels(1), row.columns, 1))


def _finished(groups: GroupBy, found: Table, named: Mapping[str, Any], made: tuple[Any, Any, Any]) -> dict[str, Column]:
    """The results in the order that they were asked for."""
    trees, parts, plain = made
    places: dict[Expression, Expression] = {one: Col(_PART.format(n)) for n, one in enumerate(parts)}
    last = tuple([(name, replaced(tree, places)) for name, tree in trees.items()])
    by_expression = run(Project(last), found).columns
    by_name = {name: groups._labelled(one.call, found[_PLAIN.format(n)]) for n, (name, one) in enumerate(plain.items())}
    unique(named)
    return {name: by_expression[name] if name in by_expression else by_name[name] for name in named}


def _check(tree: Expression, keys: Sequence[str]) -> None:
    """Raise `ExpressionError` unless all that is not aggregated is one value per group."""
    shown = repr(Expr(tree))
    if not has_aggregation(tree):
        raise ExpressionError.no_aggregation(shown)
    loose = list(dict.fromkeys(name for name in _outside(tree) if name not in keys))
    if loose:
        raise ExpressionError.not_aggregated(shown, loose)


def _outside(tree: Expression) -> list[str]:
    """The columns that are read outside of all aggregations."""
    if isinstance(tree, Aggregated):
        return []
    return [tree.name] if isinstance(tree, Col) else [name for child in tree.children() for name in _outside(child)]


def _spread(groups: GroupBy, trees: list[Expression]) -> tuple[Table, list[Expression]]:
    """Aggregations inside of aggregations, as columns that give each row its group's value."""
    table, level = groups._table, 0
    while inner := [one for one in innermost(trees) if one not in outermost(trees)]:
        table, columns = with_arguments(table, inner)
        outputs = tuple([Output(_SPREAD.format(level, n), column, one.call) for n, (one, column) in enumerate(zip(inner, columns, strict=True))])
        table = table.with_columns(run(Window(groups._internal_keys, outputs, groups._dropna, None), table).columns)
        places: dict[Expression, Expression] = {one: Col(output.name) for one, output in zip(inner, outputs, strict=True)}
        trees = [replaced(tree, places) for tree in trees]
        level += 1
    return table, trees
