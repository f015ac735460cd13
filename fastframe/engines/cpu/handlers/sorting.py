"""The handler of `Sort`, apart from those of rows: it imports ten modules that they do not need."""

from __future__ import annotations

from fastframe.column import Table
from fastframe.engines.cpu.sort_table import sorted_table
from fastframe.ops.rows import Sort


def sort(spec: Sort, table: Table) -> Table:
    return sorted_table(table, spec.by, descending=spec.descending, nulls_first=spec.nulls_first, limit=spec.limit)
