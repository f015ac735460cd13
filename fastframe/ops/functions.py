"""The table of elementwise functions. Adding one is a row here, and a handler of each engine that evaluates it.

Missing in, missing out, unless a row says otherwise; NaN counts as missing, and float arithmetic carries it through as NaN.
Integer results are checked: one that does not fit raises `IntegerOverflow`.
"""

from __future__ import annotations

from fastframe.dtypes import BOOL, Kind
from fastframe.errors import ArgumentError
from fastframe.ops.function import REQUIRED, Function
from fastframe.ops.functions_text import TEXT
from fastframe.ops.functions_time import TIME
from fastframe.ops.result_types import (
    NUMBERS,
    arithmetic,
    chosen,
    common_of,
    comparison,
    extreme,
    fixed,
    float_function,
    float_pair,
    logic,
    negated,
    same,
)

_NUMBERS = "numbers"

ARITHMETIC = [
    Function("add", arithmetic, "arithmetic", "Sum; text is concatenated; timestamp + duration."),
    Function("sub", arithmetic, "arithmetic", "Difference; timestamp - timestamp is a duration."),
    Function("mul", arithmetic, "arithmetic", "Product; duration * number."),
    Function("truediv", arithmetic, "arithmetic", "Quotient, float64 (float32 of float32); x / 0 is inf or NaN. duration / duration is float64."),
    Function("floordiv", arithmetic, "arithmetic", "Floored quotient. Of integers by zero: null (pandas turns the column to float)."),
    Function("mod", arithmetic, "arithmetic", "Remainder of floordiv, of the divisor's sign. Of integers by zero: null."),
    Function("fmod", arithmetic, "arithmetic", "Remainder of the quotient cut towards zero, of the dividend's sign. Of integers by zero: null."),
    Function("pow", arithmetic, "arithmetic", "Power; a missing side wins, also in x ** 0. An integer to a negative power raises ArgumentError."),
    Function("arctan2", float_pair, "arithmetic", "Angle of the point (second, first) in radians, from -pi to pi; float64 (float32 of float32)."),
    Function("hypot", float_pair, "arithmetic", "Square root of the sum of squares, without overflow inside; float64 (float32 of float32)."),
]

UNARY = [
    Function("neg", negated, "unary", "-x; unsigned only of 0.", 1, 1),
    Function("abs", negated, "unary", "Absolute value; of numbers and durations.", 1, 1),
    Function("sign", same(NUMBERS - {Kind.BOOL}, _NUMBERS), "unary", "-1, 0 or 1, in the dtype of the argument.", 1, 1),
    Function("floor", same(NUMBERS, _NUMBERS), "unary", "Largest whole number not above, in the dtype of the argument.", 1, 1),
    Function("ceil", same(NUMBERS, _NUMBERS), "unary", "Smallest whole number not below, in the dtype of the argument.", 1, 1),
    Function("trunc", same(NUMBERS, _NUMBERS), "unary", "The whole number next towards zero, in the dtype of the argument.", 1, 1),
    Function("round", same(NUMBERS, _NUMBERS), "round", "Rounded to ``decimals``, half to even; negative ones round integers too.", 1, 1, (("decimals", 0),)),
    Function("sqrt", float_function, "unary", "Square root; of a negative number NaN.", 1, 1),
    Function("exp", float_function, "unary", "e ** x.", 1, 1),
    Function("expm1", float_function, "unary", "e ** x - 1, exact near 0.", 1, 1),
    Function("log", float_function, "unary", "Natural logarithm; of 0 -inf, of a negative number NaN.", 1, 1),
    Function("log1p", float_function, "unary", "Natural logarithm of 1 + x, exact near 0.", 1, 1),
    Function("log2", float_function, "unary", "Logarithm to base 2; of 0 -inf, of a negative number NaN.", 1, 1),
    Function("log10", float_function, "unary", "Logarithm to base 10; of 0 -inf, of a negative number NaN.", 1, 1),
    Function("cbrt", float_function, "unary", "Cube root, also of negative numbers.", 1, 1),
    *[
        Function(name, float_function, "unary", f"{what}; outside its domain NaN.", 1, 1)
        for name, what in (
            ("sin", "Sine of radians"), ("cos", "Cosine of radians"), ("tan", "Tangent of radians"), ("arcsin", "Inverse sine, in radians"),
            ("arccos", "Inverse cosine, in radians"), ("arctan", "Inverse tangent, in radians"), ("sinh", "Hyperbolic sine"),
            ("cosh", "Hyperbolic cosine"), ("tanh", "Hyperbolic tangent"), ("arcsinh", "Inverse hyperbolic sine"),
            ("arccosh", "Inverse hyperbolic cosine"), ("arctanh", "Inverse hyperbolic tangent"),
        )
    ],
]

COMPARISONS = [
    Function("eq", comparison, "compare", "Equal; False with a missing side.", exact=True),
    Function("ne", comparison, "compare", "Not equal; True with a missing side.", exact=True),
    Function("lt", comparison, "compare", "Less than; False with a missing side.", exact=True),
    Function("le", comparison, "compare", "Less than or equal; False with a missing side.", exact=True),
    Function("gt", comparison, "compare", "Greater than; False with a missing side.", exact=True),
    Function("ge", comparison, "compare", "Greater than or equal; False with a missing side.", exact=True),
    Function(
        "between", comparison, "between", "Between two bounds; ``inclusive``: both, neither, left, right. False where missing.", 3, 3,
        (("inclusive", "both"),), exact=True,
    ),
]

CHOICES = [
    Function("and", logic, "logic", "Three-valued and: False and null is False, True and null is null. Integers: bitwise."),
    Function("or", logic, "logic", "Three-valued or: True or null is True, False or null is null. Integers: bitwise."),
    Function("xor", logic, "logic", "Exclusive or; null with a null side. Integers: bitwise."),
    Function("not", logic, "not", "Not; null of null. Integers: bitwise.", 1, 1),
    Function("is_missing", fixed(BOOL), "is_missing", "True where null or NaN.", 1, 1),
    Function("not_missing", fixed(BOOL), "is_missing", "True where neither null nor NaN.", 1, 1),
    Function("isfinite", fixed(BOOL, NUMBERS, _NUMBERS), "is_missing", "True where neither infinite nor missing.", 1, 1),
    Function("isinf", fixed(BOOL, NUMBERS, _NUMBERS), "is_missing", "True where infinite; False where missing.", 1, 1),
    Function("isin", fixed(BOOL), "isin", "True where equal to one of ``values`` (a tuple); missing equals missing here.", 1, 1, (("values", REQUIRED),)),
    Function("if_else", chosen, "if_else", "The second argument where the first is true, else (also where it is null) the third.", 3, 3, anchors_from=1),
    Function("coalesce", common_of, "coalesce", "The first argument that is not missing.", 1, None),
    Function("min", extreme, "extreme", "The least argument that is not missing.", 1, None),
    Function("max", extreme, "extreme", "The greatest argument that is not missing.", 1, None),
    Function("clip", extreme, "clip", "The value between a lower and an upper bound (a missing one is none).", 3, 3),
]

FUNCTIONS: dict[str, Function] = {row.name: row for row in [*ARITHMETIC, *UNARY, *COMPARISONS, *CHOICES, *TEXT, *TIME]}


def function(name: str) -> Function:
    """The row of that name; `ArgumentError` where there is none."""
    try:
        return FUNCTIONS[name]
    except KeyError:
        raise ArgumentError.of("Call", "function", name, list(FUNCTIONS)) from None
