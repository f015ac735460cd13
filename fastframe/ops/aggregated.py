"""`Aggregated`: an aggregation inside an expression, and how a tree is taken apart around it.

No engine evaluates the node. Whoever runs a spec first computes the aggregations (by `Reduce`, or by `GroupBy` within
groups), innermost first, and puts their values in their places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fastframe.dtypes import DType
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.base import Value
from fastframe.ops.expressions import Expression, Schema
from fastframe.records import record


@record(frozen=True, eq=False, repr=False)
class Aggregated(Value, Expression):
    """One value for all rows (of a group): an aggregation of an expression."""

    arg: Expression
    call: AggregationCall

    def __repr__(self) -> str:
        return f"{self.call.name}({self.arg!r})"

    def children(self) -> tuple[Expression, ...]:
        return (self.arg,)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Aggregated(children[0], self.call)

    def resolve(self, schema: Schema) -> DType:
        return self.call.resolve(self.arg.resolve(schema), self.call["name"])


def has_aggregation(expression: Expression) -> bool:
    """Whether there is an aggregation anywhere in a tree."""
    known = expression.aggregates
    if known is None:
        known = isinstance(expression, Aggregated) or any(map(has_aggregation, expression.children()))
        object.__setattr__(expression, "aggregates", known)
    return known


def innermost(expressions: Iterable[Expression]) -> list[Aggregated]:
    """The aggregations whose arguments hold none, each once, in order of appearance."""
    return list(dict.fromkeys(found for expression in expressions for found in _innermost(expression)))


def _innermost(expression: Expression) -> Iterator[Aggregated]:
    if not has_aggregation(expression):
        return
    below = [found for child in expression.children() for found in _innermost(child)]
    if isinstance(expression, Aggregated) and not below:
        yield expression
    yield from below


def outermost(expressions: Iterable[Expression]) -> list[Aggregated]:
    """The aggregations that are in no other one, each once, in order of appearance."""
    return list(dict.fromkeys(found for expression in expressions for found in _outermost(expression)))


def _outermost(expression: Expression) -> Iterator[Aggregated]:
    if isinstance(expression, Aggregated):
        yield expression
        return
    for child in expression.children():
        yield from _outermost(child)


def replaced(expression: Expression, values: Mapping[Expression, Expression]) -> Expression:
    """The tree with some of its parts put in other places' stead; a tree without them is itself."""
    if expression in values:
        return values[expression]
    children = expression.children()
    changed = tuple([replaced(child, values) for child in children])
    same = all(one is other for one, other in zip(children, changed, strict=True))
    return expression if same else expression.with_children(changed)
