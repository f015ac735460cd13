"""Aggregations of repeated questions over few rows: what they ask of a pass, and its layout, are decided once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fastframe.column import Column, Table
from fastframe.column.column import ColumnView
from fastframe.engines.cpu.accumulate import Codes, Pass
from fastframe.engines.cpu.aggregate import Shared, Wanted, asked_of
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.handlers.groups import aggregated
from fastframe.engines.cpu.layout import Operands, layout_of
from fastframe.engines.cpu.requests import PROOF_ROWS, Source, source_of
from fastframe.ops.base import Schema
from fastframe.ops.groups import Output

_FIELDS = ("n", "value")   # ways to finish that give a field of the state as it is

class Aggregates:
    """Some aggregations of the columns of any table of one schema.

    Requests were made for columns of no rows: those of them that follow from the dtype alone are right for all columns with
    too few rows to look at their range. Other requests, and an exact total that is too large, go by `aggregate_codes`.
    """

    def __init__(self, outputs: Sequence[Output], schema: Schema, *, grouped: bool) -> None:
        self._outputs = outputs
        parts = [_asked(output, schema, grouped=grouped) for output in outputs]
        self._parts = [one for one in parts if one is not None]
        self._requests = [one.ask.request for one in self._parts]
        self._prepared = 0 < len(self._parts) == len(outputs)
        self._finished = all(one.finished for one in self._parts)
        self._names = list(dict.fromkeys(output.column for output in outputs if output.column is not None))
        self._passes: dict[tuple[bool, ...], Pass] = {}   # by who has nulls, and whether every group has a row

    def of(self, outputs: Sequence[Output], table: Table, codes: Codes | None, n_groups: int, filled: bool) -> list[Column]:
        """The aggregates of each group; ``codes`` None: all rows are of one group."""
        found = self._in_one_pass(table, codes, n_groups, filled=filled) if self._prepared and table.n_rows < PROOF_ROWS else None
        if found is None:
            return aggregated(outputs, table, codes, n_groups, filled)
        if self._finished:
            return [columns[0] for columns in found]
        return [part.finish([columns]) for part, columns in zip(self._parts, found, strict=True)]

    def _in_one_pass(self, table: Table, codes: Codes | None, n_groups: int, *, filled: bool) -> list[list[Column]] | None:
        columns = [table.columns[name] for name in self._names]
        if len(columns) > 1 and len({id(column) for column in columns}) < len(columns):   # of which a layout has one
            return None
        sources = [source_of(column) for column in columns]
        case = (filled, *[source.view.validity != 0 for source in sources])
        one = self._passes.get(case)
        if one is None:
            one = self._passes[case] = self._pass(table, filled=filled, grouped=codes is not None)
        return one.again(Operands(sources, table.n_rows), codes, n_groups).run()

    def _pass(self, table: Table, *, filled: bool, grouped: bool) -> Pass:
        """The pass over no rows, in the layout for these columns: what is kept must not keep them."""
        given = [replace(one, column=table.columns[str(output.column)]) for one, output in zip(self._requests, self._outputs, strict=True)]
        layout, operands = layout_of(given, filled=filled, grouped=grouped)
        nowhere = [Source(source.physical, ColumnView(0, 0, 0, 0)) for source in operands.sources]
        return Pass(layout, Operands(nowhere, 0), self._requests, np.empty(0, np.uint8) if grouped else None, 0)


def _asked(output: Output, schema: Schema, *, grouped: bool) -> Shared | None:
    """What the output asks of every column of its dtype; None where that depends on more than the dtype."""
    call = output.named_call
    if output.column is None or output.other is not None or call.aggregation.needs_all_values:
        return None
    none = nulls(schema[output.column], 0)
    part = asked_of(Wanted(call, none), np.empty(0, np.uint8) if grouped else None, 0)
    if part is None or not part.ask.by_dtype or len(part.requests) > 1 or part.ask.request.column is not none:
        return None
    return part if part.finished or call.aggregation.finalize in _FIELDS else None
