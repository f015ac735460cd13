"""Functions of plain text by kernels: lengths; case, of ASCII; literals found, counted, replaced and split at; and `shaped_text`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastframe._kernels import plain_text as kernels
from fastframe._kernels.text import join_text_sizes
from fastframe._threads import fine_slice_rows, run
from fastframe.column import Column
from fastframe.column.memory import allocate_bits
from fastframe.dtypes import INT64
from fastframe.engines.cpu.forms import text_source, validity_bits
from fastframe.engines.cpu.results import allocate_values, bits_result, with_validity
from fastframe.engines.cpu.shaped_text import SHAPED, changed, is_ascii

Options = Mapping[str, Any]
_PATTERN_SIGNS = frozenset(".^$*+?{}[]\\|()")


def by_kernel(name: str, column: Column, options: Options) -> Column | None:
    """A text function of plain text; None where there is no kernel for it, its options, or characters beyond ASCII."""
    handler = _HANDLERS.get(name)
    return handler(column, options) if handler is not None and len(column) else None


def is_literal(options: Options) -> bool:
    """Whether what is searched for is just some text, though perhaps given as a regular expression."""
    return bool(options["case"]) and (not options["regex"] or not _PATTERN_SIGNS.intersection(options["pat"]))


def _contains(column: Column, options: Options) -> Column | None:
    if not options["pat"] or not is_literal(options):
        return None
    out = allocate_bits(len(column), "text.contains")
    literal, missing = options["pat"].encode(), bool(options.get("na", False))
    task = kernels.contains(text_source(column.array), validity_bits(column), literal, out.address, (column, out), missing=missing)
    return bits_result(task, len(column), out, "text.contains", fine_slice_rows(len(column)))


def _len(column: Column, options: Options) -> Column:
    out = allocate_values(INT64, len(column), "text.len")
    task = kernels.lengths(text_source(column.array), validity_bits(column), out.address, (column, out), ascii=is_ascii(column))
    run(task, len(column), fine_slice_rows(len(column)), operation="text.len")
    return with_validity(INT64, out, column)


def _starts(at_end: bool) -> Callable[[Column, Options], Column | None]:
    def compute(column: Column, options: Options) -> Column | None:
        if not isinstance(options["pat"], str):
            return None
        out, operation = allocate_bits(len(column), "text.startswith"), "text.endswith" if at_end else "text.startswith"
        literal, missing = options["pat"].encode(), bool(options.get("na", False))
        task = kernels.affix(
            text_source(column.array), validity_bits(column), literal, out.address, (column, out), at_end=at_end, missing=missing
        )  # fmt: skip
        return bits_result(task, len(column), out, operation, fine_slice_rows(len(column)))

    return compute


def _count(column: Column, options: Options) -> Column | None:
    if not options["pat"] or (options["regex"] and _PATTERN_SIGNS.intersection(options["pat"])):
        return None
    out = allocate_values(INT64, len(column), "text.count")
    task = kernels.counts(text_source(column.array), validity_bits(column), options["pat"].encode(), out.address, (column, out))
    run(task, len(column), fine_slice_rows(len(column)), operation="text.count")
    return with_validity(INT64, out, column)


def _case(case: str) -> Callable[[Column, Options], Column | None]:
    def compute(column: Column, options: Options) -> Column | None:
        if not is_ascii(column):
            return None
        source, valid = text_source(column.array), validity_bits(column)
        return changed(
            column,
            f"text.{case}",
            lambda sizes: join_text_sizes((source,), valid, sizes, column),
            lambda sink: kernels.change_case(source, valid, case, sink, column),
        )

    return compute


def _replace(column: Column, options: Options) -> Column | None:
    if not options["pat"] or not is_literal(options) or options["n"] > 0 or (options["regex"] and "\\" in options["repl"]):
        return None
    source, valid = text_source(column.array), validity_bits(column)
    replaced = options["pat"].encode(), options["repl"].encode()
    return changed(
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
    return changed(
        column,
        "text.split",
        lambda sizes: kernels.piece_sizes(source, valid, literal, number, sizes, column),
        lambda sink: kernels.piece_copy(source, valid, literal, number, sink, there.address, (column, there)),
        there,
    )


_HANDLERS: dict[str, Callable[[Column, Options], Column | None]] = {
    "contains": _contains, "startswith": _starts(at_end=False), "endswith": _starts(at_end=True), "count": _count, "len": _len,
    "replace": _replace, "split_get": _split_get, **{case: _case(case) for case in kernels.CASES}, **SHAPED,
}  # fmt: skip
