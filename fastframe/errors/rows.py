"""Errors of users' functions of single rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastframe.errors.base import listed
from fastframe.errors.functions import FunctionError, not_nan_text, raised_text


class RowFunctionError(FunctionError):
    """A user's function of rows raised, or does not fit the columns that it gets.

    ``row`` is the position of the first row where it raised; what it raised is the ``__cause__``.
    """

    row: int | None = None

    @classmethod
    def raised_at(cls, function: str, row: int, values: Sequence[Any], error: BaseException) -> RowFunctionError:
        made = cls(raised_text(function, f"at row {row}, called with {listed(values)}", error))
        made.row = row
        return made

    @classmethod
    def no_columns(cls, function: str, parameters: Sequence[str], columns: Sequence[str]) -> RowFunctionError:
        return cls(
            f"{function} takes {listed(parameters)}, and its first parameter is no column. "
            f"Call parameters as columns are called ({listed(columns)}), or pass columns=[...]."
        )

    @classmethod
    def not_nan(cls, column: str, dtype: Any) -> RowFunctionError:
        return cls(not_nan_text(column, dtype))

    @classmethod
    def no_values(cls, function: str, dtype: Any) -> RowFunctionError:
        return cls(
            f"{function} cannot be compiled for single values of dtype {dtype}: compiled functions of rows get text and categories as two "
            "parameters, a code and, behind all columns, the array of the values that codes stand for. Write both, as in "
            "lambda code, values: values[code] == 'x', use .str methods or .map(dict), or pass engine='python'."
        )

    @classmethod
    def no_binary(cls, function: str, dtype: Any) -> RowFunctionError:
        return cls(f"{function} cannot be compiled for values of dtype {dtype}. Leave the column away, or pass engine='python'.")

    @classmethod
    def unknown_result(cls, function: str, dtype: Any) -> RowFunctionError:
        return cls(
            f"{function} is called on {dtype} values inside an expression, whose dtypes are found before any value. "
            "Pass out=dtype, or call df.map_rows or Series.map."
        )

    @classmethod
    def undeclared(cls, function: str) -> RowFunctionError:
        return cls(f"{function} is called by engine='python' inside an expression, whose dtypes are found before any value. Pass out=dtype.")

    @classmethod
    def one_result(cls, function: str, names: Sequence[Any]) -> RowFunctionError:
        return cls(f"{function} returns several results ({listed(names)}), where one is needed. Use df.map_rows for several columns.")

    @classmethod
    def several_in_python(cls, function: str, given: Any) -> RowFunctionError:
        return cls(
            f"{function} returned {type(given).__name__}, several values, with engine='python'. "
            "Declare them: out={'name': dtype, ...} in the order (or by the names) that it returns."
        )

    @classmethod
    def changed_shape(cls, function: str, wanted: Sequence[Any], given: Any) -> RowFunctionError:
        return cls(f"{function} has to return {len(wanted)} values ({listed(wanted)}) for each row, but returned {given!r}. Return all of them always.")
