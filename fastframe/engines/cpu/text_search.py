"""Patterns searched in texts that can have them: where a pattern needs a literal, rows without it are not asked.

Our kernel finds a literal at the speed of memory; RE2, which pyarrow calls value by value, has to start on each row. (Rust's regex and
ripgrep do the same within their engines: Gallant, https://burntsushi.net/regex-internals, "literal optimizations".)
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pyarrow as pa

from fastframe.column import Column
from fastframe.dtypes import BOOL
from fastframe.engines.cpu.filter import filter_column, filter_plan
from fastframe.engines.cpu.operands import Invocation, Operand
from fastframe.engines.cpu.plain_text import by_kernel
from fastframe.engines.cpu.put import put

SEARCHES = frozenset(("contains", "match", "fullmatch"))   # whose answer is no where a needed literal is not
_MOST_HITS = 0.5   # share of rows up to which it pays to ask only those
_HARMLESS = re.MULTILINE | re.DOTALL | re.UNICODE   # flags that leave literals as they are


def narrowed(call: Invocation, search: Callable[[Invocation], Column]) -> Column | None:
    """The answers of a search in plain text, asked of the rows that have a literal of the pattern; None where it needs none, or most have it."""
    column, options = call.operands[0].column, call.options
    literal = required_literal(options["pat"]) if options["case"] else ""
    if not literal:
        return None
    there = by_kernel("contains", column, {"pat": literal, "regex": False, "case": True})
    plan = None if there is None else filter_plan(there)
    if there is None or plan is None or plan.n_selected > _MOST_HITS * call.n_rows:
        return None
    # One empty text where there are none: RE2 still reads the pattern, and refuses a bad one.
    hits = filter_column(column, plan) if plan.n_selected else Column(pa.array([""], pa.string()))
    found = search(replace(call, operands=(Operand(hits),), n_rows=len(hits), options={**options, "na": False}))
    answers = put(there, there, found).array if plan.n_selected else there.array
    if options.get("na") and column.null_count:
        import pyarrow.compute as pc

        answers = pc.or_(answers, column.array.is_null())
    return Column(answers, BOOL)


@lru_cache(maxsize=256)
def required_literal(pattern: str) -> str:
    """The longest text that every match of a pattern has in it; empty where there is none, or Python does not read the pattern.

    RE2 reads what Python reads in the same way, or not at all: it raises on its own. Of two spellings that differ ``{,n}`` has no
    literal for Python; and patterns with ``[:``, which for RE2 is a class such as ``[[:alpha:]]``, are not looked at.
    """
    if "[:" in pattern:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return ""
    if parsed.state.flags & ~_HARMLESS:
        return ""
    return max(_literals(parsed), key=len, default="")


def _literals(parsed: Any) -> Iterator[str]:
    """Of a part that occurs in every match: runs of characters that follow each other."""
    run: list[str] = []
    for kind, value in _flat(parsed):
        if kind is _constants.LITERAL:
            run.append(chr(value))
        elif kind is not _constants.AT:   # a place between characters
            yield "".join(run)
            run = []
            if kind in _REPEATS and value[0] > 0:
                yield from _literals(value[2])
    yield "".join(run)


_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def _flat(parsed: Any) -> Iterator[tuple[Any, Any]]:
    """Items in order, groups opened; a group with flags of its own is one item."""
    for kind, value in parsed:
        if kind is _constants.SUBPATTERN and not value[1] & ~_HARMLESS and not value[2]:
            yield from _flat(value[3])
        else:
            yield kind, value

