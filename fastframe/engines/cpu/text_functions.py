"""Text functions: on each distinct value once, then a gather, where values repeat; else by a kernel, or by pyarrow on slices of the values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column
from fastframe.dtypes import BOOL, STRING, Kind
from fastframe.engines.cpu.compare import lookup_bits
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.keys_text import in_codes
from fastframe.engines.cpu.operands import Invocation, Operand
from fastframe.engines.cpu.plain_text import by_kernel, is_literal
from fastframe.engines.cpu.put import fill_null
from fastframe.engines.cpu.results import all_bits
from fastframe.engines.cpu.sliced import by_slices
from fastframe.engines.cpu.take import code_rows, take
from fastframe.engines.cpu.text_rows import join_texts
from fastframe.engines.cpu.text_search import SEARCHES, narrowed
from fastframe.errors import ArgumentError

Options = Mapping[str, Any]


def evaluate_text(call: Invocation) -> Column:
    """A text function of one operand; a bool result is ``na`` (False) where the text is missing."""
    column = call.operands[0].column
    if column.dtype.kind is Kind.NULL:
        missing = bool(call.options.get("na", False))
        return all_bits(missing, call.n_rows, call.operation) if call.result == BOOL else nulls(call.result, call.n_rows)
    try:   # encoding takes less than most functions
        encoded = in_codes(column, short=False)
    except MemoryError:   # value by value the function may need less
        encoded = column
    if encoded is not column:
        return _evaluated(replace(call, operands=(Operand(encoded),)))
    if column.dtype != STRING or column.is_encoded:
        return _BY_SLICES(call)
    name = call.operation.removeprefix("text.")
    computed = by_kernel(name, column, call.options)
    if computed is None and name in SEARCHES:
        computed = narrowed(call, _BY_SLICES)
    return _BY_SLICES(call) if computed is None else computed


def _evaluated(call: Invocation) -> Column:
    """The function of some rows, on one thread."""
    column = call.operands[0].column
    missing = bool(call.options.get("na", False))
    compute = TEXT[call.operation.removeprefix("text.")]
    try:
        values = compute(column.dictionary if column.is_encoded else column.array, call.options)
    except pa.ArrowInvalid as error:
        raise ArgumentError.of_function(call.operation, str(error)) from error
    if call.result == BOOL:
        if column.is_encoded:
            return lookup_bits(column, values, missing=missing, n_rows=call.n_rows, operation=call.operation)
        return Column(values.fill_null(missing) if values.null_count else values)
    if values.type != call.result.arrow and not call.result.is_text:
        values = values.cast(call.result.arrow)
    if not column.is_encoded:
        return Column(values, call.result)
    return _encoded_text(column, values) if call.result == STRING else take(Column(values, call.result), code_rows(column), missing=True)


_BY_SLICES = by_slices(_evaluated)


def _encoded_text(column: Column, values: pa.Array) -> Column:
    """New values of an encoded column; those that became equal share one code."""
    again = values.dictionary_encode()
    codes = column.codes
    if len(again.dictionary) < len(values):
        codes = take(Column(again.indices), code_rows(column), missing=True).array
    return Column(pa.DictionaryArray.from_arrays(codes, again.dictionary, safe=False), STRING)


def evaluate_join(call: Invocation) -> Column:
    """Texts of several operands joined row by row."""
    texts = [one.cast(STRING) for one in call.operands]
    filler = call.options["na_rep"]
    if filler is not None:
        texts = [Operand(fill_null(one.column, _text_row(filler)), one.scalar) for one in texts]
    if any(one.is_null for one in texts):
        return nulls(STRING, call.n_rows)
    separator = Operand(_text_row(call.options["sep"]), scalar=True)
    parts = [part for one in texts for part in (separator, one)][1:]
    return join_texts(parts, call.n_rows)


def _text_row(text: str) -> Column:
    return Column(pa.array([text], pa.string()))


# ---- the functions: (plain text array, options) -> array ------------------------------------------------------------


def _arrow(name: str) -> Callable[[pa.Array, Options], pa.Array]:
    def compute(text: pa.Array, options: Options) -> pa.Array:
        import pyarrow.compute as pc

        return pc.call_function(name, [text])

    return compute


def _strip(side: str) -> Callable[[pa.Array, Options], pa.Array]:
    def compute(text: pa.Array, options: Options) -> pa.Array:
        import pyarrow.compute as pc

        if options["chars"] is None:
            return pc.call_function(f"utf8_{side}_whitespace", [text])
        return getattr(pc, f"utf8_{side}")(text, characters=options["chars"])

    return compute


def _remove(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    if "prefix" in options:
        ends, start, stop = pc.starts_with(text, options["prefix"]), len(options["prefix"]), None
    else:
        ends, start, stop = pc.ends_with(text, options["suffix"]), 0, -len(options["suffix"]) or None
    return pc.if_else(ends, pc.utf8_slice_codeunits(text, start, stop), text)


def _contains(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    find = pc.match_substring if is_literal(options) or not options["regex"] else pc.match_substring_regex
    return find(text, options["pat"], ignore_case=not options["case"])


def _match(form: str) -> Callable[[pa.Array, Options], pa.Array]:
    def compute(text: pa.Array, options: Options) -> pa.Array:
        import pyarrow.compute as pc

        return pc.match_substring_regex(text, form.format(options["pat"]), ignore_case=not options["case"])

    return compute


def _ends(name: str) -> Callable[[pa.Array, Options], pa.Array]:
    def compute(text: pa.Array, options: Options) -> pa.Array:
        import pyarrow.compute as pc

        given = options["pat"] if isinstance(options["pat"], tuple) else (options["pat"],)
        found = [getattr(pc, name)(text, one) for one in given]
        result = found[0]
        for other in found[1:]:
            result = pc.or_(result, other)
        return result

    return compute


def _count(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    return (pc.count_substring_regex if options["regex"] else pc.count_substring)(text, options["pat"])


def _find(text: pa.Array, options: Options) -> pa.Array:
    """pyarrow gives bytes; characters are those of the part before."""
    import pyarrow.compute as pc

    at_byte = pc.find_substring(text, options["sub"])
    if options["sub"] == "" or pc.all(pc.string_is_ascii(text)).as_py() is not False:
        return at_byte
    before = pc.list_element(pc.split_pattern(text, options["sub"], max_splits=1), 0)
    return pc.if_else(pc.less(at_byte, 0), at_byte, pc.utf8_length(before).cast(at_byte.type))


def _replace(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    pattern, replacement = options["pat"], options["repl"]
    most = options["n"] if options["n"] > 0 else None
    if not options["regex"] and options["case"] and pattern:   # pyarrow never ends with an empty text
        return pc.replace_substring(text, pattern, replacement, max_replacements=most)
    if not options["regex"]:
        pattern, replacement = re.escape(pattern), replacement.replace("\\", "\\\\")
    if not options["case"]:
        pattern = f"(?i){pattern}"
    return pc.replace_substring_regex(text, pattern, replacement, max_replacements=most)


def _slice(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    step = 1 if options["step"] is None else options["step"]
    start, stop = options["start"], options["stop"]
    if step < 0:   # pyarrow leaves out what a missing start or stop means then
        return pa.array([None if one is None else one[start:stop:step] for one in text.to_pylist()], text.type)
    return pc.utf8_slice_codeunits(text, 0 if start is None else start, stop, step)


def _slice_replace(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    start = 0 if options["start"] is None else options["start"]
    stop = 2**31 - 1 if options["stop"] is None else options["stop"]
    return pc.utf8_replace_slice(text, start, stop, options["repl"])


def _get(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    index = options["index"]
    inside = pc.greater(pc.utf8_length(text), index) if index >= 0 else pc.greater_equal(pc.utf8_length(text), -index)
    stop = None if index == -1 else index + 1
    return pc.if_else(inside, pc.utf8_slice_codeunits(text, index, stop), pa.scalar(None, text.type))


def _zfill(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    width = max(options["width"], 0)   # of a negative one pyarrow makes garbage
    signed = pc.match_substring_regex(text, r"\A[+-]")
    body = pc.utf8_lpad(pc.utf8_slice_codeunits(text, 1), max(width - 1, 0), "0")
    with_sign = pc.binary_join_element_wise(pc.utf8_slice_codeunits(text, 0, 1), body, pa.scalar("", text.type))
    return pc.if_else(signed, with_sign, pc.utf8_lpad(text, width, "0"))


def _pad(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    pads = {"left": pc.utf8_lpad, "right": pc.utf8_rpad, "both": pc.utf8_center}
    if options["side"] not in pads:
        raise ArgumentError.of("text.pad", "side", options["side"], pads)
    width = max(options["width"], 0)   # of a negative one pyarrow makes garbage
    if options["side"] == "both":   # as str.center: an odd pad leans left where the width is even
        return pc.utf8_center(text, width, options["fillchar"], lean_left_on_odd_padding=width % 2 == 0)
    return pads[options["side"]](text, width, options["fillchar"])


def _repeat(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_repeat(text, max(options["repeats"], 0))


def _normalize(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    return pc.utf8_normalize(text, options["form"])


def _named_groups(pattern: str) -> tuple[str, int]:
    """The pattern with its capturing groups named g0, g1, ... as pyarrow asks for, and how many there are."""
    pieces, n_groups, in_class, at = [], 0, False, 0
    while at < len(pattern):
        one = pattern[at]
        if one == "\\":
            pieces.append(pattern[at : at + 2])
            at += 2
            continue
        named = re.match(r"\(\?P?<[A-Za-z_]\w*>", pattern[at:])
        if not in_class and (named or (one == "(" and pattern[at + 1 : at + 2] != "?")):
            pieces.append(f"(?P<g{n_groups}>")
            n_groups += 1
            at += named.end() if named else 1
            continue
        in_class = (in_class or one == "[") and one != "]"
        pieces.append(one)
        at += 1
    return "".join(pieces), n_groups


def _extract(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    pattern, n_groups = _named_groups(options["pat"])
    if not 0 <= options["group"] < n_groups:
        raise ArgumentError.because("text.extract", f"the pattern {options['pat']!r} has {n_groups} groups", "Put what is wanted into (...).")
    return pc.struct_field(pc.extract_regex(text, pattern), f"g{options['group']}")


def _split(text: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    most = options["n"] if options["n"] > 0 else None
    if options["pat"] is None:
        parts = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(text), max_splits=most)
        blank = pc.equal(pc.utf8_trim_whitespace(text), "")
        return pc.if_else(blank, pa.scalar([], parts.type), parts) if pc.any(blank).as_py() else parts
    split = pc.split_pattern_regex if options["regex"] else pc.split_pattern
    return split(text, options["pat"], max_splits=most)


def _split_get(text: pa.Array, options: Options) -> pa.Array:
    parts = _split(text, options)
    offsets = parts.offsets.to_numpy().astype(np.int64)
    first, last, index = offsets[:-1], offsets[1:], options["index"]
    place = first + index if index >= 0 else last + index
    inside = (place >= first) & (place < last) & np.asarray(parts.is_valid())
    return parts.values.take(pa.array(place, mask=~inside))


TEXT: dict[str, Callable[[pa.Array, Options], pa.Array]] = {
    **{name: _arrow(f"utf8_{name}") for name in ("lower", "upper", "title", "capitalize", "swapcase", "reverse")},
    **{f"is{what}": _arrow(f"utf8_is_{what}") for what in ("alnum", "alpha", "decimal", "digit", "lower", "numeric", "space", "title", "upper")},
    "len": _arrow("utf8_length"),
    "strip": _strip("trim"),
    "lstrip": _strip("ltrim"),
    "rstrip": _strip("rtrim"),
    "removeprefix": _remove,
    "removesuffix": _remove,
    "contains": _contains,
    "match": _match(r"\A(?:{})"),
    "fullmatch": _match(r"\A(?:{})\z"),
    "startswith": _ends("starts_with"),
    "endswith": _ends("ends_with"),
    "count": _count,
    "find": _find,
    "replace": _replace,
    "slice": _slice,
    "slice_replace": _slice_replace,
    "get": _get,
    "zfill": _zfill,
    "pad": _pad,
    "repeat": _repeat,
    "normalize": _normalize,
    "extract": _extract,
    "split": _split,
    "split_get": _split_get,
}
