"""Errors about users' own functions: what one raised and for which group, what it may return, what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastframe.errors.base import FastFrameError, counted, listed, suggestion


def raised_text(function: str, where: str, error: BaseException) -> str:
    """What a user's function raised, and where: "in the group 'a'"."""
    text = f"{function} raised {type(error).__name__} {where}: {error}"
    return f"{text.rstrip('.')}. Nothing was changed; the function's own error is the cause of this one."


def not_nan_text(column: str, dtype: Any) -> str:
    """That ``nulls="nan"`` does not fit a column, or an argument of a function."""
    return f"nulls='nan' needs float columns, but {column} is {dtype}. Use .astype('float64') first, or nulls='skip' or 'mask'."


class FunctionError(FastFrameError, RuntimeError):
    """A user's function raised, or returned what cannot be a result.

    ``key`` is the group's key, as iteration over the groups gives it; of windows it is the row's label, or the pair of the group's
    key and the label. What the function raised is the ``__cause__``.
    """

    key: Any = None

    @classmethod
    def raised(cls, function: str, key: str, value: Any, error: BaseException) -> FunctionError:
        made = cls(raised_text(function, f"in the group {key}", error))
        made.key = value
        return made

    @classmethod
    def raised_in_window(cls, function: str, where: tuple[str, str | None], value: Any, error: BaseException) -> FunctionError:
        """``where`` is the label of the window's row, and the key of its group."""
        label, key = where
        group = "" if key is None else f" of the group {key}"
        made = cls(raised_text(function, f"in the window of row {label}{group}", error))
        made.key = value
        return made

    @classmethod
    def wrong_length(cls, function: str, key: str, value: Any, lengths: tuple[int, int]) -> FunctionError:
        given, wanted = lengths
        text = f"{function} returned an array of length {given} in the group {key}, of which it was given {counted(wanted, 'row')}."
        made = cls(f"{text} Return one value per row, or one value for the group.")
        made.key = value
        return made

    @classmethod
    def wrong_shape(cls, function: str, method: str, returned: str) -> FunctionError:
        wanted = {
            "agg": "one value per group, or a tuple or dict of them. Use transform or apply for one value per row.",
            "window": "one value per window, or a tuple or dict of them.",
            "transform": "one value per row, or one value for the whole group. Use agg or apply for several results per group.",
        }.get(method, "one value, an array of the group's length, or a tuple or dict of single values.")
        shown = "apply over windows" if method == "window" else method
        return cls(f"{shown}: {function} returned {returned}, but it must return {wanted}")

    @classmethod
    def changed_shape(cls, function: str, first: str, other: str) -> FunctionError:
        return cls(f"{function} returned {first} for one group and {other} for another. Return the same kind of result for every group.")

    @classmethod
    def wrong_dtype(cls, function: str, given: Any, wanted: Any, field: str | None = None) -> FunctionError:
        where = f" in {field!r}" if field is not None else ""
        asked = f"out={str(wanted)!r} was asked for"
        return cls(f"{function} returns {given}{where}, but {asked}. Convert inside the function, or leave out= away and use .astype(...).")

    @classmethod
    def wrong_names(cls, function: str, wanted: Sequence[str | None], given: Sequence[str] | None) -> FunctionError:
        returns = f"several results ({listed(given)})" if given is not None else "one result without a name"
        declares = listed(wanted) if any(wanted) else "one dtype"
        return cls(f"{function} returns {returns}, but out= declares {declares}. Declare what it returns, or leave out= away.")

    @classmethod
    def not_pickled(cls, function: str, error: BaseException) -> FunctionError:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        return cls(f"{function} or what it is given cannot be sent to another process: {detail}. Use engine='python', which runs in threads.")


class FunctionArgumentError(FastFrameError, ValueError, TypeError):
    """The parameters of a user's function do not fit the columns and arguments that it would get."""

    @classmethod
    def unknown_keyword(cls, function: str, name: str, known: Sequence[str]) -> FunctionArgumentError:
        return cls(f"{function} has no parameter {name!r}.{suggestion(name, known)} Its parameters are: {listed(known)}.")

    @classmethod
    def of_columns(cls, function: str, parameters: Sequence[str], columns: Sequence[str]) -> FunctionArgumentError:
        chosen = f"{counted(len(columns), 'column')} {'is' if len(columns) == 1 else 'are'} chosen ({listed(columns)})"
        return cls(
            f"{function} has {counted(len(parameters), 'parameter')} without a value ({listed(parameters)}), but {chosen}. "
            "Choose as many, as in df.groupby(keys)[['x', 'y']], call parameters as columns are called, or pass the rest by keyword."
        )

    @classmethod
    def of_masks(cls, function: str, parameters: Sequence[str]) -> FunctionArgumentError:
        return cls(
            f"{function} has {counted(len(parameters), 'parameter')} without a value ({listed(parameters)}), but with nulls='mask' "
            "it gets each column and then as many masks. Write a parameter for each of them, such as def f(x, w, x_valid, w_valid)."
        )

    @classmethod
    def nothing_to_give(cls, function: str) -> FunctionArgumentError:
        return cls(f"{function} has no parameter that a column could be given to. Write one parameter per column.")

    @classmethod
    def too_many(cls, function: str, given: int, taken: int) -> FunctionArgumentError:
        return cls(f"{function} was given {given} columns and arguments, but takes {taken}. Leave some away, or pass extra arguments by keyword.")

    @classmethod
    def lacking(cls, function: str, names: Sequence[str]) -> FunctionArgumentError:
        return cls(f"{function} was given no value for {listed(names)}. Pass it by keyword, as in .agg(f, {names[0]}=...).")

    @classmethod
    def not_nan(cls, column: str, dtype: Any) -> FunctionArgumentError:
        return cls(not_nan_text(f"column {column!r}", dtype))

    @classmethod
    def of_text(cls, function: str, column: str, dtype: Any) -> FunctionArgumentError:
        return cls(
            f"{function} takes one array, but column {column!r} is {dtype}, which compiled code gets as two: codes and the values that they stand for. "
            "Choose other columns, write both parameters, or pass engine='python', which gives text as it is."
        )
