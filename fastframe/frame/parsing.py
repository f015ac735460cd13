"""From the text of ``eval`` and ``query`` to expressions, by Python's parser and a list of what is allowed.

Nothing of the text is run: its words become placeholders (`query_tokens.py`), Python's parser makes a tree of those, and
every node of that tree has a function here that makes an `Expr`, or is refused. See docs/expressions.md for the language.
"""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

from fastframe.errors import ExpressionError, FastFrameError, QueryError
from fastframe.frame.expression import MAX_DEPTH, Expr, lit, when
from fastframe.frame.query_names import AGGREGATIONS, FUNCTIONS, METHODS, PAIRS, TEXT_METHODS, TIME_METHODS, check_arguments
from fastframe.frame.query_tokens import Line

_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "pow", ast.BitXor: "xor",
}  # fmt: skip
_FOLDED = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_COMPARED = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_LARGEST = 1 << 64   # numbers beyond are computed by nobody
_FAMILIES = {"str": TEXT_METHODS, "dt": TIME_METHODS}


class Values(tuple[Any, ...]):
    """A list of single values, for ``in``."""

    __slots__ = ()


class Parser:
    """Makes one statement an expression.

    Parameters
    ----------
    text : str
        The whole text, for messages.
    column_of : callable
        From a name to an expression; raises `ColumnNotFound`.
    local : callable
        From a local variable's name to its value: a scalar or `Values`.
    """

    def __init__(self, text: str, line: Line, column_of: Callable[[str], Expr], local: Callable[[str], Any]) -> None:
        self._text, self._line, self._column_of, self._local = text, line, column_of, local

    def parsed(self) -> Expr:
        """The expression.

        Raises
        ------
        QueryError, ColumnNotFound, ArgumentError
        """
        try:
            tree = ast.parse(self._line.source, mode="eval")
        except SyntaxError as error:
            where = self._line.origin(error.offset - 1) if error.offset else len(self._text)
            raise QueryError.syntax(self._text, where) from None
        except (RecursionError, MemoryError, ValueError):   # of Python's parser, whose own stack is small
            raise QueryError.too_deep(MAX_DEPTH) from None
        try:
            return _expression(self._value(tree.body, 0))
        except ExpressionError as error:
            raise QueryError.because_of(error) from None

    def _value(self, node: ast.expr, depth: int) -> Any:
        """An `Expr`, a plain value, or `Values`."""
        if depth >= MAX_DEPTH:
            raise QueryError.too_deep(MAX_DEPTH)
        make = _NODES.get(type(node))
        if make is None:
            raise self._refused(node)
        return make(self, node, depth + 1)

    def _refused(self, node: ast.expr | ast.keyword) -> QueryError:
        position = self._line.origin(node.col_offset)
        if isinstance(node, ast.Subscript):
            return QueryError.at(self._text, position, "values are taken out with [...]", "Use .str.get(0), .str.slice(1, 3), or rows by comparison.")
        return QueryError.syntax(self._text, position)

    def _name(self, node: ast.Name, depth: int) -> Any:
        if node.id in self._line.texts:
            return self._line.texts[node.id]
        if node.id in self._line.locals:
            return self._local(self._line.locals[node.id])
        return self._column_of(self._written(node, node.id))

    def _written(self, node: ast.expr, placeholder: str) -> str:
        """The name that stands behind a placeholder where a name must stand."""
        if placeholder not in self._line.names:
            raise self._refused(node)
        return self._line.names[placeholder]

    def _constant(self, node: ast.Constant, depth: int) -> Any:
        return node.value

    def _list(self, node: ast.List | ast.Tuple | ast.Set, depth: int) -> Values:
        values = [self._value(one, depth) for one in node.elts]
        if any(isinstance(one, Expr | Values) for one in values):
            raise QueryError.list_elsewhere()
        return Values(values)

    def _unary(self, node: ast.UnaryOp, depth: int) -> Any:
        value = self._value(node.operand, depth)
        if _is_number(value) and not isinstance(node.op, ast.Not | ast.Invert):
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node.op, ast.UAdd):
            return _expression(value)
        return _expression(value)._call("neg" if isinstance(node.op, ast.USub) else "not")

    def _binary(self, node: ast.BinOp, depth: int) -> Any:
        left, right = self._value(node.left, depth), self._value(node.right, depth)
        folded = _folded(type(node.op), left, right)
        if folded is not None:
            return folded
        if type(node.op) not in _BINARY:
            raise self._refused(node)
        return _expression(left)._call(_BINARY[type(node.op)], _expression(right))

    def _boolean(self, node: ast.BoolOp, depth: int) -> Expr:
        """``a and b and c`` as a tree of little depth: the order of doing it makes no difference."""
        parts = [_expression(self._value(one, depth)) for one in node.values]
        function = "and" if isinstance(node.op, ast.And) else "or"
        while len(parts) > 1:
            pairs = [one._call(function, other) for one, other in zip(parts[::2], parts[1::2], strict=False)]
            parts = pairs + parts[len(pairs) * 2 :]
        return parts[0]

    def _compare(self, node: ast.Compare, depth: int) -> Expr:
        """``a < b < c`` is ``a < b and b < c``."""
        operands = [self._value(one, depth) for one in (node.left, *node.comparators)]
        found: Expr | None = None
        for kind, left, right in zip(node.ops, operands, operands[1:], strict=False):
            one = _compared(type(kind), left, right)
            found = one if found is None else found & one
        assert found is not None   # Python's parser makes no comparison of nothing
        return found

    def _call(self, node: ast.Call, depth: int) -> Any:
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            raise self._refused(node)
        given = [self._value(one, depth) for one in node.args]
        options = {str(one.arg): self._value(one.value, depth) for one in node.keywords}
        if len(options) < len(node.keywords):
            raise self._refused(node.keywords[-1])
        if isinstance(node.func, ast.Name):
            return self._function(self._written(node.func, node.func.id), given, options)
        if not isinstance(node.func, ast.Attribute):
            raise self._refused(node)
        owner, names = self._path(node.func, depth)
        return _called(_method_of(owner, names, called=True), ".".join(names), given, options)

    def _function(self, name: str, given: list[Any], options: Mapping[str, Any]) -> Expr:
        if name in _SEVERAL:
            return _called(_SEVERAL[name], name, given, options)
        if name in PAIRS:
            return _called(lambda x, y: _expression(x)._call(name, _expression(y)), name, given, options)
        if name in FUNCTIONS:
            return _called(lambda x: _expression(x)._call(FUNCTIONS[name]), name, given, options)
        raise QueryError.aggregate_call(name) if name in AGGREGATIONS else QueryError.unknown_function(name, [*FUNCTIONS, *PAIRS, *_SEVERAL])

    def _attribute(self, node: ast.Attribute, depth: int) -> Any:
        owner, names = self._path(node, depth)
        return _method_of(owner, names, called=False)

    def _path(self, node: ast.Attribute, depth: int) -> tuple[Expr, list[str]]:
        """What a method is called on, and its name, or ``str`` or ``dt`` and its name."""
        names = [self._written(node, node.attr)]
        inner: ast.expr = node.value
        if isinstance(inner, ast.Attribute) and self._written(inner, inner.attr) in _FAMILIES:
            names.insert(0, self._written(inner, inner.attr))
            inner = inner.value
        return _expression(self._value(inner, depth)), names


