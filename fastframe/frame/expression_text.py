"""How an expression reads: as the Python that makes it, without ``ff.``."""

from __future__ import annotations

from typing import Any

from fastframe.ops.aggregated import Aggregated
from fastframe.ops.expressions import Call, Cast, Col, Expression, Lit
from fastframe.ops.mapped import Mapped

# Function to operator and how tightly it binds, as in Python.
_INFIX = {
    "eq": ("==", 1), "ne": ("!=", 1), "lt": ("<", 1), "le": ("<=", 1), "gt": (">", 1), "ge": (">=", 1),
    "or": ("|", 2), "xor": ("^", 3), "and": ("&", 4), "add": ("+", 5), "sub": ("-", 5),
    "mul": ("*", 6), "truediv": ("/", 6), "floordiv": ("//", 6), "mod": ("%", 6), "pow": ("**", 8),
}  # fmt: skip
_PREFIX = {"neg": "-", "not": "~"}
_BINDS_PREFIX, _BINDS_ATOM, _COMPARES = 7, 9, 1
_METHODS = {"is_missing": "isna", "not_missing": "notna", "coalesce": "fillna"}
_TIME_METHODS = ("time.normalize", "time.day_name", "time.month_name", "time.total_seconds")   # the others without options are fields
_OF_NUMPY = ("arctan2", "hypot", "fmod", "trunc", "isfinite", "isinf")   # functions that are no methods
_SHOWN = 400   # characters, beyond which a text is cut


def shown(expression: Expression) -> str:
    """The expression as text, cut where it is long."""
    text = f"lit({expression.value!r})" if isinstance(expression, Lit) else _text(expression)[0]
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."


def _text(expression: Expression) -> tuple[str, int]:
    """The text and how tightly its last operation binds."""
    if isinstance(expression, Col):
        return f"col({expression.name!r})", _BINDS_ATOM
    if isinstance(expression, Lit):
        return repr(expression.value), _BINDS_ATOM
    if isinstance(expression, Cast):
        return f"{_atom(expression.arg)}.astype('{expression.dtype}')", _BINDS_ATOM
    if isinstance(expression, Aggregated):
        return f"{_atom(expression.arg)}.{expression.call.name}({_changed_options(expression)})", _BINDS_ATOM
    if isinstance(expression, Mapped):
        return f"{expression.call.name.removesuffix('()')}({', '.join(_text(arg)[0] for arg in expression.args)})", _BINDS_ATOM
    return _call(expression) if isinstance(expression, Call) else (repr(expression), _BINDS_ATOM)


def _call(call: Call) -> tuple[str, int]:
    if call.function in _INFIX and len(call.args) == 2:
        operator, binds = _INFIX[call.function]
        # Of equal ones the left is done first; comparisons of comparisons need brackets, or they would chain.
        left_least = binds + 1 if binds in (_COMPARES, _INFIX["pow"][1]) else binds
        return f"{_within(call.args[0], left_least)} {operator} {_within(call.args[1], binds + 1)}", binds
    if call.function in _PREFIX:
        return f"{_PREFIX[call.function]}{_within(call.args[0], _BINDS_PREFIX)}", _BINDS_PREFIX
    if call.function == "if_else":
        condition, chosen, other = (_text(one)[0] for one in call.args)
        return f"when({condition}).then({chosen}).otherwise({other})", _BINDS_ATOM
    if call.function in _OF_NUMPY:
        return f"np.{call.function}({', '.join([_text(one)[0] for one in call.args])})", _BINDS_ATOM
    family, _, name = call.function.rpartition(".")
    method = f"{ {'text': 'str.', 'time': 'dt.'}.get(family, '') }{_METHODS.get(name, name)}"
    if family == "time" and not call.options and call.function not in _TIME_METHODS:
        return f"{_atom(call.args[0])}.{method}", _BINDS_ATOM
    others = [_text(one)[0] for one in call.args[1:]] + [f"{option}={value!r}" for option, value in call.options]
    return f"{_atom(call.args[0])}.{method}({', '.join(others)})", _BINDS_ATOM


def _within(expression: Expression, least: int) -> str:
    """The text as a part of another, in brackets where it binds less tightly than ``least``."""
    text, binds = _text(expression)
    return text if binds >= least else f"({text})"


def _atom(expression: Expression) -> str:
    """The text as what a method is called on."""
    return f"lit({expression.value!r})" if isinstance(expression, Lit) else _within(expression, _BINDS_ATOM)


def _changed_options(expression: Aggregated) -> str:
    known: dict[str, Any] = {**expression.call.aggregation.options, "skipna": True, "name": expression.call["name"]}
    return ", ".join(f"{option}={value!r}" for option, value in expression.call.options.items() if known.get(option) != value)
