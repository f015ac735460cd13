"""Text functions: rows of the function table, named ``text.<pandas' name>``.

Missing gives null, but False where the result is bool (as in pandas 3), or ``na``. Patterns are RE2's (no look-around, linear time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from fastframe import dtypes
from fastframe.dtypes import BOOL, INT64, STRING, DType, Kind
from fastframe.errors import DTypeError
from fastframe.ops.function import REQUIRED, Function, ResultRule


def _text(result: DType) -> ResultRule:
    def rule(operation: str, given: Sequence[DType], options: Mapping[str, Any]) -> DType:
        require_text(operation, given[0])
        return result

    return rule


def require_text(operation: str, given: DType) -> None:
    """Raise `DTypeError` unless the dtype is text, or a category of texts (or null)."""
    text_category = given.kind is Kind.CATEGORY and dtypes.from_arrow(given.arrow.value_type).kind is Kind.STRING
    if given.kind not in (Kind.STRING, Kind.NULL) and not text_category:
        raise DTypeError.of_operation(operation, given, allowed="text")


def _joined(operation: str, given: Sequence[DType], options: Mapping[str, Any]) -> DType:
    for one in given:
        require_text(operation, one)
    return STRING


def _row(name: str, result: DType, doc: str, **options: Any) -> Function:
    return Function(f"text.{name}", _text(result), "text", doc, 1, 1, tuple(options.items()))


LIST = dtypes.from_arrow(pa.list_(pa.string()))

TEXT = [
    _row("lower", STRING, "Lower case."),
    _row("upper", STRING, "Upper case."),
    _row("title", STRING, "First letter of each word in upper case, the others in lower case."),
    _row("capitalize", STRING, "First letter in upper case, the others in lower case."),
    _row("swapcase", STRING, "Upper and lower case exchanged."),
    _row("reverse", STRING, "Characters in reverse order."),
    _row("strip", STRING, "Without ``chars`` (white space, if None) at both ends.", chars=None),
    _row("lstrip", STRING, "Without ``chars`` at the start.", chars=None),
    _row("rstrip", STRING, "Without ``chars`` at the end.", chars=None),
    _row("removeprefix", STRING, "Without ``prefix`` at the start.", prefix=REQUIRED),
    _row("removesuffix", STRING, "Without ``suffix`` at the end.", suffix=REQUIRED),
    _row("len", INT64, "Number of characters."),
    _row("contains", BOOL, "Whether ``pat`` occurs (RE2 syntax, or literally).", pat=REQUIRED, regex=True, case=True, na=False),
    _row("match", BOOL, "Whether the start matches ``pat`` (RE2 syntax).", pat=REQUIRED, case=True, na=False),
    _row("fullmatch", BOOL, "Whether the whole text matches ``pat`` (RE2 syntax).", pat=REQUIRED, case=True, na=False),
    _row("startswith", BOOL, "Whether the text starts with ``pat``.", pat=REQUIRED, na=False),
    _row("endswith", BOOL, "Whether the text ends with ``pat``.", pat=REQUIRED, na=False),
    _row("count", INT64, "How often ``pat`` (RE2 syntax) occurs.", pat=REQUIRED, regex=True),
    _row("find", INT64, "First position of ``sub``, -1 where it does not occur.", sub=REQUIRED),
    _row("replace", STRING, "``pat`` replaced by ``repl``, ``n`` times (-1: all).", pat=REQUIRED, repl=REQUIRED, n=-1, regex=False, case=True),
    _row("slice", STRING, "Characters ``start`` to ``stop`` by ``step``.", start=None, stop=None, step=None),
    _row("slice_replace", STRING, "Characters ``start`` to ``stop`` replaced by ``repl``.", start=None, stop=None, repl=""),
    _row("get", STRING, "The character at ``index``; null where there is none.", index=REQUIRED),
    _row("zfill", STRING, "Padded with zeros to ``width``, after a sign.", width=REQUIRED),
    _row("pad", STRING, "Padded with ``fillchar`` to ``width`` on ``side``: left, right or both.", width=REQUIRED, side="left", fillchar=" "),
    _row("repeat", STRING, "Repeated ``repeats`` times.", repeats=REQUIRED),
    _row("normalize", STRING, "Unicode normal form ``form``.", form=REQUIRED),
    _row("extract", STRING, "The group ``group`` (from 0) of the first match of ``pat`` (RE2 syntax); null without a match.", pat=REQUIRED, group=0),
    _row("split", LIST, "Parts between ``pat`` (white space, if None), at most ``n`` splits (-1: all).", pat=None, n=-1, regex=False),
    _row("split_get", STRING, "Part ``index`` of ``split``; null where there is none.", pat=None, n=-1, regex=False, index=REQUIRED),
    *[
        _row(f"is{what}", BOOL, f"Whether there are characters and all are of the class {what}.")
        for what in ("alnum", "alpha", "decimal", "digit", "lower", "numeric", "space", "title", "upper")
    ],
    Function(
        "text.cat", _joined, "text_join", "Arguments joined by ``sep``; ``na_rep`` stands for missing ones (None: null).", 1, None,
        (("sep", ""), ("na_rep", None)),
    ),
]
