"""Texts made of a part of each and of filling, by one kernel: slices, characters, what is left of both ends, texts padded to a width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._kernels import plain_text as kernels
from fastframe._kernels.memory import address_of
from fastframe._kernels.plain_text import TextShape
from fastframe._threads import SLICE_ROWS, run
from fastframe.column import Column
from fastframe.column.memory import allocate_bits
from fastframe.engines.cpu.forms import Validity, copied_validity, text_array, text_source, validity_bits

if TYPE_CHECKING:
    from fastframe._kernels.memory import Block
    from fastframe._kernels.text import TextSink
    from fastframe._threads._drive import Task

Options = Mapping[str, Any]
_TO_THE_END = 2**62
_WHITE_SPACE = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "   # in ASCII, as str.isspace has it
_SIDES = {"left": (True, False), "right": (False, True), "both": (True, True)}   # where fillings go: at the start, at the end


def is_ascii(column: Column) -> bool:
    """Of all bytes, kept on the column."""
    return bool(column.fact("is ascii", lambda: _look_at_bytes(column)))


def _look_at_bytes(column: Column) -> bool:
    found = np.zeros(-(-len(column) // SLICE_ROWS), np.int64)
    run(kernels.is_ascii(text_source(column.array), address_of(found), (column, found)), len(column), SLICE_ROWS, operation="text")
    return not found.any()


def changed(
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


def _shaped(column: Column, shape: TextShape, operation: str, *, empty_is_null: bool = False) -> Column:
    source, valid = text_source(column.array), validity_bits(column)
    there = allocate_bits(len(column), operation) if empty_is_null else None
    return changed(
        column,
        operation,
        lambda sizes: kernels.shaped_sizes(source, valid, shape, sizes, column),
        lambda sink: kernels.shaped_copy(source, valid, shape, sink, there.address if there is not None else 0, (column, there)),
        there,
    )


def _slice(column: Column, options: Options) -> Column | None:
    if options["step"] not in (None, 1):
        return None
    last = _TO_THE_END if options["stop"] is None else options["stop"]
    return _shaped(column, TextShape("part", first=options["start"] or 0, last=last, ascii=is_ascii(column)), "text.slice")


def _get(column: Column, options: Options) -> Column:
    """A character is never empty, so that an empty part is a missing one."""
    index = options["index"]
    shape = TextShape("part", first=index, last=_TO_THE_END if index == -1 else index + 1, ascii=is_ascii(column))
    return _shaped(column, shape, "text.get", empty_is_null=True)


def _strip(name: str, *, at_start: bool, at_end: bool) -> Callable[[Column, Options], Column | None]:
    def compute(column: Column, options: Options) -> Column | None:
        chars = options["chars"]
        if not (is_ascii(column) if chars is None else chars.isascii()):   # there is white space beyond ASCII
            return None
        given = _WHITE_SPACE if chars is None else chars.encode()
        return _shaped(column, TextShape("strip", given=given, at_start=at_start, at_end=at_end), f"text.{name}")

    return compute


def _remove(column: Column, options: Options) -> Column:
    is_prefix = "prefix" in options
    given = options["prefix" if is_prefix else "suffix"].encode()
    return _shaped(column, TextShape("affix", given=given, at_start=is_prefix, at_end=not is_prefix), "text.remove")


def _pad(column: Column, options: Options) -> Column | None:
    if options["side"] not in _SIDES or len(options["fillchar"]) != 1:
        return None
    at_start, at_end = _SIDES[options["side"]]
    given = options["fillchar"].encode()
    shape = TextShape("padded", width=options["width"], given=given, at_start=at_start, at_end=at_end, ascii=is_ascii(column))
    return _shaped(column, shape, "text.pad")


def _zfill(column: Column, options: Options) -> Column:
    return _shaped(column, TextShape("signed", width=options["width"], given=b"0", ascii=is_ascii(column)), "text.zfill")


# None where pyarrow shall see to it: to Unicode's white space, or to options that it refuses.
SHAPED: dict[str, Callable[[Column, Options], Column | None]] = {
    "slice": _slice, "get": _get, "removeprefix": _remove, "removesuffix": _remove, "pad": _pad, "zfill": _zfill,
    "strip": _strip("strip", at_start=True, at_end=True), "lstrip": _strip("lstrip", at_start=True, at_end=False),
    "rstrip": _strip("rstrip", at_start=False, at_end=True),
}  # fmt: skip
