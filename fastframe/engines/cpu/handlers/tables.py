"""Handlers of specs about several tables."""

from __future__ import annotations

from fastframe.column import Table
from fastframe.engines.cpu.join_table import join_tables
from fastframe.engines.cpu.select import concat_tables
from fastframe.ops.concat import Concat
from fastframe.ops.join import Join


def join(spec: Join, left: Table, right: Table) -> Table:
    return join_tables(spec, left, right)


def concat(spec: Concat, *tables: Table) -> Table:
    schema = spec.resolve(*(table.schema for table in tables))
    return concat_tables(tables, schema)
