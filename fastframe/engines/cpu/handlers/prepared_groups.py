"""Aggregations of repeated questions, with all that follows from names and dtypes decided once."""

from __future__ import annotations

from collections.abc import Callable

from fastframe.column import Table
from fastframe.engines.cpu.handlers.groups import grouped, reduced
from fastframe.engines.cpu.prepare_aggregates import Aggregates
from fastframe.ops.base import Schema
from fastframe.ops.groups import GroupBy, Reduce

Answer = Callable[[Table], Table]


def group_by(spec: GroupBy, schema: Schema) -> Answer:
    aggregates = Aggregates(spec.outputs, schema, grouped=True)
    return lambda table: grouped(spec, table, aggregates.of)


def reduce(spec: Reduce, schema: Schema) -> Answer:
    aggregates = Aggregates(spec.outputs, schema, grouped=False)
    return lambda table: reduced(spec, table, aggregates.of)
