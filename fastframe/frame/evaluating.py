"""What ``df.eval`` and ``df.query`` do: names and local variables found, the text made expressions, these computed."""

from __future__ import annotations

import datetime
import decimal
import os
import sys
from collections import ChainMap
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.dtypes import Kind
from fastframe.errors import ColumnNotFound, FastFrameError, QueryError
from fastframe.frame.computing import computed, computed_column, computed_value, filtered, in_batches
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import Expr, col
from fastframe.frame.labels import label_key
from fastframe.frame.parsing import Parser, Values
from fastframe.frame.query_memory import MOST_CHARACTERS, Lookup, Meaning, Statement, remembered
from fastframe.frame.query_tokens import MAX_OPERATORS, Line, lines_of
from fastframe.ops.aggregated import has_aggregation, outermost, replaced
from fastframe.ops.expressions import Col, Expression, Lit, Schema
from fastframe.ops.literals import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastframe.frame.series import Series

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_VALUES = (str, bytes, int, float, bool, np.generic, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal)
_JOINABLE = frozenset({Kind.STRING, Kind.BINARY, Kind.CATEGORY})
_LISTS = (list, tuple, set, frozenset, range)


def evaluated_text(frame: Any, text: Any, local_dict: Mapping[str, Any] | None, *, inplace: bool) -> Any:
    """A frame with what the text assigns, or the value of an expression: a series, or one value.

    Raises
    ------
    QueryError, ColumnNotFound
    """
    statements = _statements(frame, _as_text(text), local_dict, several=True)
    if statements[0][0] is not None:
        return _assigned(frame, statements)
    if inplace:
        raise QueryError.nothing_in_place()
    return _value(frame, statements[0][1])


def chosen_rows(frame: Any, text: Any, local_dict: Mapping[str, Any] | None) -> Any:
    """The rows where the condition is true.

    Raises
    ------
    QueryError, ColumnNotFound, DTypeError
    """
    ((_, condition),) = _statements(frame, _as_text(text), local_dict, several=False)
    with _naming_labels(frame):
        return frame._with_table(filtered(frame._table, condition))


def _statements(frame: Any, text: str, local_dict: Mapping[str, Any] | None, *, several: bool) -> Sequence[Statement]:
    """What a text says: one expression, or with ``several`` any number of assignments."""
    lookup = _lookup_in(frame)
    known = remembered(text, several=several) if len(text) <= MOST_CHARACTERS else None
    statements = known.statements(lookup) if known is not None else None
    if statements is None:
        lines = lines_of(text, several=several)
        _check_kinds(lines, several=several)
        meanings: list[Meaning] = []
        statements = _read(text, lines, lookup, local_dict, meanings)
        if known is not None and not any(line.locals for line in lines):
            known.keep(meanings, statements)
    return statements


def _check_kinds(lines: Sequence[Line], *, several: bool) -> None:
    """Raise `QueryError` unless the lines are one expression, or assignments where these are allowed."""
    if not several and lines[0].target is not None:
        raise QueryError.in_query(lines[0].target)
    if len(lines) > 1 and any(line.target is None for line in lines):
        raise QueryError.several()


def _read(
    text: str, lines: Sequence[Line], lookup: Lookup, local_dict: Mapping[str, Any] | None, meanings: list[Meaning]
) -> list[Statement]:
    """The lines as expressions; ``meanings`` gets what their names stand for."""
    statements: list[Statement] = []
    for line in lines:
        made = tuple([name for name, _ in statements if name is not None])

        def column_of(name: str, made: tuple[str, ...] = made) -> Expr:
            found = lookup(name, made)
            meanings.append(Meaning(name, made, found))
            return found

        statements.append((line.target, Parser(text, line, column_of, lambda name: _local(name, local_dict)).parsed()))
    return statements


def _as_text(expr: Any) -> str:
    if not isinstance(expr, str):
        raise QueryError.not_text(expr)
    return expr


def _value(frame: Any, expression: Expr) -> Any:
    """What a text without an assignment gives: a series, or one value."""
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
    if not has_aggregation(tree):
        return tree.names()
    return replaced(tree, dict.fromkeys(outermost([tree]), Lit(None))).names()


def _assigned(frame: Any, statements: Sequence[Statement]) -> Any:
    """A frame with the columns that the lines assign."""
    table = frame._table
    pieces: dict[str, int] = {}
    with _naming_labels(frame):
        for batch in in_batches((str(name), expression) for name, expression in statements):
            pieces |= {name: _pieces(expression._tree, table.schema, pieces) for name, expression in batch.items()}
            table = table.with_columns(computed(table, batch))
    return frame._with_table(table)


def _pieces(tree: Expression, schema: Schema, pieces: Mapping[str, int]) -> int:
    """Of how many texts a value of an expression is made at most.

    Lines that each join what the line before made would double it: twenty of them ask for a million times the memory.

    Raises
    ------
    QueryError
        More than the operators that one text may have.
    """
    if tree.resolve(schema).kind not in _JOINABLE:
        return 1
    unread, found = [tree], 0
    while unread:
        one = unread.pop()
        found += pieces.get(one.name, 1) if isinstance(one, Col) else isinstance(one, Lit)
        unread += one.children()
    if found > MAX_OPERATORS:
        raise QueryError.too_long("texts joined in one value", found, MAX_OPERATORS)
    return found


def _lookup_in(frame: Any) -> Lookup:
    """What names stand for: columns, else levels of the row labels."""
    values = frame._values

    def lookup(name: str, made: Sequence[str]) -> Expr:
        return col(name) if name in values or name in made else _level(frame, name, made)

    return lookup


def _level(frame: Any, name: str, made: Sequence[str]) -> Expr:
    """A level of the row labels."""
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