_NODES: dict[type[ast.expr], Callable[[Any, Any, int], Any]] = {
    ast.Name: Parser._name, ast.Constant: Parser._constant, ast.List: Parser._list, ast.Tuple: Parser._list, ast.Set: Parser._list,
    ast.UnaryOp: Parser._unary, ast.BinOp: Parser._binary, ast.BoolOp: Parser._boolean, ast.Compare: Parser._compare,
    ast.Call: Parser._call, ast.Attribute: Parser._attribute,
}  # fmt: skip


def _expression(value: Any) -> Expr:
    if isinstance(value, Values):
        raise QueryError.list_elsewhere()
    return value if isinstance(value, Expr) else lit(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _LARGEST


def _folded(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """The value of ``2 * 3``, so that it takes the dtype of the column beside it as ``6`` does; None where it must be computed."""
    if kind not in _FOLDED or not _is_number(left) or not _is_number(right) or (kind is ast.Div and right == 0):
        return None
    return _FOLDED[kind](left, right)


def _compared(kind: type[ast.cmpop], left: Any, right: Any) -> Expr:
    if isinstance(left, Values) and kind in (ast.Eq, ast.NotEq):
        left, right = right, left
    if kind in (ast.In, ast.NotIn) or (isinstance(right, Values) and kind in (ast.Eq, ast.NotEq)):
        if not isinstance(right, Values):
            raise QueryError.not_a_list()
        found = _expression(left).isin(right)
        return found if kind in (ast.In, ast.Eq) else ~found
    if kind not in _COMPARED:
        raise QueryError.not_a_list()
    return _expression(left)._call(_COMPARED[kind], _expression(right))


def _where(condition: Any, x: Any, y: Any) -> Expr:
    return when(_expression(condition)).then(_expression(x)).otherwise(_expression(y))


def _round(x: Any, decimals: int = 0) -> Expr:
    return _expression(x).round(decimals)


_SEVERAL: dict[str, Callable[..., Expr]] = {"where": _where, "round": _round}


def _method_of(owner: Expr, names: list[str], *, called: bool) -> Any:
    """A method of a column that is allowed; a field where none is called."""
    family = names[0] if len(names) == 2 else None
    allowed = _FAMILIES[family] if family is not None else METHODS
    name = names[-1]
    is_field = family == "dt" and name in allowed and allowed[name] is None
    prefix = f"{family}." if family is not None else ""
    if name in allowed and called == is_field:
        raise QueryError.not_a_field(f"{prefix}{name}") if not called else QueryError.not_a_method(f"{prefix}{name}")
    if family is None and name in _FAMILIES:
        raise QueryError.family_alone(name)
    if name not in allowed:
        known = [f"{prefix}{one}" for one in allowed] + ([] if family is not None else ["str", "dt"])
        raise QueryError.unknown_method(f"{prefix}{name}", known)
    return getattr(owner if family is None else getattr(owner, family), name)


def _called(function: Callable[..., Any], name: str, given: list[Any], options: Mapping[str, Any]) -> Any:
    """A function of the lists above called with arguments that are checked first."""
    try:
        bound = inspect.signature(function).bind(*given, **options)
    except TypeError as error:
        raise QueryError.of_call(name, str(error)) from None
    check_arguments(name, bound.arguments)
    try:
        return function(*given, **options)
    except FastFrameError as error:
        raise error if not isinstance(error, ExpressionError) else QueryError.because_of(error) from None
