"""Functions of plain text by kernels: lengths and parts; case, of ASCII; literals found, replaced and split at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._kernels import text as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, fine_slice_rows, run
from fastframe.column import Column
from fastframe.column.memory import allocate_bits
from fastframe.dtypes import INT64
from fastframe.engines.cpu.forms import Validity, copied_validity, text_array, text_source, validity_bits
from fastframe.engines.cpu.results import allocate_values, bits_result, with_validity

if TYPE_CHECKING:
    from fastframe._kernels.memory import Block
    from fastframe._kernels.text import TextSink
    from fastframe._threads._drive import Task

Options = Mapping[str, Any]
_PATTERN_SIGNS = frozenset(".^$*+?{}[]\\|()")
_TO_THE_END = 2**62


def by_kernel(name: str, column: Column, options: Options) -> Column | None:
    """A text function of plain text; None where there is no kernel for it, its options, or characters beyond ASCII."""
    handler = _HANDLERS.get(name)
    return handler(column, options) if handler is not None and len(column) else None


def is_literal(options: Options) -> bool:
    """Whether what is searched for is just some text, though perhaps given as a regular expression."""
    return bool(options["case"]) and (not options["regex"] or not _PATTERN_SIGNS.intersection(options["pat"]))


def _is_ascii(column: Column) -> bool:
    """Of all bytes, kept on the column."""
    return bool(column.fact("is ascii", lambda: _look_at_bytes(column)))


def _look_at_bytes(column: Column) -> bool:
    found = np.zeros(-(-len(column) // SLICE_ROWS), np.int64)
    run(kernels.is_ascii(text_source(column.array), address_of(found), (column, found)), len(column), SLICE_ROWS, operation="text")
    return not found.any()


def _changed(
    column: Column, operation: str, sizes: Callable[[int], Task], copy: Callable[[TextSink], Task], there: Block | None = None
) -> Column:  # fmt: skip
    """A text for each text, by two passes; missing where the column's is, or where ``there`` (bits that ``copy`` writes) has a 0."""
    return Column(text_array(
        column.array.type,
        len(column),
        sizes,
        copy,
        lambda: copied_validity(column, operation) if there is None else Validity(there, -1),
        operation=operation,
    ), column.dtype)  # fmt: skip


def _contains(column: Column, options: Options) -> Column | None:
    if not options["pat"] or not is_literal(options):
        return None
    out = allocate_bits(len(column), "text.contains")
    literal, missing = options["pat"].encode(), bool(options.get("na", False))
    task = kernels.contains(text_source(column.array), validity_bits(column), literal, out.address, (column, out), missing=missing)
    return bits_result(task, len(column), out, "text.contains", fine_slice_rows(len(column)))


def _len(column: Column, options: Options) -> Column:
    out = allocate_values(INT64, len(column), "text.len")
    task = kernels.lengths(text_source(column.array), validity_bits(column), out.address, (column, out), ascii=_is_ascii(column))
    run(task, len(column), fine_slice_rows(len(column)), operation="text.len")
    return with_validity(INT64, out, column)


def _case(upper: bool) -> Callable[[Column, Options], Column | None]:
    def compute(column: Column, options: Options) -> Column | None:
        if not _is_ascii(column):
            return None
        source, valid = text_source(column.array), validity_bits(column)
        return _changed(
            column,
            "text.upper" if upper else "text.lower",
            lambda sizes: kernels.join_text_sizes((source,), valid, sizes, column),
            lambda sink: kernels.change_case(source, valid, sink, column, upper=upper),
        )

    return compute


def _slice(column: Column, options: Options) -> Column | None:
    if options["step"] not in (None, 1):
        return None
    source, valid, ascii = text_source(column.array), validity_bits(column), _is_ascii(column)
    part = options["start"] or 0, _TO_THE_END if options["stop"] is None else options["stop"]
    return _changed(
        column,
        "text.slice",
        lambda sizes: kernels.part_sizes(source, valid, part, sizes, column, ascii=ascii),
        lambda sink: kernels.part_copy(source, valid, part, sink, column, ascii=ascii),
    )


def _replace(column: Column, options: Options) -> Column | None:
    if not options["pat"] or not is_literal(options) or options["n"] > 0 or (options["regex"] and "\\" in options["repl"]):
        return None
    source, valid = text_source(column.array), validity_bits(column)
    replaced = options["pat"].encode(), options["repl"].encode()
    return _changed(
        column,
        "text.replace",
        lambda sizes: kernels.replace_sizes(source, valid, replaced, sizes, column),
        lambda sink: kernels.replace_copy(source, valid, replaced, sink, column),
    )


def _split_get(column: Column, options: Options) -> Column | None:
    if not options["pat"] or options["regex"] or options["n"] > 0 or options["index"] < 0:
        return None
    source, valid = text_source(column.array), validity_bits(column)
    literal, number = options["pat"].encode(), options["index"]
    there = allocate_bits(len(column), "text.split")
    return _changed(
        column,
        "text.split",
        lambda sizes: kernels.piece_sizes(source, valid, literal, number, sizes, column),
        lambda sink: kernels.piece_copy(source, valid, literal, number, sink, there.address, (column, there)),
        there,
    )


_HANDLERS: dict[str, Callable[[Column, Options], Column | None]] = {
    "contains": _contains, "len": _len, "upper": _case(upper=True), "lower": _case(upper=False), "slice": _slice,
    "replace": _replace, "split_get": _split_get,
}  # fmt: skip
