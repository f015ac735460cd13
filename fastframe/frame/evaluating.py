"""What ``df.eval`` and ``df.query`` do: names and local variables found, the text made expressions, these computed."""

from __future__ import annotations

import datetime
import decimal
import os
import sys
from collections import ChainMap
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.errors import ColumnNotFound, FastFrameError, QueryError
from fastframe.frame.computing import computed, computed_column, computed_value, filtered, in_batches
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import Expr, col
from fastframe.frame.labels import label_key
from fastframe.frame.parsing import Parser, Values
from fastframe.frame.query_tokens import Line, lines_of
from fastframe.ops.aggregated import outermost, replaced
from fastframe.ops.expressions import Col, Lit
from fastframe.ops.literals import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastframe.frame.series import Series

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_VALUES = (str, bytes, int, float, bool, np.generic, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal)
_LISTS = (list, tuple, set, frozenset, range)


def evaluated_text(frame: Any, text: Any, local_dict: Mapping[str, Any] | None, *, inplace: bool) -> Any:
    """A frame with what the text assigns, or the value of an expression: a series, or one value.

    Raises
    ------
    QueryError, ColumnNotFound
    """
    lines = lines_of(_as_text(text), several=True)
    if any(line.target is not None for line in lines):
        return _assigned(frame, text, lines, local_dict)
    if inplace:
        raise QueryError.nothing_in_place()
    return _value(frame, text, lines, local_dict)


def chosen_rows(frame: Any, text: Any, local_dict: Mapping[str, Any] | None) -> Any:
    """The rows where the condition is true.

    Raises
    ------
    QueryError, ColumnNotFound, DTypeError
    """
    (line,) = lines_of(_as_text(text), several=False)
    if line.target is not None:
        raise QueryError.in_query(line.target)
    condition = _parser(frame, text, line, (), local_dict).parsed()
    with _naming_labels(frame):
        return frame._with_table(filtered(frame._table, condition))


def _as_text(expr: Any) -> str:
    if not isinstance(expr, str):
        raise QueryError.not_text(expr)
    return expr


def _value(frame: Any, text: str, lines: list[Line], local_dict: Mapping[str, Any] | None) -> Any:
    """What a text without an assignment gives: a series, or one value."""
    if len(lines) > 1:
        raise QueryError.several()
    expression = _parser(frame, text, lines[0], (), local_dict).parsed()
    by_row = _read_by_row(expression)
    with _naming_labels(frame):
        if not by_row:
            return computed_value(frame._table, expression)
        column = computed_column(frame._table, expression)
    name = by_row[0] if len(by_row) == 1 and by_row[0] in frame._values else None   # as operators on series name their results
    series: Series = Frame._series_type._of(frame._labels, column, name, frame._label_names)
    return series


def _read_by_row(expression: Expr) -> tuple[str, ...]:
    """The columns that are read outside of aggregations; without any, the result is one value."""
    tree = expression._tree
    return replaced(tree, dict.fromkeys(outermost([tree]), Lit(None))).names()


def _assigned(frame: Any, text: str, lines: list[Line], local_dict: Mapping[str, Any] | None) -> Any:
    """A frame with the columns that the lines assign."""
    made: list[tuple[str, Expr]] = []
    for line in lines:
        if line.target is None:
            raise QueryError.several()
        made.append((line.target, _parser(frame, text, line, [name for name, _ in made], local_dict).parsed()))
    table = frame._table
    with _naming_labels(frame):
        for batch in in_batches(made):
            table = table.with_columns(computed(table, batch))
    return frame._with_table(table)


def _parser(frame: Any, text: str, line: Line, made: Any, local_dict: Mapping[str, Any] | None) -> Parser:
    return Parser(text, line, lambda name: _named(frame, name, made), lambda name: _local(name, local_dict))


def _named(frame: Any, name: str, made: Any) -> Expr:
    """What a name stands for: a column, else a level of the row labels."""
    if name in frame._values or name in made:
        return col(name)
    levels = {f"ilevel_{level}": level for level in range(len(frame._label_names))}
    levels |= {"index": 0} if len(levels) == 1 else {}
    levels |= {str(shown): level for level, shown in enumerate(frame._label_names) if shown is not None}
    if name not in levels:
        raise ColumnNotFound.among(name, [*frame._values, *made, *(one for one in frame._label_names if one is not None)])
    return Expr(Col(label_key(levels[name])))


@contextmanager
def _naming_labels(frame: Any) -> Iterator[None]:
    """Errors about label columns name them as users do."""
    try:
        yield
    except FastFrameError as error:
        if "\\x00" not in str(error):
            raise
        renamed = error
        for level, name in enumerate(frame._label_names):
            renamed = renamed.renamed(label_key(level), name if name is not None else "index")
        raise renamed from None


def _local(name: str, local_dict: Mapping[str, Any] | None) -> Any:
    """The value of ``@name``: of the dict that was given, else of the variables where fastframe was called.

    Raises
    ------
    QueryError
        It is not there, or neither one value nor a list of values.
    """
    if name.startswith("__"):
        raise QueryError.hidden_local(name)
    found: Mapping[str, Any] = local_dict if local_dict is not None else _callers_variables()
    if name not in found:
        raise QueryError.unknown_local(name, [one for one in found if isinstance(one, str) and not one.startswith("_")], given=local_dict is not None)
    value = found[name]
    if is_missing(value) or isinstance(value, _VALUES):
        return value
    if is_series(value) or (isinstance(value, np.ndarray) and value.ndim == 1):
        value = value.tolist()
    if isinstance(value, _LISTS) and all(is_missing(one) or isinstance(one, _VALUES) for one in value):
        return Values(value)
    raise QueryError.of_local(name, value)


def _callers_variables() -> Mapping[str, Any]:
    """Local and global variables of the first function on the stack that is not fastframe's own.

    A comprehension, which is a function of its own before Python 3.12, sees what is around it, too.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    around = [frame.f_locals]
    while frame.f_back is not None and frame.f_code.co_name in _COMPREHENSIONS:
        frame = frame.f_back
        around.append(frame.f_locals)
    return ChainMap(*around, frame.f_globals)


