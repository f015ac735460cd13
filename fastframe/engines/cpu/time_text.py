"""Times as text: names by their numbers, texts of few days once each, formats of fixed length by our kernel; others are pyarrow's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pyarrow as pa

from fastframe._kernels import calendar as kernels
from fastframe.column import Column
from fastframe.dtypes import STRING
from fastframe.engines.cpu.calendar import calendar_field, days_of, unit_of
from fastframe.engines.cpu.clocks import local_times
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.forms import copied_validity, text_array
from fastframe.engines.cpu.groups import widened
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.take import take

ByArrow = Callable[[pa.Array], pa.Array]
_OPERATION = "text of times"

_OF_DAYS = frozenset("YmdyBbAajUWVGuwCDFxhegn%t")   # directives that say nothing below a day
_FEWER = 4   # rows per distinct day from which on texts are made of days
_DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTH_NAMES = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
_NAMES = {"%A": ("dayofweek", _DAY_NAMES), "%B": ("month", ["", *_MONTH_NAMES])}   # the field, and a text for each of its values

_LONG = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%%": "\0%"}
_PIECES = {
    "%Y": "year", "%y": "year of century", "%m": "month", "%d": "day", "%e": "padded day", "%j": "day of year", "%b": "month name",
    "%h": "month name", "%a": "day name", "%u": "iso weekday", "%w": "weekday", "%H": "hour", "%I": "hour of half day", "%p": "half day",
    "%M": "minute", "%S": "second", "%f": "microsecond",
}  # fmt: skip
_SIGNS = {"\0%": "%", "%n": "\n", "%t": "\t"}
_FIRST_DAY, _LAST_DAY = -354_285, 2_932_896   # 1000-01-01 and 9999-12-31: years of four digits


def text_of_times(column: Column, form: str, by_arrow: ByArrow) -> Column | None:
    """The texts of dates and times in a format, ``%S`` whole seconds, names in English; None where only pyarrow has them.

    Few different days are encoded text, made once for each; by ``by_arrow`` where the kernel does not know the format.
    """
    pieces = _compiled(form)
    of_days = _OF_DAYS.issuperset(re.findall(r"%(.)", form, re.DOTALL))
    if pieces is None and not of_days:
        return None
    column = local_times(column)
    if form in _NAMES:
        return _named(column, *_NAMES[form])
    if of_days and (found := _of_few_days(column, pieces, by_arrow)) is not None:
        return found
    return None if pieces is None else _written(column, pieces)


def _named(column: Column, field: str, names: list[str]) -> Column | None:
    numbers = calendar_field(field, column)
    if numbers is None:
        return None
    return Column(pa.DictionaryArray.from_arrays(numbers.array, pa.array(names, pa.string()), safe=False), STRING)


def _of_few_days(column: Column, pieces: kernels.TimeForm | None, by_arrow: ByArrow) -> Column | None:
    """Each day's text once; None where days are many."""
    days = column if unit_of(column) == "day" else days_of(column)
    if days is None:
        return None
    groups = group_rows([days], dropna=True, sort=None)
    if groups.n_groups * _FEWER > len(column):
        return None
    first = take(days, groups.first_rows, missing=False)
    written = None if pieces is None else _written(first, pieces)
    texts = by_arrow(first.array) if written is None else written.array
    again = texts.dictionary_encode()   # several days may have one text
    codes = take(Column(again.indices), widened(groups.codes).view(np.int32), missing=True)
    return Column(pa.DictionaryArray.from_arrays(codes.array, again.dictionary, safe=False), STRING)


def _written(column: Column, pieces: kernels.TimeForm) -> Column | None:
    """By the kernel; None where a year has not four digits."""
    unit, narrow = unit_of(column), column.dtype.width == 4
    assert unit is not None
    bounds = value_range(column)
    per_day = kernels.UNITS_PER_DAY[unit]
    if bounds.min is not None and not _FIRST_DAY * per_day <= bounds.min <= bounds.max < (_LAST_DAY + 1) * per_day:   # type: ignore[operator]
        return None
    return Column(text_array(
        pa.string(),
        len(column),
        lambda sizes: kernels.text_sizes(pieces, column.view, sizes, column),
        lambda sink: kernels.text_copy(pieces, unit, column.view, sink, column, narrow=narrow),
        lambda: copied_validity(column, _OPERATION),
        operation=_OPERATION,
    ), STRING)  # fmt: skip


@lru_cache(maxsize=64)
def _compiled(form: str) -> kernels.TimeForm | None:
    """The kernel's form of a format; None where a directive's texts differ in length, or are not known."""
    template, pieces = b"", []
    for long in re.findall(r"%.|[^%]+|%", form, re.DOTALL):
        for one in re.findall(r"\0%|%.|[^%\0]+|.", _LONG.get(long, long), re.DOTALL):
            name = _PIECES.get(one)
            if name is not None:
                pieces.append((name, len(template)))
                template += b"0" * kernels.TEXT_FIELDS[name]
            elif one.startswith("%") and one not in _SIGNS:
                return None
            else:
                template += _SIGNS.get(one, one).encode()
    return kernels.TimeForm(template, pieces)
