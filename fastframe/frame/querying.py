"""``df.eval`` and ``df.query``: expressions as text."""

from __future__ import annotations

import datetime
import decimal
import os
import sys
from collections import ChainMap
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

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


class FrameQuery(Frame):
    """Expressions as text."""

    def eval(self, expr: str, *, inplace: bool = False, local_dict: Mapping[str, Any] | None = None) -> Any:
        """Compute an expression, or assign some.

        Parameters
        ----------
        expr : str
            ``"a * 2 - b"``, or an assignment ``"c = a * 2 - b"``, or several of those, on a line each; later lines see the
            columns of earlier ones. docs/expressions.md has the language: it is that of `query`.
        inplace : bool
            Assign to this frame and return None, rather than a new frame.
        local_dict : dict, optional
            What ``@name`` finds, instead of the variables where `eval` is called.

        Returns
        -------
        Series, or DataFrame where the text assigns; one value where the text aggregates everything, as in ``"a.sum() / 2"``.

        Raises
        ------
        QueryError
            The text holds something that is not allowed; nothing was computed.
        ColumnNotFound

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2], "b": [3, None]})
        >>> df.eval("c = a * 2 - b").to_dict("list")
        {'a': [1, 2], 'b': [3, None], 'c': [-1, None]}
        >>> df.eval("a + b.mean()").tolist()
        [4.0, 5.0]
        """
        lines = lines_of(_as_text(expr), several=True)
        if all(line.target is None for line in lines):
            return _value(self, expr, lines, inplace=inplace, local_dict=local_dict)
        new = _assigned(self, expr, lines, local_dict)
        return _placed(self, new, inplace=inplace)

    def query(self, expr: str, *, inplace: bool = False, local_dict: Mapping[str, Any] | None = None) -> Self | None:
        """The rows where a condition, given as text, is true.

        Parameters
        ----------
        expr : str
            ``"a > 1 and b == 'x'"``. Names are columns, then row labels; other names stand in backticks. Comparisons, also
            chained ones, ``and or not``, ``in [1, 2]``, arithmetic, functions such as ``sqrt(a)`` and methods such as
            ``name.str.contains('x')`` or ``a.mean()``: docs/expressions.md lists them. Nothing else is looked up or called, so
            a text from outside is safe.
        inplace : bool
            Keep only those rows in this frame and return None.
        local_dict : dict, optional
            What ``@name`` finds, instead of the variables where `query` is called: one value or a list of values each.

        Raises
        ------
        QueryError
            The text holds something that is not allowed; nothing was computed.
        ColumnNotFound, DTypeError

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2, 3], "first name": ["x", "y", "x"]})
        >>> df.query("a > 1 and `first name` in ['x', 'z']")["a"].tolist()
        [3]
        """
        (line,) = lines_of(_as_text(expr), several=False)
        if line.target is not None:
            raise QueryError.in_query(line.target)
        condition = _parser(self, expr, line, (), local_dict).parsed()
        with _naming_labels(self):
            new = self._with_table(filtered(self._table, condition))
        return _placed(self, new, inplace=inplace)


def _as_text(expr: Any) -> str:
    if not isinstance(expr, str):
        raise QueryError.not_text(expr)
    return expr


def _placed(frame: Any, new: Any, *, inplace: bool) -> Any:
    """The new frame, or None where the old one takes its table."""
    if not inplace:
        return new
    frame._table = new._table
    return None


def _value(frame: Any, text: str, lines: list[Line], *, inplace: bool, local_dict: Mapping[str, Any] | None) -> Any:
    """What a text without an assignment gives: a series, or one value."""
    if inplace:
        raise QueryError.nothing_in_place()
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


