"""What a text for ``eval`` and ``query`` may call, and what it may pass: functions and methods by name, arguments by type.

Nothing that makes long texts out of short ones (``repeat``, ``pad``, ``replace``, ``strftime`` ...) is on the lists: a text
from outside must not be able to ask for more memory than the columns take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastframe.errors import QueryError
from fastframe.frame.expression import Expr

# Functions of one argument: what is written, and the row of the function table.
FUNCTIONS = {
    name: name
    for name in (
        "abs", "sign", "floor", "ceil", "trunc", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan",
        "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "isfinite", "isinf",
    )
} | {"isna": "is_missing", "isnull": "is_missing", "notna": "not_missing", "notnull": "not_missing"}  # fmt: skip
PAIRS = ("arctan2", "hypot", "fmod")   # functions of two arguments, by the same names
AGGREGATIONS = (
    "sum", "prod", "mean", "median", "min", "max", "var", "std", "sem", "count", "nunique", "quantile", "first", "last", "any", "all",
)  # fmt: skip
METHODS = dict.fromkeys(
    ("abs", "sign", "round", "floor", "ceil", "clip", "fillna", "isna", "isnull", "notna", "notnull", "isin", "between", "astype", *AGGREGATIONS),
    "method",
)
TEXT_METHODS = dict.fromkeys(
    (
        "lower", "upper", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "len", "contains",
        "match", "fullmatch", "startswith", "endswith", "count", "find", "slice", "get", "isalnum", "isalpha", "isdigit", "isnumeric",
        "isdecimal", "isspace", "islower", "isupper", "istitle",
    ),
    "method",
)  # fmt: skip
# None: a field, which is not called.
TIME_METHODS: Mapping[str, str | None] = {
    **dict.fromkeys(
        (
            "year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond", "dayofweek", "weekday", "day_of_week", "dayofyear",
            "day_of_year", "quarter", "week", "isoyear", "days_in_month", "daysinmonth", "is_month_start", "is_month_end", "is_quarter_start",
            "is_quarter_end", "is_year_start", "is_year_end", "is_leap_year", "date", "time", "days", "seconds", "microseconds", "nanoseconds",
        )
    ),
    **dict.fromkeys(("floor", "ceil", "round", "normalize", "day_name", "month_name", "total_seconds"), "method"),
}  # fmt: skip

_TEXT, _WHOLE, _FLAG = ((str,), "a text"), ((int,), "an int"), ((bool,), "True or False")
_MAYBE_TEXT, _MAYBE_WHOLE = ((str, type(None)), "a text"), ((int, type(None)), "an int")
# By the argument's name, which means the same in all methods; others take one value or an expression.
_ARGUMENTS: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("pat", "sub", "prefix", "suffix", "freq", "dtype", "inclusive", "interpolation"), _TEXT),
    **dict.fromkeys(("decimals", "ddof", "min_count", "index"), _WHOLE),
    **dict.fromkeys(("start", "stop", "step"), _MAYBE_WHOLE),
    **dict.fromkeys(("skipna", "dropna", "regex", "case", "safe"), _FLAG),
    "na": ((bool, type(None)), "True, False or None"),
    "to_strip": _MAYBE_TEXT,
    "q": ((int, float), "a number from 0 to 1"),
    "values": ((tuple,), "a list of values"),
}
_LARGEST = 1 << 31   # of an int that is a setting


def check_arguments(name: str, given: Mapping[str, Any]) -> None:
    """Raise `QueryError` unless every argument is of a type that it may have."""
    for argument, value in given.items():
        types, wanted = _ARGUMENTS.get(argument, ((), "one value"))
        if not types:
            if isinstance(value, tuple):
                raise QueryError.list_elsewhere()
            continue
        is_bool = isinstance(value, bool)
        too_large = isinstance(value, int) and abs(value) >= _LARGEST
        if isinstance(value, Expr) or not isinstance(value, types) or (is_bool and bool not in types) or too_large:
            raise QueryError.of_argument(name, argument, wanted)
